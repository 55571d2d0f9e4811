/* SPDX-License-Identifier: Apache-2.0 */
/* The context of one run: options, database, errors. */
#include "ctl/ctl.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cleanup.h"

int ctl_fail(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = ctl_safe(text, false);
    fprintf(stderr, "umpctl: %s\n", safe);
    return status;
}

int ctl_fail_error(const char *what, const GError *error)
{
    int status = error->domain == DB_ERROR && db_error_is_temporary(error) ? CTL_TEMPORARY : CTL_REFUSED;
    return what != NULL ? ctl_fail(status, "%s: %s", what, error->message) : ctl_fail(status, "%s", error->message);
}

static const struct ctl_command *command_named(const char *name)
{
    for (guint t = 0; ctl_commands[t] != NULL; t++)
        for (const struct ctl_command *c = ctl_commands[t]; c->name != NULL; c++)
            if (strcmp(c->name, name) == 0)
                return c;
    return NULL;
}

static int usage(struct ctl *ctl, const char *why)
{
    const struct ctl_command *command = command_named(ctl->command);
    if (why != NULL)
        fprintf(stderr, "umpctl %s: %s\n", ctl->command, why);
    fprintf(stderr, "usage: umpctl %s %s\n", command->name, command->arguments);
    return CTL_USAGE;
}

int ctl_options(struct ctl *ctl, const GOptionEntry *entries, int *argc, char ***argv, int min, int max)
{
    const GOptionEntry common[] = {
        {"json", 'j', 0, G_OPTION_ARG_NONE, &ctl->json, "print JSON", NULL},
        {"account", 0, 0, G_OPTION_ARG_STRING, &ctl->account_name, "the account (tenant)", "NAME"},
        G_OPTION_ENTRY_NULL};
    const struct ctl_command *command = command_named(ctl->command);
    GOptionContext *context = g_option_context_new(command->arguments);
    g_autofree char *summary = g_strdup_printf("umpctl %s: %s", command->name, command->summary);
    g_option_context_set_summary(context, summary);
    if (entries != NULL)
        g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_main_entries(context, common, NULL);
    /* GLib reads the program's name in front */
    int n = *argc + 1;
    static char **all; /* what argv will point into, for the rest of this short run */
    g_free(all);
    all = g_new0(char *, n + 1);
    all[0] = (char *)"umpctl";
    memcpy(all + 1, *argv, (size_t)*argc * sizeof *all);
    g_autoptr(GError) error = NULL;
    bool ok = g_option_context_parse(context, &n, &all, &error);
    g_option_context_free(context);
    if (!ok)
        return usage(ctl, error->message);
    if (n > 1 && strcmp(all[1], "--") == 0) {
        memmove(all + 1, all + 2, (size_t)(n - 1) * sizeof *all);
        n--;
    }
    *argc = n - 1;
    *argv = all + 1;
    if (*argc < min || (max >= 0 && *argc > max))
        return usage(ctl, *argc < min ? "too few arguments" : "too many arguments");
    return 0;
}

struct db *ctl_db(struct ctl *ctl)
{
    if (ctl->db != NULL)
        return ctl->db;
    const char *uri = config_get_string(ctl->config, "ctl", "database_uri");
    struct db_options options = {
        .uri = uri != NULL ? uri : config_get_string(ctl->config, "database", "uri"),
        .user = uri != NULL ? NULL : "ump",
        .application = "umpctl",
        .pool_size = 2,
        .statement_timeout_ms = 600000,
        .no_writer = true,
    };
    g_autoptr(GError) error = NULL;
    ctl->db = db_open(&options, &error);
    if (ctl->db == NULL)
        ctl_fail_error("[ctl] database_uri", error);
    return ctl->db;
}

struct db_lease *ctl_lease(struct ctl *ctl, enum db_lease_mode mode, int *status)
{
    g_autoptr(GError) error = NULL;
    struct db *db = ctl_db(ctl);
    *status = CTL_TEMPORARY;
    if (db == NULL)
        return NULL;
    struct db_lease *lease = db_lease(db, mode, 0, 5000, &error);
    if (lease == NULL)
        *status = ctl_fail_error("the database does not answer", error);
    return lease;
}

int ctl_query(struct ctl *ctl, struct db_lease *lease, unsigned stmt, struct db_params *params, struct db_rows **rows)
{
    g_autoptr(GError) error = NULL;
    if (db_query(lease, stmt, params, rows, &error) == 0)
        return 0;
    if (g_error_matches(error, DB_ERROR, DB_ERROR_UNIQUE))
        return ctl_fail(CTL_REFUSED, "%s: it exists already", ctl->command);
    return ctl_fail_error(ctl->command, error);
}

int ctl_commit(struct db_lease *lease)
{
    g_autoptr(GError) error = NULL;
    return db_commit(lease, &error) == 0 ? CTL_OK : ctl_fail_error("not stored", error);
}

struct db_params *ctl_params(struct ctl *ctl, struct db_lease *lease)
{
    if (ctl->account == 0) {
        struct db_params *params = db_params_new();
        db_params_text(params, ctl->account_name);
        g_autoptr(db_rows) rows = NULL;
        if (ctl_query(ctl, lease, DB_STMT_CTL_ACCOUNT_OF, params, &rows) != 0)
            return NULL;
        if (db_rows_count(rows) == 0) {
            ctl_fail(CTL_REFUSED, ctl->account_name != NULL ? "no such account: %s"
                     : "there is no account%s: make one with umpctl account add NAME --domain DOMAIN, or name it with --account",
                     ctl->account_name != NULL ? ctl->account_name : "");
            return NULL;
        }
        ctl->account = db_rows_int(rows, 0, 0);
    }
    struct db_params *params = db_params_new();
    db_params_int(params, ctl->account);
    return params;
}

int ctl_audit(struct ctl *ctl, struct db_lease *lease, const char *action, const char *object, const json_t *detail)
{
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    const struct passwd *who = getpwuid(getuid());
    g_autofree char *actor = g_strdup_printf("umpctl:%s", who != NULL ? who->pw_name : "?");
    char *text = detail != NULL ? json_dumps(detail, JSON_COMPACT) : NULL;
    db_params_text(params, actor);
    db_params_text(params, action);
    db_params_text(params, object);
    db_params_text(params, text);
    g_free(text);
    return ctl_query(ctl, lease, DB_STMT_CTL_AUDIT, params, NULL);
}

int ctl_find(struct ctl *ctl, struct db_lease *lease, unsigned stmt, const char *name, const char *what, char **id)
{
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    db_params_text(params, name);
    g_autoptr(db_rows) rows = NULL;
    int status = ctl_query(ctl, lease, stmt, params, &rows);
    if (status != 0)
        return status;
    if (db_rows_count(rows) == 0)
        return ctl_fail(CTL_REFUSED, "no such %s: %s", what, name);
    if (db_rows_count(rows) > 1)
        return ctl_fail(CTL_REFUSED, "%s names more than one %s; give its id", name, what);
    *id = db_rows_dup(rows, 0, 0);
    return 0;
}

int ctl_check_limit(int limit)
{
    return limit >= 1 ? 0 : ctl_fail(CTL_USAGE, "--limit takes 1 or more, not %d", limit);
}

bool ctl_key_value(const char *text, char **key, const char **value)
{
    const char *eq = strchr(text, '=');
    if (eq == NULL || eq == text)
        return false;
    *key = g_strndup(text, (gsize)(eq - text));
    *value = eq + 1;
    return true;
}
