/* SPDX-License-Identifier: Apache-2.0 */
/* umpctl endpoint test: asks the provider itself, with the endpoint's credentials. */
#include <string.h>

#include "bridge/channels/channel.h"
#include "core/cleanup.h"
#include "core/endpoint_secrets.h"
#include "core/http_client.h"
#include "ctl/ctl.h"
#include "ctl/endpoint.h"

json_t *ctl_endpoint_secrets(struct ctl *ctl, const struct ctl_endpoint *endpoint, GError **error)
{
    g_autoptr(secrets_t) keys = secrets_load(config_get_string(ctl->config, "gateway", "secrets_key_file"), error);
    return keys != NULL ? endpoint_secrets_open(keys, endpoint->id, endpoint->secrets, error) : NULL;
}

struct http_response *ctl_endpoint_ask(struct http_client *client, const struct channel_endpoint *endpoint,
                                       struct channel_request *request)
{
    g_ptr_array_add(request->headers, NULL);
    const struct http_request wanted = {
        .method = request->method, .url = request->url, .base_url = channel_base_url(endpoint),
        .headers = (const char *const *)request->headers->pdata, .body = request->body, .timeout_ms = request->timeout_ms};
    return http_send_wait(client, &wanted);
}

static void finding(GPtrArray *findings, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void finding(GPtrArray *findings, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(findings, g_strdup_vprintf(format, args));
    va_end(args);
}

/* Sends the adapter's health request.  0 healthy, 1 not. */
static int ask(struct channel_endpoint *endpoint, const char *webhook_url, GPtrArray *findings)
{
    const struct channel_ops *ops = endpoint->ops;
    g_autoptr(GError) error = NULL;
    if (ops->prepare != NULL && (endpoint->prepared = ops->prepare(endpoint, &error)) == NULL) {
        finding(findings, "%s", error->message);
        return 1;
    }
    if (ops->build_health == NULL) {
        finding(findings, "%s offers nothing to test with", ops->provider);
        return 0;
    }
    g_auto(channel_request_t) request;
    channel_request_init(&request);
    if (ops->build_health(endpoint, &request, &error) != 0) {
        finding(findings, "%s", error->message);
        return 1;
    }
    struct http_client *client = http_client_new(NULL, &error);
    if (client == NULL) {
        finding(findings, "%s", error->message);
        return 1;
    }
    struct http_response *response = ctl_endpoint_ask(client, endpoint, &request);
    int sick = 1;
    if (response->curl_code != 0)
        finding(findings, "%s does not answer: %s", request.url, response->error);
    else
        sick = ops->parse_health(response, endpoint, webhook_url, findings);
    http_response_free(response);
    http_client_free(client, 0);
    return sick;
}

int ctl_endpoint_test(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    g_auto(ctl_endpoint) row = {0};
    if (lease == NULL || (status = ctl_endpoint_load(ctl, lease, argv[0], &row)) != 0)
        return status;
    const char *public_url = config_get_string(ctl->config, "gateway", "public_url");
    g_autofree char *webhook_url = g_strdup_printf("%s/webhooks/%s", public_url, row.id);
    g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    int sick = 1;
    struct channel_endpoint endpoint = {
        .account_id = ctl->account, .id = row.id, .channel = row.channel, .provider = row.provider,
        .address = row.address, .settings = row.settings, .ops = channel_find(row.provider)};
    if (endpoint.ops == NULL)
        finding(findings, "this build knows no provider %s", row.provider);
    else if ((endpoint.secrets = ctl_endpoint_secrets(ctl, &row, &error)) == NULL)
        finding(findings, "%s", error->message);
    else
        sick = ask(&endpoint, webhook_url, findings);
    if (endpoint.ops != NULL && endpoint.ops->dispose != NULL && endpoint.prepared != NULL)
        endpoint.ops->dispose(endpoint.prepared);
    endpoint_secrets_wipe(endpoint.secrets);
    if (strcmp(row.status, "enabled") != 0)
        finding(findings, "it is %s (umpctl endpoint enable %s)", row.status, argv[0]);

    g_autoptr(json_t) record = json_object();
    json_object_set_new(record, "endpoint", json_sprintf("%s:%s", row.channel, row.address));
    json_object_set_new(record, "result", json_string(sick == 0 ? "ok" : "failed"));
    json_t *list = json_array();
    for (guint i = 0; i < findings->len; i++)
        json_array_append_new(list, json_string(findings->pdata[i]));
    json_object_set_new(record, "findings", list);
    json_object_set_new(record, "webhook_url", json_string(webhook_url));
    ctl_show_json(ctl, record);
    return sick == 0 ? CTL_OK : CTL_REFUSED;
}
