/* SPDX-License-Identifier: Apache-2.0 */
/* What the requests and answers of both ways to Signal have in common. */
#include "bridge/channels/signal.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"

const char *signal_reaction(const struct ump_message *message)
{
    return (message->reaction && *message->reaction) || message->reaction_removed ? message->reaction : message->text;
}

int signal_check(const struct channel_send *send, const struct channel_endpoint *endpoint, GError **error)
{
    static const char *const some[] = {"attachment", NULL};
    struct channel_send counted = *send;
    g_autofree const char **urls = g_new0(const char *, send->message->media->len + 1);

    for (guint i = 0; i < send->message->media->len; i++)
        urls[i] = some[0];
    counted.media_urls = send->message->media->len > 0 ? urls : NULL;
    return channel_check_limits(&counted, endpoint, error);
}

/* A type and a name that cannot end the header of the URI. */
static char *uri_part(const char *text, const char *fallback)
{
    char *part = g_strdup(text && *text ? text : fallback);

    for (char *p = part; *p; p++)
        if ((guchar)*p < ' ' || strchr(";,\"\\", *p))
            *p = '_';
    return part;
}

/* "data:image/png;filename=a.png;base64,…"; NULL with error when the content is not at hand. */
static char *data_uri(const struct ump_media *media, GError **error)
{
    g_autofree char *type = uri_part(media->type, "application/octet-stream"), *name = uri_part(media->name, "file");
    g_autofree char *base64 = NULL;
    gsize size;
    const guint8 *data;

    if (!media->content) {
        channel_refuse(error, "the attachment is no longer kept");
        return NULL;
    }
    data = g_bytes_get_data(media->content, &size);
    base64 = g_base64_encode(data, size);
    return g_strdup_printf("data:%s;filename=%s;base64,%s", type, name, base64);
}

int signal_put_media(const struct ump_message *message, json_t *object, const char *key, GError **error)
{
    json_t *list = json_array();

    json_object_set_new(object, key, list);
    for (guint i = 0; i < message->media->len; i++) {
        g_autofree char *uri = data_uri(message->media->pdata[i], error);
        if (!uri)
            return -1;
        json_array_append_new(list, json_string(uri));
    }
    return 0;
}

void signal_finish(json_t *body, const char *url, struct channel_request *request)
{
    char *text = json_dumps(body, JSON_COMPACT);

    request->url = g_strdup(url);
    request->body = text ? g_bytes_new_take(text, strlen(text)) : g_bytes_new(NULL, 0);
    channel_request_header(request, "Content-Type", "application/json");
    channel_request_header(request, "Accept", "application/json");
}

/* ---- Failures ---- */

void signal_apply_code(const struct channel_endpoint *endpoint, struct channel_result *result)
{
    const struct channel_error *known = channel_error_find(endpoint->ops, result->code);

    if (known)
        channel_apply_error(known, &signal_refusals, result);
    else
        result->outcome = CHANNEL_FAILED;
}

/* How the administrator lifts it; the token is needed for that, and is worth nothing to anybody else. */
static char *challenge_text(const char *token, gint64 seconds)
{
    g_autofree char *wait = seconds > 0 ? g_strdup_printf(", or wait %" G_GINT64_FORMAT " minutes", (seconds + 59) / 60) : g_strdup("");

    return g_strdup_printf("Signal wants a captcha: solve https://signalcaptchas.org/challenge/generate.html and give the answer to "
                           "signal-cli submitRateLimitChallenge --challenge %s --captcha ANSWER%s", token, wait);
}

void signal_read_failure(const json_t *failure, const char *type, const struct channel_endpoint *endpoint,
                         struct channel_result *result)
{
    g_autofree char *token = channel_json_text(failure, "token");
    gint64 seconds = channel_json_int(failure, "retryAfterSeconds");
    const struct channel_error *known;

    g_free(result->code);
    result->code = g_strdup(token ? "PROOF_REQUIRED" : type);
    if (seconds > 0)
        result->retry_after_us = result->hold_us = MIN(seconds, 30 * 86400) * CLOCK_SECOND;
    known = channel_error_find(endpoint->ops, result->code);
    if (token) {
        g_free(result->text);
        result->text = challenge_text(token, seconds);
    } else if (known) {
        g_free(result->text);
        result->text = g_strdup(known->reason);
    }
    signal_apply_code(endpoint, result);
}

void signal_add_member(struct channel_result *result, const json_t *recipient, const char *type)
{
    struct ump_party who = {0};

    signal_read_party(recipient, "", &who);
    if (who.address) {
        if (!result->members)
            result->members = json_array();
        json_array_append_new(result->members, json_pack("{s:s, s:s}", "recipient", who.address, "code", type));
    }
    ump_party_clear(&who);
}
