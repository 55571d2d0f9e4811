/* SPDX-License-Identifier: Apache-2.0 */
/* umpctl endpoint link: makes the gateway a device beside the user's phone.  He scans a QR code with it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bridge/channels/channel.h"
#include "core/cleanup.h"
#include "core/endpoint_settings.h"
#include "core/http_client.h"
#include "ctl/ctl.h"
#include "ctl/endpoint.h"
#include "ctl/qr.h"

static const struct channel_ops *linker_of(const char *channel)
{
    for (const struct channel_ops *const *ops = channels; *ops != NULL; ops++)
        if ((*ops)->build_link != NULL && channel_capabilities_of(*ops, channel) != NULL)
            return *ops;
    return NULL;
}

/* One step: asks, and reads the answer. */
static int step(struct http_client *client, const struct channel_endpoint *endpoint, const char *uri, char **new_uri, char **number)
{
    g_auto(channel_request_t) request;
    g_autoptr(GError) error = NULL;
    channel_request_init(&request);
    if (endpoint->ops->build_link(endpoint, uri, &request, &error) != 0)
        return ctl_fail_error("endpoint link", error);
    struct http_response *response = ctl_endpoint_ask(client, endpoint, &request);
    int status = CTL_OK;
    if (response->curl_code != 0)
        status = ctl_fail(CTL_TEMPORARY, uri == NULL ? "%s does not answer: %s" : "nobody has scanned the code (%s: %s)", request.url, response->error);
    else if (endpoint->ops->parse_link(response, endpoint, new_uri, number, &error) != 0)
        status = ctl_fail(CTL_REFUSED, "%s", error->message);
    http_response_free(response);
    return status;
}

static void show_code(const char *uri)
{
    g_autofree char *code = qr_text(uri, isatty(STDERR_FILENO) == 1);
    if (code != NULL)
        fputs(code, stderr);
    g_autofree char *shown = ctl_safe(uri, true);
    fprintf(stderr, "%s\n\nOn the phone: Signal, Settings, Linked devices, Link new device; scan the code within two minutes.\n", shown);
}

static int link_account(const struct channel_endpoint *endpoint, char **number)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *uri = NULL, *none = NULL, *again = NULL;
    struct http_client *client = http_client_new(NULL, &error);
    if (client == NULL)
        return ctl_fail_error("endpoint link", error);
    int status = step(client, endpoint, NULL, &uri, &none);
    if (status == CTL_OK && uri == NULL)
        status = ctl_fail(CTL_REFUSED, "%s gave nothing to scan", endpoint->ops->provider);
    if (status == CTL_OK) {
        show_code(uri);
        status = step(client, endpoint, uri, &again, number);
    }
    http_client_free(client, 0);
    return status;
}

/* The endpoint at once, by the words of `endpoint add`. */
static int add(struct ctl *ctl, const struct channel_endpoint *endpoint, const char *number, const char *owner, char **set)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_ptr_array_add(words, endpoint->channel);
    g_ptr_array_add(words, endpoint->provider);
    g_ptr_array_add(words, (gpointer)(uintptr_t)number);
    g_ptr_array_add(words, (gpointer)(uintptr_t)"--owner");
    g_ptr_array_add(words, (gpointer)(uintptr_t)owner);
    for (char **word = set; word != NULL && *word != NULL; word++) {
        g_ptr_array_add(words, (gpointer)(uintptr_t)"--set");
        g_ptr_array_add(words, *word);
    }
    int count = (int)words->len;
    g_ptr_array_add(words, NULL);
    return ctl_endpoint_add(ctl, count, (char **)words->pdata);
}

static int read_settings(char **set, json_t *settings)
{
    for (char **word = set; word != NULL && *word != NULL; word++) {
        g_autofree char *key = NULL;
        g_autoptr(GError) error = NULL;
        const char *text;
        if (!ctl_key_value(*word, &key, &text))
            return ctl_fail(CTL_USAGE, "--set takes KEY=VALUE, not \"%s\"", *word);
        json_t *value = endpoint_setting_parse(key, text, &error);
        if (value == NULL)
            return ctl_fail(CTL_USAGE, "%s", error->message);
        json_object_set_new(settings, key, value);
    }
    return 0;
}

static void show_number(struct ctl *ctl, const char *number)
{
    g_autoptr(json_t) record = json_pack("{s:s, s:s?}", "result", "linked", "number", number);
    ctl_show_json(ctl, record);
}

/* Of a channel: a new account; of an endpoint: its own, again. */
static int link_named(struct ctl *ctl, const char *name, const char *owner, char **set)
{
    g_auto(ctl_endpoint) row = {0};
    g_autoptr(json_t) settings = json_object();
    g_autofree char *number = NULL;
    struct channel_endpoint endpoint = {.ops = linker_of(name), .channel = (char *)(uintptr_t)name, .address = (char *)(uintptr_t)"", .settings = settings};
    int status = read_settings(set, settings);
    if (status != 0)
        return status;
    if (endpoint.ops == NULL) {
        g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
        if (lease == NULL || (status = ctl_endpoint_load(ctl, lease, name, &row)) != 0)
            return status;
        endpoint = (struct channel_endpoint){.id = row.id, .channel = row.channel, .provider = row.provider, .address = row.address,
                                             .settings = row.settings, .ops = channel_find(row.provider)};
        if (endpoint.ops == NULL || endpoint.ops->build_link == NULL)
            return ctl_fail(CTL_REFUSED, "accounts of %s are not linked by a code", row.provider);
    } else {
        endpoint.provider = (char *)(uintptr_t)endpoint.ops->provider;
        if (json_object_get(settings, "base_url") == NULL)
            json_object_set_new(settings, "base_url", json_string(endpoint.ops->base_url));
    }
    if ((status = link_account(&endpoint, &number)) != 0)
        return status;
    if (row.id != NULL && number != NULL && strcmp(number, row.address) != 0)
        return ctl_fail(CTL_REFUSED, "%s was linked, but the endpoint is %s: scan with that phone", number, row.address);
    if (owner == NULL || number == NULL) {
        show_number(ctl, number);
        return CTL_OK;
    }
    return add(ctl, &endpoint, number, owner, set);
}

int ctl_endpoint_link(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *owner = NULL;
    g_auto(GStrv) set = NULL;
    const GOptionEntry options[] = {
        {"owner", 0, 0, G_OPTION_ARG_STRING, &owner, "adds the endpoint for this user, or team:NAME", "OWNER"},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &set, "a setting: base_url, where it is not the usual one (repeat)", "KEY=VALUE"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autofree char *name = g_strdup(argv[0]);
    return link_named(ctl, name, owner, set);
}
