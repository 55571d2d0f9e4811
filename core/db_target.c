/* SPDX-License-Identifier: Apache-2.0 */
/* From the URI and our settings to the keywords of each host (FAILURES 6.2). */
#include "core/db_conn.h"
#include "core/db_internal.h"

#include <string.h>

struct pairs {
    GPtrArray *keywords, *values; /* both own their strings */
};

static void set(struct pairs *p, const char *keyword, const char *value)
{
    g_ptr_array_add(p->keywords, g_strdup(keyword));
    g_ptr_array_add(p->values, g_strdup(value));
}

static const char *given(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o->keyword; o++)
        if (!strcmp(o->keyword, keyword))
            return o->val && *o->val ? o->val : NULL;
    return NULL;
}

/* What the URI does not say. */
static const char *const defaults[][2] = {
    { "target_session_attrs", "read-write" },
    { "connect_timeout", "2" },
    { "keepalives", "1" },
    { "keepalives_idle", "10" },
    { "keepalives_interval", "3" },
    { "keepalives_count", "3" },
    { "tcp_user_timeout", "8000" },
    { "client_encoding", "UTF8" },
};

/* Statements of programs find their few rows by an index, whatever the statistics say at the moment: a queue
 * that was empty when its plan was made must not be walked by a plan for empty queues when it is full.  Joins are
 * made in the order in which they are written: what drives the statement first. */
static const char plans[] = " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off"
                            " -c enable_mergejoin=off -c join_collapse_limit=1 -c jit=off";

static char *session_settings(const struct db_options *options, const char *ours, const char *session)
{
    GString *s = g_string_new(ours);
    g_string_append_printf(s,
                           " -c statement_timeout=%u -c lock_timeout=%u -c idle_in_transaction_session_timeout=30000"
                           " -c TimeZone=UTC -c DateStyle=ISO -c bytea_output=hex -c standard_conforming_strings=on",
                           options->statement_timeout_ms, options->lock_timeout_ms);
    if (!options->no_writer)
        g_string_append(s, plans);
    if (options->clock_offset_us) {
        char seconds[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(seconds, sizeof seconds, "%.6f", (double)options->clock_offset_us / G_USEC_PER_SEC);
        g_string_append_printf(s, " -c ump.clock_offset=PT%sS", seconds);
    }
    if (session)
        g_string_append_printf(s, " %s", session);
    return g_string_free(s, FALSE);
}

static struct db_host *host_new(const struct db_options *options, const PQconninfoOption *uri, const char *session,
                                const char *host, const char *hostaddr, const char *port)
{
    struct pairs p = { g_ptr_array_new(), g_ptr_array_new() };
    for (const PQconninfoOption *o = uri; o->keyword; o++)
        if (o->val && *o->val && strcmp(o->keyword, "host") && strcmp(o->keyword, "hostaddr") &&
            strcmp(o->keyword, "port") && strcmp(o->keyword, "options"))
            set(&p, o->keyword, o->val);
    for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++)
        if (!given(uri, defaults[i][0]))
            set(&p, defaults[i][0], defaults[i][1]);
    if (host)
        set(&p, "host", host);
    if (hostaddr)
        set(&p, "hostaddr", hostaddr);
    if (port)
        set(&p, "port", port);
    if (options->user && !given(uri, "user"))
        set(&p, "user", options->user);
    if (options->application && !given(uri, "application_name"))
        set(&p, "application_name", options->application);
    const char *own = given(uri, "options");
    g_autofree char *settings = session_settings(options, own ? own : "", session);
    set(&p, "options", settings);
    g_ptr_array_add(p.keywords, NULL);
    g_ptr_array_add(p.values, NULL);
    struct db_host *h = g_new(struct db_host, 1);
    h->keywords = (const char **)g_ptr_array_free(p.keywords, FALSE);
    h->values = (char **)g_ptr_array_free(p.values, FALSE);
    return h;
}

static void host_free(void *data)
{
    struct db_host *host = data;
    g_strfreev((char **)host->keywords);
    g_strfreev(host->values);
    g_free(host);
}

/* The i-th of a comma-separated list; a list of one serves all. */
static const char *nth(char **list, guint i)
{
    guint n = list ? g_strv_length(list) : 0;
    const char *word = !n ? NULL : n == 1 ? list[0] : i < n ? list[i] : NULL;
    return word && *word ? word : NULL;
}

static char **list_of(const PQconninfoOption *uri, const char *keyword)
{
    const char *value = given(uri, keyword);
    return value ? g_strsplit(value, ",", -1) : NULL;
}

struct db_target *db_target_new(const struct db_options *options, const char *session, GError **error)
{
    char *message = NULL;
    PQconninfoOption *uri = PQconninfoParse(options->uri ? options->uri : "", &message);
    if (!uri) {
        g_set_error(error, DB_ERROR, DB_ERROR_CONNECTION, "database uri: %s", g_strchomp(message));
        PQfreemem(message);
        return NULL;
    }
    g_auto(GStrv) hosts = list_of(uri, "host"), addresses = list_of(uri, "hostaddr"), ports = list_of(uri, "port");
    guint n = MAX(1, MAX(hosts ? g_strv_length(hosts) : 0, addresses ? g_strv_length(addresses) : 0));
    struct db_target *target = g_new(struct db_target, 1);
    target->hosts = g_ptr_array_new_with_free_func(host_free);
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(target->hosts, host_new(options, uri, session, nth(hosts, i), nth(addresses, i), nth(ports, i)));
    PQconninfoFree(uri);
    return target;
}

void db_target_free(struct db_target *target)
{
    if (!target)
        return;
    g_ptr_array_unref(target->hosts);
    g_free(target);
}
