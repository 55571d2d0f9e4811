/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to Twilio and what it answers: POST Accounts/{sid}/Messages.json, a form; GET and POST of one
 * message; lists.  Only parameters of the OpenAPI description are used.  There is no idempotency key:
 * what is sent twice arrives twice.
 */
#include "bridge/channels/twilio.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"

#define OTHER_MEDIA_MAX (500 * 1000) /* bytes of an SMS's attachment that is no JPEG, PNG or GIF */

/* ---- Credentials and addresses ---- */

static int not_set(GError **error, const char *what)
{
    g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "%s is not set", what);
    return -1;
}

/* user:password; the first of several auth tokens.  NULL with error. */
static char *credentials(const struct channel_endpoint *endpoint, GError **error)
{
    const char *sid = channel_secret(endpoint, "account_sid"), *token = channel_secret(endpoint, "auth_token");
    const char *key = channel_secret(endpoint, "api_key"), *secret = channel_secret(endpoint, "api_secret");

    if (key && secret)
        return g_strdup_printf("%s:%s", key, secret);
    token = token ? token + strspn(token, ", \t\r\n") : NULL;
    if (!sid || !token || !*token) {
        not_set(error, sid ? "auth_token" : "account_sid");
        return NULL;
    }
    return g_strdup_printf("%s:%.*s", sid, (int)strcspn(token, ", \t\r\n"), token);
}

static char *basic(const struct channel_endpoint *endpoint, GError **error)
{
    g_autofree char *pair = credentials(endpoint, error), *encoded = NULL;

    if (!pair)
        return NULL;
    encoded = g_base64_encode((const guchar *)pair, strlen(pair));
    return g_strconcat("Basic ", encoded, NULL);
}

int twilio_authorize(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    g_autofree char *value = basic(endpoint, error);

    if (!value)
        return -1;
    channel_request_header(request, "Authorization", value);
    channel_request_header(request, "Accept", "application/json");
    return 0;
}

int twilio_media_auth(const struct channel_endpoint *endpoint, GPtrArray *headers, const char *const **auth_hosts)
{
    /* the API itself; never the CDN that it redirects to */
    static const char *const hosts[] = {"api.twilio.com", "api.dublin.ie1.twilio.com", "api.sydney.au1.twilio.com", NULL};
    g_autofree char *value = basic(endpoint, NULL);

    if (!value)
        return -1;
    g_ptr_array_add(headers, g_strconcat("Authorization: ", value, NULL));
    *auth_hosts = hosts;
    return 0;
}

char *twilio_account_url(const struct channel_endpoint *endpoint, const char *path, GError **error)
{
    const char *sid = channel_secret(endpoint, "account_sid");

    if (!sid) {
        not_set(error, "account_sid");
        return NULL;
    }
    g_autofree char *escaped = g_uri_escape_string(sid, NULL, FALSE);
    return g_strdup_printf("%s/Accounts/%s%s", channel_base_url(endpoint), escaped, path);
}

char *twilio_full_address(const struct channel_endpoint *endpoint, const char *address)
{
    return strcmp(endpoint->channel, "sms") == 0 ? g_strdup(address) : g_strconcat(endpoint->channel, ":", address, NULL);
}

/* ---- Requests ---- */

/* Larger files that are no pictures are refused by Twilio after it has accepted the message. */
static int check_media(const struct ump_message *message, const struct channel_endpoint *endpoint, GError **error)
{
    static const char *const pictures[] = {"image/jpeg", "image/jpg", "image/png", "image/gif", NULL};

    if (strcmp(endpoint->channel, "sms") != 0)
        return 0;
    for (guint i = 0; i < message->media->len; i++) {
        const struct ump_media *media = message->media->pdata[i];
        if (media->size > OTHER_MEDIA_MAX && !(media->type && g_strv_contains(pictures, media->type)))
            return channel_refuse(error, "an attachment that is no JPEG, PNG or GIF can have 500 kB at most");
    }
    return 0;
}

/* An approved template in place of the text: its name is its ContentSid, its variables are numbered from 1. */
static int add_template(GString *body, const struct channel_template *template, GError **error)
{
    g_autoptr(json_t) variables = json_object();
    guint n = 0;

    if (!template->name || !g_str_has_prefix(template->name, "HX") || strlen(template->name) != 34)
        return channel_refuse(error, "a template of Twilio is named by its ContentSid, HX and 32 digits");
    for (const char *const *value = template->variables; value && *value; value++) {
        g_autofree char *name = g_strdup_printf("%u", ++n);
        json_object_set_new(variables, name, json_string(*value));
    }
    channel_form_add(body, "ContentSid", template->name);
    if (n > 0) {
        char *text = json_dumps(variables, JSON_COMPACT);
        channel_form_add(body, "ContentVariables", text);
        g_free(text);
    }
    return 0;
}

static int add_content(GString *body, const struct channel_send *send, const struct channel_endpoint *endpoint,
                       GError **error)
{
    const struct ump_message *message = send->message;

    if (send->template)
        return message->recipients->len == 1 ? add_template(body, send->template, error)
                                             : channel_refuse(error, "a template goes to one recipient");
    if (channel_check_limits(send, endpoint, error) < 0 || check_media(message, endpoint, error) < 0)
        return -1;
    channel_form_add(body, "Body", message->text);
    for (const char *const *url = send->media_urls; url && *url; url++)
        channel_form_add(body, "MediaUrl", *url);
    return 0;
}

static void set_form(struct channel_request *request, GString *body)
{
    gsize length = body->len;

    request->body = g_bytes_new_take(g_string_free(body, FALSE), length);
    channel_request_header(request, "Content-Type", "application/x-www-form-urlencoded");
}

int twilio_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                         struct channel_request *request, GError **error)
{
    GString *body = g_string_new(NULL);
    g_autofree char *from = twilio_full_address(endpoint, endpoint->address);

    if (send->message->recipients->len > 0) {
        const struct ump_party *party = send->message->recipients->pdata[0];
        g_autofree char *to = twilio_full_address(endpoint, party->address);
        channel_form_add(body, "To", to);
    }
    /* with a service, our number is its member: the message still leaves from it */
    channel_form_add(body, "From", from);
    channel_form_add(body, "MessagingServiceSid", channel_setting(endpoint, "messaging_service_sid"));
    request->url = twilio_account_url(endpoint, "/Messages.json", error);
    if (!request->url || add_content(body, send, endpoint, error) < 0 || twilio_authorize(endpoint, request, error) < 0) {
        g_string_free(body, TRUE);
        return -1;
    }
    channel_form_add(body, "StatusCallback", send->callback_url);
    set_form(request, body);
    return 0;
}

static char *message_url(const char *provider_id, const struct channel_endpoint *endpoint, GError **error)
{
    g_autofree char *id = provider_id ? g_uri_escape_string(provider_id, NULL, FALSE) : NULL;
    g_autofree char *path = g_strdup_printf("/Messages/%s.json", id ? id : "");

    return twilio_account_url(endpoint, path, error);
}

int twilio_build_cancel(const char *provider_id, const struct channel_endpoint *endpoint,
                        struct channel_request *request, GError **error)
{
    GString *body;

    request->url = message_url(provider_id, endpoint, error);
    if (!request->url || twilio_authorize(endpoint, request, error) < 0)
        return -1;
    body = g_string_new(NULL);
    channel_form_add(body, "Status", "canceled");
    set_form(request, body);
    return 0;
}

int twilio_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    request->url = twilio_account_url(endpoint, "/Messages.json?PageSize=1", error);
    return request->url ? twilio_authorize(endpoint, request, error) : -1;
}

/* ---- Answers ---- */

static void read_accepted(const json_t *message, struct channel_result *result)
{
    g_autofree char *sid = channel_json_text(message, "sid"), *price = channel_json_text(message, "price");

    if (!sid || strlen(sid) > 64)
        return; /* stays uncertain: it said yes, but not to what */
    result->outcome = CHANNEL_ACCEPTED;
    result->provider_id = g_steal_pointer(&sid);
    result->segments = channel_json_count(message, "num_segments");
    if (result->segments == 0)
        result->segments = -1; /* not counted yet, when a service chooses the sender */
    if (price && (result->cost = channel_amount(*price == '-' ? price + 1 : price)) >= 0)
        result->currency = channel_json_text(message, "price_unit");
}

void twilio_parse_response(const struct http_response *response, const struct channel_endpoint *endpoint,
                           struct channel_result *result)
{
    g_autoptr(json_t) root = channel_answer_json(response);

    result->retry_after_us = response->retry_after_us;
    if (response->curl_code != 0)
        return;
    if (response->status >= 200 && response->status < 300) {
        read_accepted(root, result);
        return;
    }
    result->code = channel_json_text(root, "code");
    result->text = channel_json_text(root, "message");
    channel_apply_refusal(response, endpoint, &twilio_refusals, result);
}

int twilio_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint,
                        const char *webhook_url, GPtrArray *findings)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    g_autofree char *why = channel_json_text(root, "message");
    const char *host = webhook_url ? strstr(webhook_url, "://") : NULL;
    int sick = 0;

    if (response->status == 0) {
        g_ptr_array_add(findings, g_strdup_printf("Twilio cannot be reached: %s",
                                                  response->error ? response->error : "no answer"));
        return 1;
    }
    if (response->status == 401 || response->status == 403) {
        g_ptr_array_add(findings, g_strdup("Twilio does not accept the account SID and auth token."));
        return 1;
    }
    if (response->status != 200 || !json_is_array(json_object_get(root, "messages"))) {
        g_ptr_array_add(findings, g_strdup_printf("Twilio answered with status %ld%s%s.", response->status, why ? ": " : "",
                                                  why ? why : ""));
        return 1;
    }
    g_ptr_array_add(findings, g_strdup("Twilio accepts the account SID and auth token."));
    if (!host || g_str_has_prefix(webhook_url, "http://127.")) {
        g_ptr_array_add(findings, g_strdup("Twilio cannot reach this gateway: set [gateway] public_url to its public address."));
        sick = !channel_base_url_is_own(endpoint);
    } else if (memchr(host, '_', strcspn(host + 3, "/") + 3)) {
        g_ptr_array_add(findings, g_strdup("Twilio accepts no host name with an underscore: change [gateway] public_url."));
        sick = 1;
    }
    g_ptr_array_add(findings,
                    g_strdup_printf("The number %s, or its messaging service, must send incoming messages to %s by HTTP "
                                    "POST; statuses need no setting.",
                                    endpoint->address, webhook_url ? webhook_url : "the webhook address"));
    return sick;
}
