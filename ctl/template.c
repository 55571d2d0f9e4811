/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: what an endpoint may send when the network takes no free text. */
#include <string.h>

#include "bridge/channels/channel.h"
#include "core/cleanup.h"
#include "core/endpoint_secrets.h"
#include "core/http_client.h"
#include "core/template_text.h"
#include "ctl/ctl.h"
#include "ctl/endpoint.h"

#define MAX_PAGES 100

static int put(struct ctl *ctl, struct db_lease *lease, const char *endpoint, const struct channel_template_info *info,
               bool synced)
{
    struct db_params *params = ctl_params(ctl, lease);
    char *body = json_dumps(info->body, JSON_COMPACT);
    if (params == NULL) {
        g_free(body);
        return CTL_REFUSED;
    }
    db_params_uuid(params, endpoint);
    db_params_text(params, info->name);
    db_params_text(params, info->language);
    db_params_text(params, body);
    db_params_text(params, info->status);
    db_params_bool(params, synced);
    g_free(body);
    return ctl_query(ctl, lease, DB_STMT_CTL_TEMPLATE_PUT, params, NULL);
}

static int show(struct ctl *ctl, struct db_lease *lease, const char *endpoint)
{
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    db_params_uuid(params, endpoint);
    g_autoptr(db_rows) rows = NULL;
    int status = ctl_query(ctl, lease, DB_STMT_CTL_TEMPLATE_LIST, params, &rows);
    if (status == 0)
        ctl_show_list(ctl, rows, 0);
    return status;
}

static int template_list(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 0, 1);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    g_auto(ctl_endpoint) endpoint = {0};
    if (lease == NULL || (argc > 0 && (status = ctl_endpoint_load(ctl, lease, argv[0], &endpoint)) != 0))
        return status;
    return show(ctl, lease, endpoint.id);
}

/* ---- add ---- */

static int template_add(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *language = NULL, *text = NULL;
    const GOptionEntry options[] = {
        {"language", 0, 0, G_OPTION_ARG_STRING, &language, "as the provider names it (default en_US)", "CODE"},
        {"text", 0, 0, G_OPTION_ARG_STRING, &text, "what it says, with {{1}} for each variable", "TEXT"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 2, 2);
    if (status != 0)
        return status;
    if (text == NULL)
        return ctl_fail(CTL_USAGE, "template add: --text is needed: how many variables it has stands there");
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    g_auto(ctl_endpoint) endpoint = {0};
    if (lease == NULL || (status = ctl_endpoint_load(ctl, lease, argv[0], &endpoint)) != 0)
        return status;
    json_t *places = json_array();
    template_add_places(places, "body", text);
    struct channel_template_info info = {
        .name = argv[1], .language = language != NULL ? language : (char *)"en_US", .status = (char *)"approved",
        .body = json_pack("{s:s, s:o}", "text", text, "places", places)};
    if (info.body == NULL)
        return ctl_fail(CTL_USAGE, "the text is not valid Unicode");
    status = put(ctl, lease, endpoint.id, &info, false);
    if (status == 0)
        status = ctl_audit(ctl, lease, "template.add", endpoint.id, info.body);
    json_decref(info.body);
    if (status != 0 || (status = show(ctl, lease, endpoint.id)) != 0)
        return status;
    return ctl_commit(lease);
}

/* ---- sync ---- */

static int fetch_page(struct http_client *client, const struct channel_endpoint *endpoint, GPtrArray *templates, char **cursor,
                      GError **error)
{
    g_auto(channel_request_t) request;
    channel_request_init(&request);
    if (endpoint->ops->build_templates(*cursor, endpoint, &request, error) != 0)
        return -1;
    g_clear_pointer(cursor, g_free);
    struct http_response *response = ctl_endpoint_ask(client, endpoint, &request);
    int result = endpoint->ops->parse_templates(response, templates, cursor, error);
    http_response_free(response);
    return result;
}

static int fetch_all(const struct channel_endpoint *endpoint, GPtrArray *templates, GError **error)
{
    struct http_client *client = http_client_new(NULL, error);
    g_autofree char *cursor = NULL;
    int result = client != NULL ? 0 : -1;
    for (guint page = 0; result == 0 && page < MAX_PAGES && (page == 0 || cursor != NULL); page++)
        result = fetch_page(client, endpoint, templates, &cursor, error);
    http_client_free(client, 0);
    return result;
}

static int store_all(struct ctl *ctl, struct db_lease *lease, const char *endpoint, const GPtrArray *templates)
{
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    db_params_uuid(params, endpoint);
    int status = ctl_query(ctl, lease, DB_STMT_CTL_TEMPLATE_FORGET, params, NULL);
    for (guint i = 0; status == 0 && i < templates->len; i++)
        status = put(ctl, lease, endpoint, templates->pdata[i], true);
    g_autoptr(json_t) detail = json_pack("{s:i}", "templates", (int)templates->len);
    return status != 0 ? status : ctl_audit(ctl, lease, "template.sync", endpoint, detail);
}

static int template_sync(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    g_auto(ctl_endpoint) row = {0};
    if (lease == NULL || (status = ctl_endpoint_load(ctl, lease, argv[0], &row)) != 0)
        return status;
    g_autoptr(GPtrArray) templates = g_ptr_array_new_with_free_func((GDestroyNotify)channel_template_info_free);
    g_autoptr(GError) error = NULL;
    struct channel_endpoint endpoint = {
        .account_id = ctl->account, .id = row.id, .channel = row.channel, .provider = row.provider,
        .address = row.address, .settings = row.settings, .ops = channel_find(row.provider)};
    if (endpoint.ops == NULL || endpoint.ops->build_templates == NULL)
        return ctl_fail(CTL_REFUSED, "%s has no list of templates; add them with: umpctl template add", row.provider);
    endpoint.secrets = ctl_endpoint_secrets(ctl, &row, &error);
    int result = endpoint.secrets != NULL ? fetch_all(&endpoint, templates, &error) : -1;
    endpoint_secrets_wipe(endpoint.secrets);
    if (result != 0)
        return ctl_fail(CTL_REFUSED, "%s", error->message);
    if ((status = store_all(ctl, lease, row.id, templates)) != 0 || (status = show(ctl, lease, row.id)) != 0)
        return status;
    return ctl_commit(lease);
}

const struct ctl_command ctl_template_commands[] = {
    {"template list", "[ENDPOINT]", "lists the templates that may be sent when free text may not", template_list},
    {"template add", "ENDPOINT NAME --text TEXT [--language CODE]", "adds one that the provider has approved", template_add},
    {"template sync", "ENDPOINT", "takes over the provider's list", template_sync},
    {NULL, NULL, NULL, NULL}};
