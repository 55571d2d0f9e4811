/* SPDX-License-Identifier: Apache-2.0 */
/* Machine senders: programs that may send reminders and alerts, with caps of their own. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

/* "200/h" → count and interval for SQL. */
static bool parse_rate(const char *text, int *count, const char **per)
{
    static const struct {
        const char *unit, *interval;
    } units[] = {{"min", "1 minute"}, {"m", "1 minute"}, {"h", "1 hour"}, {"hour", "1 hour"}, {"d", "1 day"}, {"day", "1 day"}};
    char *end = NULL;
    gint64 n = g_ascii_strtoll(text, &end, 10);
    if (n < 1 || n > 1000000 || *end != '/')
        return false;
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (strcmp(end + 1, units[i].unit) == 0) {
            *count = (int)n;
            *per = units[i].interval;
            return true;
        }
    return false;
}

static bool is_network(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    unsigned char address[16];
    char *end = NULL;
    bool v4 = inet_pton(AF_INET, parts[0], address) == 1, v6 = !v4 && inet_pton(AF_INET6, parts[0], address) == 1;
    if (parts[1] == NULL)
        return v4 || v6;
    gint64 bits = g_ascii_strtoll(parts[1], &end, 10);
    return (v4 || v6) && *parts[1] != '\0' && *end == '\0' && bits >= 0 && bits <= (v4 ? 32 : 128);
}

static int sender_add(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *login = NULL, *net = NULL, *endpoint = NULL, *rate = NULL;
    gint uid = -1;
    gboolean subject_first = FALSE;
    const GOptionEntry options[] = {
        {"login", 0, 0, G_OPTION_ARG_STRING, &login, "it authenticates as LOGIN", "LOGIN"},
        {"net", 0, 0, G_OPTION_ARG_STRING, &net, "it connects from this network, unauthenticated", "CIDR"},
        {"local-uid", 0, 0, G_OPTION_ARG_INT, &uid, "it submits with sendmail(1) as this user", "UID"},
        {"endpoint", 0, 0, G_OPTION_ARG_STRING, &endpoint, "what it sends leaves from here", "ENDPOINT"},
        {"rate", 0, 0, G_OPTION_ARG_STRING, &rate, "its cap, e.g. 200/h (default), 10/min, 1000/d", "N/UNIT"},
        {"subject-first", 0, 0, G_OPTION_ARG_NONE, &subject_first, "the Subject is the first line of the text", NULL},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 0, 0);
    if (status != 0)
        return status;
    int count = 200;
    const char *per = "1 hour";
    if ((login != NULL) + (net != NULL) + (uid >= 0) != 1)
        return ctl_fail(CTL_USAGE, "sender add: name it by exactly one of --login, --net, --local-uid");
    if (endpoint == NULL)
        return ctl_fail(CTL_USAGE, "sender add: --endpoint is needed");
    if (rate != NULL && !parse_rate(rate, &count, &per))
        return ctl_fail(CTL_USAGE, "--rate takes N/min, N/h or N/d, not \"%s\"", rate);
    if (net != NULL && !is_network(net))
        return ctl_fail(CTL_USAGE, "--net takes an address or network like 192.0.2.0/24, not \"%s\"", net);
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    g_autofree char *id = NULL;
    if (lease == NULL || (status = ctl_find(ctl, lease, DB_STMT_CTL_ENDPOINT_FIND, endpoint, "endpoint", &id)) != 0)
        return status;
    struct db_params *params = ctl_params(ctl, lease);
    db_params_uuid(params, id);
    db_params_text(params, login);
    db_params_text(params, net);
    if (uid >= 0)
        db_params_int(params, uid);
    else
        db_params_null(params);
    db_params_int(params, count);
    db_params_text(params, per);
    db_params_bool(params, subject_first);
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_SENDER_ADD, params, &rows)) != 0)
        return status;
    params = ctl_params(ctl, lease);
    db_params_uuid(params, db_rows_text(rows, 0, 0));
    g_autoptr(db_rows) shown = NULL;
    if ((status = ctl_audit(ctl, lease, "sender.add", login != NULL ? login : net, NULL)) != 0 ||
        (status = ctl_query(ctl, lease, DB_STMT_CTL_SENDER_LIST, params, &shown)) != 0 || (status = ctl_commit(lease)) != 0)
        return status;
    ctl_show(ctl, shown, 0);
    return CTL_OK;
}

static int sender_list(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 0, 0);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    struct db_params *params = lease != NULL ? ctl_params(ctl, lease) : NULL;
    if (params == NULL)
        return lease == NULL ? status : CTL_REFUSED;
    db_params_null(params);
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_SENDER_LIST, params, &rows)) != 0)
        return status;
    ctl_show_list(ctl, rows, 0);
    return CTL_OK;
}

static int sender_remove(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    g_autofree char *id = NULL;
    if (lease == NULL || (status = ctl_find(ctl, lease, DB_STMT_CTL_SENDER_REMOVE, argv[0], "machine sender", &id)) != 0 ||
        (status = ctl_audit(ctl, lease, "sender.remove", argv[0], NULL)) != 0)
        return status;
    return ctl_commit(lease);
}

const struct ctl_command ctl_sender_commands[] = {
    {"sender add", "--login L|--net CIDR|--local-uid N --endpoint E [--rate 200/h] [--subject-first]", "declares a machine sender", sender_add},
    {"sender list", "", "lists them", sender_list},
    {"sender remove", "SENDER", "removes one (by id, login, network or uid)", sender_remove},
    {NULL, NULL, NULL, NULL}};
