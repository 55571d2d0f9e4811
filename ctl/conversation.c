/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations, search, and the trace of one message. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "ctl/ctl.h"

static int conversation_list(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *owner = NULL, *channel = NULL, *state = NULL;
    gint limit = 50;
    const GOptionEntry options[] = {
        {"owner", 0, 0, G_OPTION_ARG_STRING, &owner, "of this user, or team:NAME", "OWNER"},
        {"channel", 0, 0, G_OPTION_ARG_STRING, &channel, "only of this channel (mail, sms …)", "CHANNEL"},
        {"status", 0, 0, G_OPTION_ARG_STRING, &state, "open, assigned, snoozed or closed", "STATUS"},
        {"limit", 0, 0, G_OPTION_ARG_INT, &limit, "at most so many, newest first (default 50)", "N"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 0, 0);
    if (status != 0 || (status = ctl_check_limit(limit)) != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    g_autofree char *id = NULL;
    if (lease == NULL)
        return status;
    if (owner != NULL) {
        bool team = g_str_has_prefix(owner, "team:");
        status = ctl_find(ctl, lease, team ? DB_STMT_CTL_TEAM_ID : DB_STMT_CTL_USER_ID, team ? owner + 5 : owner, team ? "team" : "user", &id);
        if (status != 0)
            return status;
    }
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    db_params_uuid(params, id);
    db_params_text(params, channel);
    db_params_text(params, state);
    db_params_int(params, limit);
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_CONVERSATION_LIST, params, &rows)) != 0)
        return status;
    ctl_show_list(ctl, rows, 0);
    return CTL_OK;
}

static int conversation_show(struct ctl *ctl, int argc, char **argv)
{
    gint limit = 200;
    const GOptionEntry options[] = {{"limit", 0, 0, G_OPTION_ARG_INT, &limit, "the newest N messages (default 200)", "N"}, G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0 || (status = ctl_check_limit(limit)) != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    g_autofree char *id = NULL;
    if (lease == NULL || (status = ctl_find(ctl, lease, DB_STMT_CTL_CONVERSATION_FIND, argv[0], "conversation or message", &id)) != 0)
        return status;
    struct db_params *params = ctl_params(ctl, lease);
    db_params_uuid(params, id);
    db_params_int(params, limit);
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_CONVERSATION_SHOW, params, &rows)) != 0)
        return status;
    ctl_show(ctl, rows, 0);
    return CTL_OK;
}

static int search(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *user = NULL;
    gint limit = 50;
    const GOptionEntry options[] = {
        {"user", 0, 0, G_OPTION_ARG_STRING, &user, "in what this user may read", "USER"},
        {"limit", 0, 0, G_OPTION_ARG_INT, &limit, "at most so many, newest first (default 50)", "N"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, -1);
    if (status != 0 || (status = ctl_check_limit(limit)) != 0)
        return status;
    if (user == NULL)
        return ctl_fail(CTL_USAGE, "search: --user is needed: one sees what that user sees");
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    g_autofree char *id = NULL;
    if (lease == NULL || (status = ctl_find(ctl, lease, DB_STMT_CTL_USER_ID, user, "user", &id)) != 0)
        return status;
    g_autofree char *words = g_strjoinv(" ", argv);
    struct db_params *params = ctl_params(ctl, lease);
    db_params_text(params, words);
    db_params_uuid(params, id);
    db_params_int(params, limit);
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_SEARCH, params, &rows)) != 0)
        return status;
    ctl_show_list(ctl, rows, 0);
    return CTL_OK;
}

/* "12:03:04.512  +3.1 ms  request to +1555…  accepted  {…}" */
static void print_trace(const struct db_rows *rows)
{
    gint64 first = 0, last = 0;
    for (unsigned r = 0; r < db_rows_count(rows); r++) {
        g_autoptr(json_t) event = json_loads(db_rows_text(rows, r, 0), 0, NULL);
        const char *at = json_string_value(json_object_get(event, "at"));
        gint64 us = 0;
        g_autoptr(GDateTime) when = at != NULL ? g_date_time_new_from_iso8601(at, NULL) : NULL;
        if (when != NULL)
            us = g_date_time_to_unix(when) * G_USEC_PER_SEC + g_date_time_get_microsecond(when);
        if (first == 0) {
            first = last = us;
            g_autofree char *day = when != NULL ? g_date_time_format(when, "%Y-%m-%d %H:%M:%S UTC") : NULL;
            printf("begins %s\n", day != NULL ? day : "?");
        }
        GString *detail = g_string_new(NULL);
        const char *key;
        json_t *value;
        json_object_foreach(json_object_get(event, "detail"), key, value) {
            char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | CTL_REALS);
            g_string_append_printf(detail, " %s=%s", key, text);
            g_free(text);
        }
        g_autofree char *what = ctl_safe(json_string_value(json_object_get(event, "what")), true);
        g_autofree char *state = ctl_safe(json_string_value(json_object_get(event, "status")), true);
        g_autofree char *told = ctl_safe(detail->str, true);
        printf("%10.1f ms  %+9.1f  %-28s %-10s%s\n", (double)(us - first) / 1000, (double)(us - last) / 1000, what, state, told);
        g_string_free(detail, TRUE);
        last = us;
    }
}

static int trace(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    if (lease == NULL)
        return status;
    struct db_params *params = db_params_new();
    db_params_text(params, argv[0]);
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_TRACE, params, &rows)) != 0)
        return status;
    if (db_rows_count(rows) == 0)
        return ctl_fail(CTL_REFUSED, "nothing is known of %s (give our id, the provider's, or the mail's Message-ID)", argv[0]);
    if (ctl->json)
        ctl_show_list(ctl, rows, 0);
    else
        print_trace(rows);
    return CTL_OK;
}

const struct ctl_command ctl_conversation_commands[] = {
    {"conversation list", "[--owner OWNER] [--channel CHANNEL] [--status STATUS] [--limit N]", "lists conversations", conversation_list},
    {"conversation show", "ID [--limit N]", "shows one with its messages (by its id, or any message's)", conversation_show},
    {"search", "WORD… --user USER [--limit N]", "finds messages by their words", search},
    {"trace", "ID", "everything that happened to one message, in order", trace},
    {NULL, NULL, NULL, NULL}};
