/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to signal-cli-rest-api: POST /v2/send, POST and DELETE /v1/reactions/<number>, POST /v1/receipts/<number>;
 * and what it answers.
 */
#include "bridge/channels/signal_rest.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

#define SEND_TIMEOUT_MS 60000

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(object, key, json_string(text));
}

/* The id of a group there is "group." and the base64 of its (base64) id. */
static char *recipient_of(const struct ump_message *message)
{
    const char *group = message->group.id;
    g_autofree char *base64 = group ? g_base64_encode((const guchar *)group, strlen(group)) : NULL;

    return group ? g_strconcat("group.", base64, NULL) : g_strdup(((const struct ump_party *)message->recipients->pdata[0])->address);
}

static char *url_of(const struct channel_endpoint *endpoint, const char *what, bool with_number)
{
    g_autofree char *number = g_uri_escape_string(signal_account(endpoint), NULL, FALSE);

    return g_strconcat(channel_base_url(endpoint), what, with_number ? number : "", NULL);
}

/* ---- Text: its styles are marks of its own, and nothing escapes them in every version ---- */

static const struct {
    const char *style, *mark;
} marks[] = {
    {"BOLD", "**"}, {"ITALIC", "*"}, {"STRIKETHROUGH", "~"}, {"MONOSPACE", "`"}, {"SPOILER", "||"},
};

struct range {
    gint64 start, end;
    const char *mark;
};

/* Ranges as marks; NULL where it cannot say them: one within the other, or a mark in the text itself. */
static char *marked(const char *text, const json_t *styles)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct range));
    GString *out = g_string_new(NULL);
    const json_t *item;
    gint64 at = 0;
    guint next = 0;
    size_t i;

    json_array_foreach(styles, i, item) {
        g_auto(GStrv) parts = g_strsplit(json_string_value(item), ":", 3);
        struct range range = {.start = g_ascii_strtoll(parts[0], NULL, 10)};
        range.end = range.start + g_ascii_strtoll(parts[1], NULL, 10);
        for (gsize m = 0; m < G_N_ELEMENTS(marks); m++)
            if (strcmp(marks[m].style, parts[2]) == 0)
                range.mark = marks[m].mark;
        g_array_append_val(ranges, range);
    }
    bool open = false, fits = strpbrk(text, "*~`|") == NULL;
    for (const char *p = text; fits; p = g_utf8_next_char(p)) {
        const struct range *range = next < ranges->len ? &g_array_index(ranges, struct range, next) : NULL;
        if (range && open && at >= range->end) {
            g_string_append(out, range->mark);
            open = false;
            range = ++next < ranges->len ? &g_array_index(ranges, struct range, next) : NULL;
        }
        if (range && !open && range->start < at)
            fits = false;
        if (range && !open && range->start == at) {
            g_string_append(out, range->mark);
            open = true;
        }
        if (!*p)
            break;
        g_string_append_len(out, p, g_utf8_next_char(p) - p);
        at += g_utf8_get_char(p) > 0xffff ? 2 : 1;
    }
    return g_string_free(out, !fits || next < ranges->len);
}

static void put_mentions(const json_t *list, json_t *body)
{
    json_t *made = json_array();
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item) {
        g_auto(GStrv) parts = g_strsplit(json_string_value(item), ":", 3);
        json_array_append_new(made, json_pack("{s:I, s:I, s:s}", "start", (json_int_t)g_ascii_strtoll(parts[0], NULL, 10), "length",
                                              (json_int_t)g_ascii_strtoll(parts[1], NULL, 10), "author", parts[2]));
    }
    json_object_set_new(body, "mentions", made);
}

static void put_text(const struct ump_message *message, json_t *body)
{
    json_t *styles = json_array(), *mentions = json_array();
    g_autofree char *text = message->text ? signal_text_out(message->text, styles, mentions) : g_strdup("");
    /* offsets of mentions count without the marks: both at once is more than its parser is known to do */
    g_autofree char *styled = json_array_size(styles) > 0 && json_array_size(mentions) == 0 ? marked(text, styles) : NULL;

    json_object_set_new(body, "message", json_string(styled ? styled : text));
    set_text(body, "text_mode", styled ? "styled" : "normal");
    if (json_array_size(mentions) > 0)
        put_mentions(mentions, body);
    json_decref(styles);
    json_decref(mentions);
}

/* ---- Requests ---- */

static int build_reaction(const struct channel_send *send, const char *recipient, const struct channel_endpoint *endpoint,
                          struct channel_request *request, GError **error)
{
    const struct ump_message *message = send->message;
    const char *author, *emoji = signal_reaction(message);
    g_autofree char *url = url_of(endpoint, "/v1/reactions/", true);
    gint64 stamp;

    if (!signal_message_id_split(send->reply_to_provider_id, &stamp, &author))
        return channel_refuse(error, "the message that you reacted to is not one of this conversation on Signal");
    if (!emoji || !*emoji)
        return channel_refuse(error, message->reaction_removed ? "there is no reaction of yours to be taken back"
                                                               : "the reaction has no emoji");
    g_autoptr(json_t) body = json_pack("{s:s, s:s, s:s, s:I}", "recipient", recipient, "reaction", emoji, "target_author", author,
                                       "timestamp", (json_int_t)stamp);
    signal_finish(body, url, request);
    request->method = message->reaction_removed ? g_strdup("DELETE") : NULL;
    return 0;
}

int signal_rest_build_request(const struct channel_send *send, const struct channel_endpoint *endpoint,
                              struct channel_request *request, GError **error)
{
    const struct ump_message *message = send->message;
    g_autofree char *url = url_of(endpoint, "/v2/send", false), *recipient = NULL;
    g_autoptr(json_t) body = NULL;
    const char *author;
    gint64 stamp;

    if (message->recipients->len == 0)
        return channel_refuse(error, "there is nobody to send it to");
    recipient = recipient_of(message);
    request->timeout_ms = message->media->len > 0 ? 3 * SEND_TIMEOUT_MS : SEND_TIMEOUT_MS;
    if (message->type == UMP_MESSAGE_REACTION)
        return build_reaction(send, recipient, endpoint, request, error);
    body = json_pack("{s:s, s:[s]}", "number", signal_account(endpoint), "recipients", recipient);
    if (signal_check(send, endpoint, error) < 0 || (message->media->len > 0 && signal_put_media(message, body, "base64_attachments", error) < 0))
        return -1;
    put_text(message, body);
    if (signal_message_id_split(send->reply_to_provider_id, &stamp, &author)) {
        json_object_set_new(body, "quote_timestamp", json_integer(stamp));
        set_text(body, "quote_author", author);
        set_text(body, "quote_message", send->reply_to_text ? send->reply_to_text : "…");
    }
    signal_finish(body, url, request);
    return 0;
}

int signal_rest_build_read(const char *provider_id, bool typing, const struct channel_endpoint *endpoint,
                           struct channel_request *request, GError **error)
{
    g_autofree char *url = url_of(endpoint, "/v1/receipts/", true);
    const char *author;
    gint64 stamp;

    (void)typing;
    if (!signal_message_id_split(provider_id, &stamp, &author))
        return channel_refuse(error, "Signal marks a message as read by its author and time only");
    g_autoptr(json_t) body = json_pack("{s:s, s:s, s:I}", "receipt_type", "read", "recipient", author, "timestamp", (json_int_t)stamp);
    signal_finish(body, url, request);
    return 0;
}

/* ---- Answers ---- */

static void read_refusal(const struct http_response *response, const json_t *root, const struct channel_endpoint *endpoint,
                         struct channel_result *result)
{
    g_autofree char *token = channel_value_text(json_array_get(json_object_get(root, "challenge_tokens"), 0));

    result->text = channel_json_text(root, "error");
    if (response->status == 429) {
        g_autoptr(json_t) failure = token ? json_pack("{s:s}", "token", token) : json_object();
        signal_read_failure(failure, "RATE_LIMIT_FAILURE", endpoint, result);
        return;
    }
    if (response->status == 400 && result->text) {
        const char *word = strstr(result->text, "untrusted") ? "IDENTITY_FAILURE"
                           : strstr(result->text, "nregistered") ? "UNREGISTERED_FAILURE"
                           : strstr(result->text, "account does not exist") ? "UNKNOWN_ACCOUNT" : NULL;
        if (word) {
            signal_read_failure(NULL, word, endpoint, result);
            return;
        }
        result->code = g_strdup("-1");
    }
    channel_apply_refusal(response, endpoint, &signal_refusals, result);
}

/* Releases up to 0.100 answer with an object that hides failures, later ones with an array that tells of them.  They list
 * only whom it did not reach, so that a single recipient in it means: nobody was. */
static void read_sent(const json_t *root, const struct channel_endpoint *endpoint, struct channel_result *result)
{
    const json_t *sent = json_is_array(root) ? json_array_get(root, 0) : root, *item;
    const json_t *failed = json_object_get(json_object_get(sent, "errors"), "recipients");
    gint64 stamp = signal_stamp(sent, "timestamp");
    size_t i;

    if (stamp > 0)
        result->provider_id = signal_message_id(stamp, endpoint->address);
    json_array_foreach(failed, i, item) {
        g_autofree char *reason = channel_json_text(item, "reason");
        const struct channel_error *known = channel_error_find(endpoint->ops, reason);
        if (known && known->class == CHANNEL_ERROR_UNCERTAIN) { /* it may be the only recipient: a receipt settles it, or its author */
            result->code = g_strdup(reason);
            return;
        }
    }
    if (stamp <= 0)
        return; /* stays uncertain: it said yes, but not to what */
    json_array_foreach(failed, i, item) {
        g_autofree char *reason = channel_json_text(item, "reason");
        if (reason && strcmp(reason, "SUCCESS") != 0)
            signal_add_member(result, item, reason);
    }
    result->outcome = CHANNEL_ACCEPTED;
}

void signal_rest_parse_response(const struct http_response *response, const struct channel_endpoint *endpoint,
                                struct channel_result *result)
{
    g_autoptr(json_t) root = channel_answer_json(response);

    if (response->curl_code != 0)
        return;
    result->retry_after_us = response->retry_after_us;
    if (response->status == 204) /* a reaction; it tells no time */
        result->outcome = CHANNEL_ACCEPTED;
    else if (response->status < 200 || response->status >= 300)
        read_refusal(response, root, endpoint, result);
    else
        read_sent(root, endpoint, result);
}

/* ---- Groups and health ---- */

int signal_rest_build_group(const char *group_id, const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    g_autofree char *base64 = g_base64_encode((const guchar *)group_id, strlen(group_id)), *id = g_strconcat("group.", base64, NULL);
    g_autofree char *base = url_of(endpoint, "/v1/groups/", true), *escaped = g_uri_escape_string(id, NULL, FALSE);

    (void)error;
    request->url = g_strconcat(base, "/", escaped, NULL);
    return 0;
}

int signal_rest_parse_group(const struct http_response *response, const struct channel_endpoint *endpoint, struct ump_group *group,
                            GError **error)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    g_autofree char *name = channel_json_text(root, "name");
    const json_t *members = json_object_get(root, "members"), *member;
    size_t i;

    (void)endpoint;
    if (response->status != 200 || !json_is_array(members)) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_NOT_FOUND, "signal-cli-rest-api does not tell of the group (status %ld)", response->status);
        return -1;
    }
    if (name) {
        g_free(group->title);
        group->title = g_steal_pointer(&name);
    }
    json_array_foreach(members, i, member)
        signal_add_party(group, member);
    return 0;
}

int signal_rest_build_health(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error)
{
    (void)error;
    request->url = url_of(endpoint, "/v1/accounts", false);
    return 0;
}

int signal_rest_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint, const char *webhook_url,
                             GPtrArray *findings)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *item;
    size_t i;

    if (response->status != 200 || !json_is_array(root)) {
        g_ptr_array_add(findings, g_strdup_printf("signal-cli-rest-api answered with status %ld.", response->status));
        return 1;
    }
    json_array_foreach(root, i, item)
        if (g_strcmp0(json_string_value(item), signal_account(endpoint)) == 0) {
            g_ptr_array_add(findings, g_strdup_printf("signal-cli-rest-api has the account %s.", signal_account(endpoint)));
            g_ptr_array_add(findings, g_strdup_printf("Its RECEIVE_WEBHOOK_URL (mode json-rpc) must be %s, with gateway:<webhook_secret>@ "
                                                      "before the host.", webhook_url ? webhook_url : "the webhook address"));
            return 0;
        }
    g_ptr_array_add(findings, g_strdup_printf("signal-cli-rest-api has no account %s: register or link it there.", signal_account(endpoint)));
    return 1;
}
