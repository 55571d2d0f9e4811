/* SPDX-License-Identifier: Apache-2.0 */
/* umpctl stats: what endpoints did, day by day. */
#include <stdio.h>

#include "bridge/channels/channel.h"
#include "core/cleanup.h"
#include "core/endpoint_settings.h"
#include "ctl/ctl.h"

#define MAX_DAYS 3660

/* Under the table, in words: why messages failed. */
static void print_reasons(const json_t *records)
{
    size_t i;
    json_t *record, *count;
    const char *code;

    json_array_foreach(records, i, record) {
        json_object_foreach(json_object_get(record, "reasons"), code, count) {
            const char *provider = json_string_value(json_object_get(record, "provider"));
            const struct channel_error *error = channel_error_any(channel_find(provider), code);
            g_autofree char *endpoint = ctl_safe(json_string_value(json_object_get(record, "endpoint")), true);
            g_autofree char *told = ctl_safe(code, true);
            printf("%s %s: %" JSON_INTEGER_FORMAT " failed with %s%s%s\n", json_string_value(json_object_get(record, "day")),
                   endpoint, json_integer_value(count), told, error != NULL ? ": " : "", error != NULL ? error->reason : "");
        }
    }
}

static void show(struct ctl *ctl, const struct db_rows *rows)
{
    g_autoptr(json_t) records = json_array();

    for (unsigned r = 0; r < db_rows_count(rows); r++)
        json_array_append_new(records, json_loads(db_rows_text(rows, r, 0), 0, NULL));
    if (ctl->json) {
        ctl_show_json(ctl, records);
        return;
    }
    g_autoptr(json_t) table = json_deep_copy(records);
    for (size_t i = 0; i < json_array_size(table); i++)
        json_object_del(json_array_get(table, i), "reasons");
    ctl_show_json(ctl, table);
    print_reasons(records);
}

static int stats(struct ctl *ctl, int argc, char **argv)
{
    gint days = 7;
    g_autofree char *zone = NULL, *endpoint = NULL;
    const GOptionEntry options[] = {
        {"days", 0, 0, G_OPTION_ARG_INT, &days, "the last N days, today among them (default 7)", "N"},
        {"endpoint", 0, 0, G_OPTION_ARG_STRING, &endpoint, "of this one only", "ENDPOINT"},
        {"time-zone", 0, 0, G_OPTION_ARG_STRING, &zone, "where the days begin (default: the account's, else UTC)", "ZONE"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 0, 0);
    if (status != 0)
        return status;
    if (days < 1 || days > MAX_DAYS)
        return ctl_fail(CTL_USAGE, "--days takes 1 to %d, not %d", MAX_DAYS, days);
    if (zone != NULL && !endpoint_setting_zone_known(zone))
        return ctl_fail(CTL_USAGE, "%s is not a time zone that this machine knows (Europe/Berlin …)", zone);
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    if (lease == NULL)
        return status;
    g_autofree char *id = NULL;
    if (endpoint != NULL && (status = ctl_find(ctl, lease, DB_STMT_CTL_ENDPOINT_FIND, endpoint, "endpoint", &id)) != 0)
        return status;
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    const char *const ids[] = {id, NULL};
    db_params_int(params, days);
    db_params_text(params, zone);
    if (id != NULL)
        db_params_texts(params, ids);
    else
        db_params_null(params);
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_STATS, params, &rows)) != 0)
        return status;
    show(ctl, rows);
    return CTL_OK;
}

const struct ctl_command ctl_stats_commands[] = {
    {"stats", "[--days N] [--endpoint ENDPOINT] [--time-zone ZONE]",
     "per endpoint and day: received, sent, delivered, failed by reason, cost, how long it took", stats},
    {NULL, NULL, NULL, NULL}};
