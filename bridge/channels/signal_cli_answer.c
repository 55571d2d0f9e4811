/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon of signal-cli answers.  Errors of JSON-RPC come with HTTP status 200; a group's send is never
 * an error, its results say whom it reached.
 */
#include "bridge/channels/signal_cli.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

/* ---- Sending ---- */

static const json_t *results_of(const json_t *root)
{
    const json_t *results = json_object_get(json_object_get(root, "result"), "results");
    const json_t *data = json_object_get(json_object_get(root, "error"), "data");

    return results ? results : json_object_get(json_object_get(data, "response"), "results");
}

static bool is_success(const json_t *item)
{
    g_autofree char *type = channel_json_text(item, "type");

    return !type || strcmp(type, "SUCCESS") == 0;
}

/* Also what comes in a word that we do not know. */
static bool is_uncertain(const json_t *item, const struct channel_endpoint *endpoint)
{
    g_autofree char *type = channel_json_text(item, "type");
    const struct channel_error *known = channel_error_find(endpoint->ops, type);

    return !known || known->class == CHANNEL_ERROR_UNCERTAIN;
}

/* The first that failed, but one that may have got it before those that certainly got nothing: a group is sent to again as a
 * whole.  The others beside it are kept as its members. */
static const json_t *failure_of(const json_t *results, const struct channel_endpoint *endpoint, guint *reached)
{
    const json_t *item, *found = NULL;
    bool uncertain = false;
    size_t i;

    *reached = 0;
    json_array_foreach(results, i, item) {
        if (is_success(item)) {
            (*reached)++;
        } else if (!found || (!uncertain && is_uncertain(item, endpoint))) {
            found = item;
            uncertain = is_uncertain(item, endpoint);
        }
    }
    return found;
}

static void note_members(const json_t *results, struct channel_result *result)
{
    const json_t *item;
    size_t i;

    json_array_foreach(results, i, item) {
        g_autofree char *type = channel_json_text(item, "type");
        if (!is_success(item))
            signal_add_member(result, json_object_get(item, "recipientAddress"), type);
    }
}

static void read_failure(const json_t *item, const struct channel_endpoint *endpoint, struct channel_result *result)
{
    g_autofree char *type = channel_json_text(item, "type");

    signal_read_failure(item, type, endpoint, result);
}

/* His other id, where the message went to one person. */
static void note_alias(const json_t *results, struct channel_result *result)
{
    struct ump_party who = {0};

    if (json_array_size(results) != 1)
        return;
    signal_read_party(json_object_get(json_array_get(results, 0), "recipientAddress"), "", &who);
    result->alias = g_steal_pointer(&who.alias);
    ump_party_clear(&who);
}

/* The time that the message has, by which a receipt for it may come: what it was sent as, if it was. */
static void note_time(const json_t *response, const struct channel_endpoint *endpoint, struct channel_result *result)
{
    gint64 stamp = signal_stamp(response, "timestamp");

    if (result->outcome != CHANNEL_UNCERTAIN)
        return;
    if (stamp > 0)
        result->provider_id = signal_message_id(stamp, endpoint->address);
    note_alias(json_object_get(response, "results"), result);
}

static void read_error(const json_t *root, const json_t *error, const struct channel_endpoint *endpoint,
                       struct channel_result *result)
{
    g_autofree char *code = channel_json_text(error, "code");
    guint reached;
    const json_t *failure = failure_of(results_of(root), endpoint, &reached);

    result->text = channel_json_text(error, "message");
    if (failure) {
        read_failure(failure, endpoint, result);
        note_time(json_object_get(json_object_get(error, "data"), "response"), endpoint, result);
        return;
    }
    result->code = g_strdup(code ? code : "error");
    if (strcmp(result->code, "-32603") == 0)
        return; /* an error inside: what was done before it nobody knows */
    if (strcmp(result->code, "-32602") == 0 && result->text && strstr(result->text, "account")) {
        g_free(result->code);
        result->code = g_strdup("UNKNOWN_ACCOUNT");
    }
    signal_apply_code(endpoint, result);
}

static void read_result(const json_t *root, const struct channel_endpoint *endpoint, struct channel_result *result)
{
    gint64 stamp = signal_stamp(json_object_get(root, "result"), "timestamp");
    const json_t *results = results_of(root), *failure;
    guint reached;

    failure = failure_of(results, endpoint, &reached);
    if (failure && reached == 0) {
        read_failure(failure, endpoint, result);
        note_time(json_object_get(root, "result"), endpoint, result);
        return;
    }
    if (stamp <= 0)
        return; /* stays uncertain: it said yes, but not to what */
    note_members(results, result);
    result->outcome = CHANNEL_ACCEPTED;
    result->provider_id = signal_message_id(stamp, endpoint->address);
    note_alias(results, result);
}

void signal_cli_parse_response(const struct http_response *response, const struct channel_endpoint *endpoint,
                               struct channel_result *result)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *error = json_object_get(root, "error");

    if (response->curl_code != 0)
        return;
    if (response->status < 200 || response->status >= 300) {
        result->text = response->status == 421 ? g_strdup("signal-cli does not answer to this host name (HTTP 421): base_url must be "
                                                          "written as in its --http option")
                                               : NULL;
        result->retry_after_us = response->retry_after_us;
        channel_apply_refusal(response, endpoint, &signal_refusals, result);
        if (response->status == 421 || response->status == 415)
            result->config = true;
        return;
    }
    if (json_is_object(error))
        read_error(root, error, endpoint, result);
    else
        read_result(root, endpoint, result);
}

/* ---- Media ---- */

GBytes *signal_cli_parse_media(const struct http_response *response, bool *gone, GError **error)
{
    gsize length, size;
    const char *body = g_bytes_get_data(response->body, &length);
    g_autoptr(json_t) root = response->curl_code == 0 && response->status == 200 && !response->truncated
                                 ? channel_json_load_content(body ? body : "", length) : NULL;
    const json_t *result = json_object_get(root, "result");
    const char *data = json_string_value(json_is_string(result) ? result : json_object_get(result, "data"));
    g_autofree char *words = channel_json_text(json_object_get(root, "error"), "message");
    guchar *bytes;

    *gone = json_is_object(json_object_get(root, "error"));
    if (!data) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "signal-cli did not give the medium: %s",
                    words ? words : response->error ? response->error : "no data in its answer");
        return NULL;
    }
    bytes = g_base64_decode(data, &size);
    return g_bytes_new_take(bytes, size);
}

/* ---- Linking and health ---- */

static int refused(const struct http_response *response, const json_t *root, GError **error)
{
    g_autofree char *words = channel_json_text(json_object_get(root, "error"), "message");

    g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "signal-cli: %s",
                words ? words : response->error ? response->error : "an answer that is none");
    return -1;
}

int signal_cli_parse_link(const struct http_response *response, const struct channel_endpoint *endpoint, char **uri, char **number,
                          GError **error)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *result = json_object_get(root, "result");

    (void)endpoint;
    if (!json_is_object(result) && !json_is_string(result))
        return refused(response, root, error);
    *uri = channel_json_text(result, "deviceLinkUri");
    *number = channel_json_text(result, "number");
    return 0;
}

int signal_cli_parse_group(const struct http_response *response, const struct channel_endpoint *endpoint, struct ump_group *group,
                           GError **error)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *list = json_object_get(root, "result"), *item, *member;
    size_t i, k;

    (void)endpoint;
    if (!json_is_array(list))
        return refused(response, root, error);
    json_array_foreach(list, i, item) {
        g_autofree char *id = channel_json_text(item, "id"), *name = channel_json_text(item, "name");
        if (g_strcmp0(id, group->id) != 0)
            continue;
        if (name) {
            g_free(group->title);
            group->title = g_steal_pointer(&name);
        }
        json_array_foreach(json_object_get(item, "members"), k, member)
            signal_add_party(group, member);
        return 0;
    }
    g_set_error_literal(error, UMP_ERROR, UMP_ERROR_NOT_FOUND, "signal-cli does not know the group");
    return -1;
}

int signal_cli_parse_health(const struct http_response *response, const struct channel_endpoint *endpoint,
                            const char *webhook_url, GPtrArray *findings)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    const json_t *list = json_object_get(root, "result"), *item;
    g_autofree char *words = channel_json_text(json_object_get(root, "error"), "message");
    size_t i;

    (void)webhook_url;
    if (response->status != 200 || !root) {
        g_ptr_array_add(findings, g_strdup_printf("signal-cli answered with status %ld.", response->status));
        return 1;
    }
    json_array_foreach(list, i, item) {
        g_autofree char *number = channel_json_text(item, "number");
        if (g_strcmp0(number, signal_account(endpoint)) == 0) {
            g_ptr_array_add(findings, g_strdup_printf("signal-cli has the account %s.", number));
            return 0;
        }
    }
    if (json_is_array(list)) {
        g_ptr_array_add(findings, g_strdup_printf("signal-cli has no account %s; link it: umpctl endpoint link signal.", signal_account(endpoint)));
        return 1;
    }
    g_ptr_array_add(findings, words ? g_strdup_printf("signal-cli answers (one account only: %s).", words)
                                    : g_strdup("signal-cli answers."));
    return 0;
}
