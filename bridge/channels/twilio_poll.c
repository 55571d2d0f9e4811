/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of messages: GET Accounts/{sid}/Messages.json.  The look-up finds what became of a request
 * whose answer was lost; the poll finds what webhooks lost.  Lists come newest first, in pages.
 */
#include "bridge/channels/twilio.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"

#define PAGE "200"
#define BEFORE CLOCK_MINUTE         /* clocks differ */
#define AFTER (10 * CLOCK_MINUTE)   /* a request may have been on its way */

/* ---- Look-up ---- */

/* No DateSent in the query: what still waits in Twilio's queue has none. */
int twilio_build_lookup(const struct channel_send *send, const char *provider_id,
                        const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    g_autofree char *from = twilio_full_address(endpoint, endpoint->address);
    GString *query = g_string_new(NULL);

    if (send->message->recipients->len > 0) {
        const struct ump_party *party = send->message->recipients->pdata[0];
        g_autofree char *to = twilio_full_address(endpoint, party->address);
        channel_form_add(query, "To", to);
    }
    channel_form_add(query, "From", from);
    channel_form_add(query, "PageSize", PAGE);
    g_autofree char *path = g_strconcat("/Messages.json?", query->str, NULL);
    g_string_free(query, TRUE);
    request->url = twilio_account_url(endpoint, path, error);
    return request->url ? twilio_authorize(endpoint, request, error) : -1;
}

static bool same_text(const char *a, const char *b)
{
    g_autofree char *x = g_strdup(a ? a : ""), *y = g_strdup(b ? b : "");

    return strcmp(g_strstrip(x), g_strstrip(y)) == 0;
}

static void add_found(GPtrArray *found, const json_t *item, const struct channel_send *send)
{
    struct channel_found *one = g_new0(struct channel_found, 1);
    g_autofree char *body = channel_json_text(item, "body"), *word = channel_json_text(item, "status");
    gint64 media = channel_json_int(item, "num_media");

    one->provider_id = channel_json_text(item, "sid");
    one->same = same_text(body, send->message->text) && (media < 0 || (media > 0) == (send->message->media->len > 0));
    one->status = twilio_status(word);
    one->code = channel_json_text(item, "error_code");
    one->text = channel_json_text(item, "error_message");
    g_ptr_array_insert(found, 0, one); /* oldest first */
}

enum channel_lookup twilio_parse_lookup(const struct channel_send *send, const struct http_response *response,
                                        const struct channel_endpoint *endpoint, GPtrArray *found)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *list = json_object_get(root, "messages"), *item;
    bool whole = !json_is_string(json_object_get(root, "next_page_uri"));
    size_t i;

    if (response->status != 200 || !json_is_array(list))
        return CHANNEL_LOOKUP_UNKNOWN;
    json_array_foreach(list, i, item) {
        g_autofree char *created = channel_json_text(item, "date_created"), *sid = channel_json_text(item, "sid");
        gint64 at = channel_rfc5322_time(created);
        const char *direction = json_string_value(json_object_get(item, "direction"));
        if (at == 0 || !sid)
            return CHANNEL_LOOKUP_UNKNOWN; /* what cannot be placed proves nothing */
        if (at < send->began - BEFORE)
            whole = true; /* newest first: the rest is older */
        else if (at <= send->began + AFTER && (!direction || g_str_has_prefix(direction, "outbound")))
            add_found(found, item, send);
    }
    if (found->len > 0)
        return CHANNEL_LOOKUP_FOUND;
    return whole ? CHANNEL_LOOKUP_NONE : CHANNEL_LOOKUP_UNKNOWN;
}

/* ---- Poll ---- */

/* One list: of what came (To) or of what left (From). */
static int add_list(GPtrArray *requests, const struct channel_endpoint *endpoint, const char *whom, gint64 since,
                    GError **error)
{
    struct channel_poll *poll = channel_poll_new(NULL);
    g_autofree char *own = twilio_full_address(endpoint, endpoint->address), *path = NULL;
    char date[CLOCK_RFC3339_SIZE];
    GString *query = g_string_new(NULL);

    ump_clock_rfc3339(since, date);
    date[19] = 'Z'; /* whole seconds */
    date[20] = '\0';
    channel_form_add(query, whom, own);
    channel_form_add(query, "DateSent>", date);
    channel_form_add(query, "PageSize", PAGE);
    path = g_strconcat("/Messages.json?", query->str, NULL);
    g_string_free(query, TRUE);
    g_ptr_array_add(requests, poll);
    poll->request.url = twilio_account_url(endpoint, path, error);
    return poll->request.url ? twilio_authorize(endpoint, &poll->request, error) : -1;
}

int twilio_build_poll(const struct channel_endpoint *endpoint, gint64 since, GPtrArray *requests, GError **error)
{
    return add_list(requests, endpoint, "To", since, error) < 0 ? -1 : add_list(requests, endpoint, "From", since, error);
}

/* "/2010-04-01/Accounts/…" of an answer → a request to where the API is. */
static int add_more(GPtrArray *more, const struct channel_endpoint *endpoint, const char *uri, const char *context,
                    GError **error)
{
    static const char version[] = "/2010-04-01/";
    struct channel_poll *poll;

    if (!uri || !g_str_has_prefix(uri, version) || strpbrk(uri, " \r\n\\"))
        return 0;
    poll = channel_poll_new(context);
    g_ptr_array_add(more, poll);
    poll->request.url = g_strdup_printf("%s/%s", channel_base_url(endpoint), uri + sizeof version - 1);
    return twilio_authorize(endpoint, &poll->request, error);
}

/* The message as its webhook would have told it. */
static GString *body_of(const json_t *item, bool inbound)
{
    static const char *const both[][2] = {{"MessageSid", "sid"}, {"AccountSid", "account_sid"},
        {"MessagingServiceSid", "messaging_service_sid"}, {"From", "from"}, {"To", "to"},
        {"NumSegments", "num_segments"}};
    static const char *const received[][2] = {{"Body", "body"}, {"DateSent", "date_sent"},
        {"DateCreated", "date_created"}};
    static const char *const sent[][2] = {{"MessageStatus", "status"}, {"ErrorCode", "error_code"},
        {"ErrorMessage", "error_message"}, {"Price", "price"}, {"PriceUnit", "price_unit"}, {"DateSent", "date_updated"}};
    const struct {
        const char *const (*pairs)[2];
        gsize count;
    } parts[] = {{both, G_N_ELEMENTS(both)},
                 {inbound ? received : sent, inbound ? G_N_ELEMENTS(received) : G_N_ELEMENTS(sent)}};
    GString *body = g_string_new(NULL);

    for (gsize part = 0; part < G_N_ELEMENTS(parts); part++) {
        for (gsize i = 0; i < parts[part].count; i++) {
            g_autofree char *value = channel_json_text(item, parts[part].pairs[i][1]);
            channel_form_add(body, parts[part].pairs[i][0], value);
        }
    }
    return body;
}

static int take_item(const json_t *item, const struct channel_endpoint *endpoint, GPtrArray *bodies, GPtrArray *more,
                     GError **error)
{
    const char *direction = json_string_value(json_object_get(item, "direction"));
    bool inbound = direction && strcmp(direction, "inbound") == 0;
    g_autofree char *word = channel_json_text(item, "status");
    const char *media = json_string_value(json_object_get(json_object_get(item, "subresource_uris"), "media"));
    GString *body;

    if (!inbound && twilio_status(word) == CHANNEL_STATUS_NONE)
        return 0;
    body = body_of(item, inbound);
    if (inbound && channel_json_int(item, "num_media") > 0 && media) {
        int result = add_more(more, endpoint, media, body->str, error);
        g_string_free(body, TRUE);
        return result;
    }
    g_ptr_array_add(bodies, g_string_free(body, FALSE));
    return 0;
}

/* The list of a message's media completes the body in the request's context. */
static void take_media(const json_t *list, const char *context, const struct channel_endpoint *endpoint, GPtrArray *bodies)
{
    GString *body = g_string_new(context);
    g_autofree char *number = g_strdup_printf("%zu", json_array_size(list));
    g_autofree char *base = g_strndup(channel_base_url(endpoint), strlen(channel_base_url(endpoint)));
    const json_t *item;
    size_t i;

    if (g_str_has_suffix(base, "/2010-04-01"))
        base[strlen(base) - strlen("/2010-04-01")] = '\0';
    channel_form_add(body, "NumMedia", number);
    json_array_foreach(list, i, item) {
        g_autofree char *uri = channel_json_text(item, "uri"), *type = channel_json_text(item, "content_type");
        g_autofree char *url_name = g_strdup_printf("MediaUrl%zu", i), *type_name = g_strdup_printf("MediaContentType%zu", i);
        if (uri && g_str_has_suffix(uri, ".json"))
            uri[strlen(uri) - strlen(".json")] = '\0';
        g_autofree char *url = uri && *uri == '/' ? g_strconcat(base, uri, NULL) : NULL;
        channel_form_add(body, url_name, url);
        channel_form_add(body, type_name, type);
    }
    g_ptr_array_add(bodies, g_string_free(body, FALSE));
}

int twilio_parse_poll(const struct http_response *response, const struct channel_poll *poll,
                      const struct channel_endpoint *endpoint, GPtrArray *bodies, GPtrArray *more, GError **error)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const char *name = poll->context ? "media_list" : "messages";
    const json_t *list = json_object_get(root, name), *item;
    size_t i;

    if (response->status != 200 || !json_is_array(list)) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_IO, "no %s: %s, HTTP status %ld", name,
                    response->error ? response->error : "answered", response->status);
        return -1;
    }
    if (poll->context) {
        take_media(list, poll->context, endpoint, bodies);
        return 0;
    }
    json_array_foreach(list, i, item)
        if (take_item(item, endpoint, bodies, more, error) < 0)
            return -1;
    return add_more(more, endpoint, json_string_value(json_object_get(root, "next_page_uri")), NULL, error);
}
