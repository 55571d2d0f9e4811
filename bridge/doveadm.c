/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/doveadm.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

#define TIMEOUT_MS 10000

struct doveadm {
    struct http_client *http;
    const char *url;      /* borrowed from the configuration */
    char *authorization;  /* the header */
};

static const char *url_of(const struct config *config)
{
    const char *url = config_get_string(config, "dovecot", "doveadm_url");

    return url && *url ? url : NULL;
}

bool doveadm_is_set(const struct config *config)
{
    return url_of(config) != NULL;
}

/* base64 of the key, as the header wants it; NULL with error. */
static char *read_key(const struct config *config, GError **error)
{
    const char *path = config_get_string(config, "dovecot", "doveadm_key_file");
    g_autofree char *text = NULL;
    gsize length;

    if (!path || !*path) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "[dovecot] doveadm_url needs doveadm_key_file");
        return NULL;
    }
    if (!g_file_get_contents(path, &text, &length, error))
        return NULL;
    g_strstrip(text);
    return g_base64_encode((const guchar *)text, strlen(text));
}

struct doveadm *doveadm_new(const struct config *config, GError **error)
{
    const struct http_client_options options = {.max_total = 8};
    g_autofree char *key = read_key(config, error);
    struct doveadm *doveadm;

    if (!key)
        return NULL;
    doveadm = g_new0(struct doveadm, 1);
    doveadm->url = url_of(config);
    doveadm->authorization = g_strconcat("Authorization: X-Dovecot-API ", key, NULL);
    doveadm->http = http_client_new(&options, error);
    if (doveadm->http)
        return doveadm;
    doveadm_free(doveadm);
    return NULL;
}

void doveadm_free(struct doveadm *doveadm)
{
    if (!doveadm)
        return;
    http_client_free(doveadm->http, 0);
    g_free(doveadm->authorization);
    g_free(doveadm);
}

static GBytes *body_of(json_t *commands)
{
    char *text = commands ? json_dumps(commands, JSON_COMPACT) : NULL;

    json_decref(commands);
    return text ? g_bytes_new_with_free_func(text, strlen(text), free, text) : NULL;
}

/* [["doveadmResponse", […], tag], …], or ["error", {type}, tag] in place of one. */
static json_t *read_results(const struct http_response *response, size_t wanted)
{
    gsize length;
    const char *data = g_bytes_get_data(response->body, &length);
    g_autoptr(json_t) list = response->status == 200 && !response->truncated ? json_loadb(data, length, 0, NULL) : NULL;
    json_t *results = json_array();
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
        if (g_strcmp0(json_string_value(json_array_get(one, 0)), "doveadmResponse") == 0)
            json_array_append(results, json_array_get(one, 1));
    if (json_array_size(results) == wanted)
        return results;
    json_decref(results);
    return NULL;
}

json_t *doveadm_run(struct doveadm *doveadm, json_t *commands, GError **error)
{
    size_t wanted = json_array_size(commands);
    g_autoptr(GBytes) body = body_of(commands);
    const char *headers[] = {doveadm->authorization, "Content-Type: application/json", NULL};
    const struct http_request request = {
        .method = "POST", .url = doveadm->url, .base_url = doveadm->url, .headers = headers, .body = body, .timeout_ms = TIMEOUT_MS};
    struct http_response *response;
    json_t *results;

    if (!body) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "what Dovecot is to be asked is no text");
        return NULL;
    }
    response = http_send_wait(doveadm->http, &request);
    results = read_results(response, wanted);
    if (!results)
        g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "Dovecot's doveadm service does not do it (HTTP status %ld%s%s)",
                    response->status, response->error ? ": " : "", response->error ? response->error : "");
    http_response_free(response);
    return results;
}
