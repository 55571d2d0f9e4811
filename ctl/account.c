/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts, users and teams. */
#include <string.h>

#include "core/cleanup.h"
#include "core/endpoint_settings.h"
#include "core/phone.h"
#include "ctl/ctl.h"

/* KEY=VALUE words → an object; "" is null: back to the default. */
static json_t *settings_of(char **words)
{
    g_autoptr(json_t) object = json_object();
    for (char **w = words; w != NULL && *w != NULL; w++) {
        g_autofree char *key = NULL;
        g_autoptr(GError) error = NULL;
        const char *text;
        if (!ctl_key_value(*w, &key, &text)) {
            ctl_fail(CTL_USAGE, "--set takes KEY=VALUE, not \"%s\"", *w);
            return NULL;
        }
        json_t *value = account_setting_parse(key, text, &error);
        if (value == NULL) {
            ctl_fail(CTL_USAGE, "%s", error->message);
            return NULL;
        }
        json_object_set_new(object, key, value);
    }
    return g_steal_pointer(&object);
}

static bool region_ok(const char *region)
{
    if (region == NULL || phone_region_known(region))
        return true;
    ctl_fail(CTL_USAGE, "%s is not a country known to the number library (two letters, e.g. US)", region);
    return false;
}

static int account_write(struct ctl *ctl, unsigned stmt, const char *name, char **domains, const char *region,
                         char **set, const char *what)
{
    g_autoptr(json_t) settings = settings_of(set);
    if (settings == NULL || !region_ok(region))
        return CTL_USAGE;
    int status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    if (lease == NULL)
        return status;
    char *text = json_dumps(settings, JSON_COMPACT);
    struct db_params *params = db_params_new();
    db_params_text(params, name);
    db_params_texts(params, (const char *const *)domains);
    db_params_text(params, region);
    db_params_text(params, text);
    g_free(text);
    if (stmt == DB_STMT_CTL_ACCOUNT_SET)
        db_params_text(params, what);
    g_autoptr(db_rows) rows = NULL;
    status = ctl_query(ctl, lease, stmt, params, &rows);
    if (status != 0)
        return status;
    if (db_rows_count(rows) == 0)
        return ctl_fail(CTL_REFUSED, "no such account: %s", name);
    ctl->account = db_rows_int(rows, 0, 0);
    if ((status = ctl_audit(ctl, lease, ctl->command, name, settings)) != 0 || (status = ctl_commit(lease)) != 0)
        return status;
    ctl_show(ctl, rows, 1);
    return CTL_OK;
}

static int account_add(struct ctl *ctl, int argc, char **argv)
{
    g_auto(GStrv) domains = NULL;
    g_auto(GStrv) set = NULL;
    g_autofree char *region = NULL;
    const GOptionEntry options[] = {
        {"domain", 0, 0, G_OPTION_ARG_STRING_ARRAY, &domains, "a mail domain of it (repeat)", "DOMAIN"},
        {"region", 0, 0, G_OPTION_ARG_STRING, &region, "country of numbers without one (default: [gateway] region)", "CC"},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &set, "a setting (repeat)", "KEY=VALUE"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    char *none[] = {NULL};
    return account_write(ctl, DB_STMT_CTL_ACCOUNT_ADD, argv[0], domains != NULL ? domains : none,
                         region != NULL ? region : config_get_string(ctl->config, "gateway", "region"), set, NULL);
}

static int account_set(struct ctl *ctl, int argc, char **argv)
{
    g_auto(GStrv) domains = NULL;
    g_auto(GStrv) set = NULL;
    g_autofree char *region = NULL;
    gboolean disable = FALSE, enable = FALSE;
    const GOptionEntry options[] = {
        {"domain", 0, 0, G_OPTION_ARG_STRING_ARRAY, &domains, "its mail domains, all of them (repeat)", "DOMAIN"},
        {"region", 0, 0, G_OPTION_ARG_STRING, &region, "country of numbers without one", "CC"},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &set, "a setting; an empty value removes it (repeat)", "KEY=VALUE"},
        {"disable", 0, 0, G_OPTION_ARG_NONE, &disable, "nothing is sent or received for it", NULL},
        {"enable", 0, 0, G_OPTION_ARG_NONE, &enable, "the opposite", NULL},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    return account_write(ctl, DB_STMT_CTL_ACCOUNT_SET, argv[0], domains, region, set,
                         disable ? "disable" : enable ? "enable" : NULL);
}

static int account_list(struct ctl *ctl, int argc, char **argv)
{
    bool one = strcmp(ctl->command, "account show") == 0;
    int status = ctl_options(ctl, NULL, &argc, &argv, one ? 1 : 0, one ? 1 : 0);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    if (lease == NULL)
        return status;
    struct db_params *params = db_params_new();
    db_params_text(params, one ? argv[0] : NULL);
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_ACCOUNT_LIST, params, &rows)) != 0)
        return status;
    if (!one)
        ctl_show_list(ctl, rows, 0);
    else if (db_rows_count(rows) == 0)
        return ctl_fail(CTL_REFUSED, "no such account: %s", argv[0]);
    else
        ctl_show(ctl, rows, 0);
    return CTL_OK;
}

/* ---- lists of users and teams, one or all ---- */

static int show_one_or_all(struct ctl *ctl, struct db_lease *lease, unsigned stmt, const char *id)
{
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    db_params_uuid(params, id);
    g_autoptr(db_rows) rows = NULL;
    int status = ctl_query(ctl, lease, stmt, params, &rows);
    if (status != 0)
        return status;
    if (id == NULL)
        ctl_show_list(ctl, rows, 0);
    else
        ctl_show(ctl, rows, 0);
    return CTL_OK;
}

static int list(struct ctl *ctl, int argc, char **argv, unsigned find, unsigned stmt, const char *what)
{
    bool one = g_str_has_suffix(ctl->command, " show");
    int status = ctl_options(ctl, NULL, &argc, &argv, one ? 1 : 0, one ? 1 : 0);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    if (lease == NULL)
        return status;
    g_autofree char *id = NULL;
    if (one && (status = ctl_find(ctl, lease, find, argv[0], what, &id)) != 0)
        return status;
    return show_one_or_all(ctl, lease, stmt, id);
}

static int user_list(struct ctl *ctl, int argc, char **argv)
{
    return list(ctl, argc, argv, DB_STMT_CTL_USER_ID, DB_STMT_CTL_USER_LIST, "user");
}

static int team_list(struct ctl *ctl, int argc, char **argv)
{
    return list(ctl, argc, argv, DB_STMT_CTL_TEAM_ID, DB_STMT_CTL_TEAM_LIST, "team");
}

/* ---- users ---- */

static bool is_email(const char *text)
{
    const char *at = strrchr(text, '@');
    if (at != NULL && at != text && at[1] != '\0' && strpbrk(text, " \t<>,\"") == NULL)
        return true;
    ctl_fail(CTL_USAGE, "%s is not a mail address", text);
    return false;
}

static int user_add(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *name = NULL, *role = NULL, *region = NULL, *style = NULL;
    g_auto(GStrv) aliases = NULL;
    g_auto(GStrv) logins = NULL;
    const GOptionEntry options[] = {
        {"name", 0, 0, G_OPTION_ARG_STRING, &name, "as it stands in From", "NAME"},
        {"role", 0, 0, G_OPTION_ARG_STRING, &role, "owner, admin, agent (default) or auditor", "ROLE"},
        {"region", 0, 0, G_OPTION_ARG_STRING, &region, "country of numbers without one", "CC"},
        {"subject-style", 0, 0, G_OPTION_ARG_STRING, &style, "words (default), stable or private", "STYLE"},
        {"alias", 0, 0, G_OPTION_ARG_STRING_ARRAY, &aliases, "another address that he may write From (repeat)", "ADDRESS"},
        {"login", 0, 0, G_OPTION_ARG_STRING_ARRAY, &logins, "a login that is not his address (repeat)", "LOGIN"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0 || !is_email(argv[0]) || !region_ok(region))
        return CTL_USAGE;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    if (lease == NULL)
        return status;
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    const char *const none[] = {NULL};
    db_params_text(params, argv[0]);
    db_params_text(params, name);
    db_params_text(params, role);
    db_params_text(params, region);
    db_params_text(params, style);
    db_params_texts(params, aliases != NULL ? (const char *const *)aliases : none);
    db_params_texts(params, logins != NULL ? (const char *const *)logins : none);
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_USER_ADD, params, &rows)) != 0 ||
        (status = ctl_audit(ctl, lease, "user.add", argv[0], NULL)) != 0 || (status = ctl_commit(lease)) != 0)
        return status;
    ctl_show(ctl, rows, 1);
    return CTL_OK;
}

static int identifiers(struct ctl *ctl, struct db_lease *lease, unsigned stmt, const char *user, const char *kind,
                       char **values)
{
    for (char **v = values; v != NULL && *v != NULL; v++) {
        /* an alias may be bound to an endpoint: ADDRESS=ENDPOINT */
        g_auto(GStrv) parts = g_strsplit(*v, "=", 2);
        g_autofree char *endpoint = NULL;
        int status = 0;
        if (parts[0] != NULL && parts[1] != NULL &&
            (status = ctl_find(ctl, lease, DB_STMT_CTL_ENDPOINT_FIND, parts[1], "endpoint", &endpoint)) != 0)
            return status;
        struct db_params *params = ctl_params(ctl, lease);
        db_params_uuid(params, user);
        db_params_text(params, kind);
        db_params_text(params, parts[0]);
        if (stmt == DB_STMT_CTL_USER_IDENTIFIER_ADD)
            db_params_uuid(params, endpoint);
        g_autoptr(db_rows) rows = NULL;
        if ((status = ctl_query(ctl, lease, stmt, params, &rows)) != 0)
            return status;
        if (db_rows_count(rows) == 0)
            return ctl_fail(CTL_REFUSED, stmt == DB_STMT_CTL_USER_IDENTIFIER_ADD ? "%s belongs to another user"
                            : "%s is not an alias of this user (the primary address cannot be removed)", parts[0]);
    }
    return 0;
}

static int user_set(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *name = NULL, *role = NULL, *region = NULL, *style = NULL, *zone = NULL;
    g_auto(GStrv) aliases = NULL;
    g_auto(GStrv) logins = NULL;
    g_auto(GStrv) removed = NULL;
    gboolean disable = FALSE, enable = FALSE, segments = FALSE, no_segments = FALSE;
    const GOptionEntry options[] = {
        {"name", 0, 0, G_OPTION_ARG_STRING, &name, "as it stands in From", "NAME"},
        {"role", 0, 0, G_OPTION_ARG_STRING, &role, "owner, admin, agent or auditor", "ROLE"},
        {"region", 0, 0, G_OPTION_ARG_STRING, &region, "country of numbers without one", "CC"},
        {"subject-style", 0, 0, G_OPTION_ARG_STRING, &style, "words, stable or private", "STYLE"},
        {"alias", 0, 0, G_OPTION_ARG_STRING_ARRAY, &aliases, "add an address; =ENDPOINT: mail from it leaves there (repeat)", "ADDRESS[=ENDPOINT]"},
        {"login", 0, 0, G_OPTION_ARG_STRING_ARRAY, &logins, "add a login (repeat)", "LOGIN"},
        {"remove-alias", 0, 0, G_OPTION_ARG_STRING_ARRAY, &removed, "take an address away (repeat)", "ADDRESS"},
        {"time-zone", 0, 0, G_OPTION_ARG_STRING, &zone, "where his days begin (Europe/Berlin); an empty one: the account's", "ZONE"},
        {"report-segments", 0, 0, G_OPTION_ARG_NONE, &segments, "reports and previews name the number of SMS", NULL},
        {"no-report-segments", 0, 0, G_OPTION_ARG_NONE, &no_segments, "the opposite", NULL},
        {"disable", 0, 0, G_OPTION_ARG_NONE, &disable, "may send nothing", NULL},
        {"enable", 0, 0, G_OPTION_ARG_NONE, &enable, "the opposite", NULL},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0 || !region_ok(region))
        return CTL_USAGE;
    if (zone != NULL && *zone != '\0' && !endpoint_setting_zone_known(zone))
        return ctl_fail(CTL_USAGE, "%s is not a time zone that this machine knows (Europe/Berlin …)", zone);
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    g_autofree char *id = NULL;
    if (lease == NULL || (status = ctl_find(ctl, lease, DB_STMT_CTL_USER_ID, argv[0], "user", &id)) != 0)
        return status;
    struct db_params *params = ctl_params(ctl, lease);
    db_params_uuid(params, id);
    db_params_text(params, name);
    db_params_text(params, role);
    db_params_text(params, region);
    db_params_text(params, style);
    db_params_text(params, disable ? "disable" : enable ? "enable" : NULL);
    if (segments || no_segments)
        db_params_bool(params, segments);
    else
        db_params_null(params);
    db_params_text(params, zone);
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_USER_SET, params, NULL)) != 0 ||
        (status = identifiers(ctl, lease, DB_STMT_CTL_USER_IDENTIFIER_ADD, id, "email", aliases)) != 0 ||
        (status = identifiers(ctl, lease, DB_STMT_CTL_USER_IDENTIFIER_ADD, id, "login", logins)) != 0 ||
        (status = identifiers(ctl, lease, DB_STMT_CTL_USER_IDENTIFIER_REMOVE, id, "email", removed)) != 0 ||
        (status = ctl_audit(ctl, lease, "user.set", argv[0], NULL)) != 0 ||
        (status = show_one_or_all(ctl, lease, DB_STMT_CTL_USER_LIST, id)) != 0)
        return status;
    return ctl_commit(lease);
}

/* ---- teams ---- */

static int members(struct ctl *ctl, struct db_lease *lease, unsigned stmt, const char *team, char **users)
{
    for (char **u = users; u != NULL && *u != NULL; u++) {
        g_autofree char *id = NULL;
        int status = ctl_find(ctl, lease, DB_STMT_CTL_USER_ID, *u, "user", &id);
        if (status != 0)
            return status;
        struct db_params *params = ctl_params(ctl, lease);
        db_params_uuid(params, team);
        db_params_uuid(params, id);
        if ((status = ctl_query(ctl, lease, stmt, params, NULL)) != 0)
            return status;
    }
    return 0;
}

static int team_add(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *mailbox = NULL, *name = NULL;
    g_auto(GStrv) users = NULL;
    const GOptionEntry options[] = {
        {"mailbox", 0, 0, G_OPTION_ARG_STRING, &mailbox, "its mail address", "ADDRESS"},
        {"name", 0, 0, G_OPTION_ARG_STRING, &name, "as it stands in From", "NAME"},
        {"member", 0, 0, G_OPTION_ARG_STRING_ARRAY, &users, "a user who belongs to it (repeat)", "USER"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    if (mailbox == NULL)
        return ctl_fail(CTL_USAGE, "team add: --mailbox ADDRESS is needed: what arrives for the team is delivered there");
    if (!is_email(mailbox))
        return CTL_USAGE;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    struct db_params *params = lease != NULL ? ctl_params(ctl, lease) : NULL;
    if (params == NULL)
        return lease == NULL ? status : CTL_REFUSED;
    db_params_text(params, argv[0]);
    db_params_text(params, mailbox);
    db_params_text(params, name);
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_TEAM_ADD, params, &rows)) != 0)
        return status;
    g_autofree char *id = db_rows_dup(rows, 0, 0);
    if ((status = members(ctl, lease, DB_STMT_CTL_TEAM_MEMBER_ADD, id, users)) != 0 ||
        (status = ctl_audit(ctl, lease, "team.add", argv[0], NULL)) != 0 ||
        (status = show_one_or_all(ctl, lease, DB_STMT_CTL_TEAM_LIST, id)) != 0)
        return status;
    return ctl_commit(lease);
}

static int team_set(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *mailbox = NULL, *name = NULL;
    g_auto(GStrv) users = NULL;
    g_auto(GStrv) gone = NULL;
    const GOptionEntry options[] = {
        {"mailbox", 0, 0, G_OPTION_ARG_STRING, &mailbox, "its mail address", "ADDRESS"},
        {"name", 0, 0, G_OPTION_ARG_STRING, &name, "as it stands in From", "NAME"},
        {"member", 0, 0, G_OPTION_ARG_STRING_ARRAY, &users, "add a user (repeat)", "USER"},
        {"remove-member", 0, 0, G_OPTION_ARG_STRING_ARRAY, &gone, "take a user away (repeat)", "USER"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0 || (mailbox != NULL && !is_email(mailbox)))
        return CTL_USAGE;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    g_autofree char *id = NULL;
    if (lease == NULL || (status = ctl_find(ctl, lease, DB_STMT_CTL_TEAM_ID, argv[0], "team", &id)) != 0)
        return status;
    struct db_params *params = ctl_params(ctl, lease);
    db_params_uuid(params, id);
    db_params_text(params, name);
    db_params_text(params, mailbox);
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_TEAM_SET, params, NULL)) != 0 ||
        (status = members(ctl, lease, DB_STMT_CTL_TEAM_MEMBER_ADD, id, users)) != 0 ||
        (status = members(ctl, lease, DB_STMT_CTL_TEAM_MEMBER_REMOVE, id, gone)) != 0 ||
        (status = ctl_audit(ctl, lease, "team.set", argv[0], NULL)) != 0 ||
        (status = show_one_or_all(ctl, lease, DB_STMT_CTL_TEAM_LIST, id)) != 0)
        return status;
    return ctl_commit(lease);
}

static int team_remove(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    g_autofree char *id = NULL;
    if (lease == NULL || (status = ctl_find(ctl, lease, DB_STMT_CTL_TEAM_ID, argv[0], "team", &id)) != 0)
        return status;
    struct db_params *params = ctl_params(ctl, lease);
    db_params_uuid(params, id);
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_TEAM_REMOVE, params, &rows)) != 0)
        return status;
    if (db_rows_count(rows) == 0)
        return ctl_fail(CTL_REFUSED, "team %s owns endpoints; give them another owner first (umpctl endpoint set ENDPOINT --owner …)", argv[0]);
    if ((status = ctl_audit(ctl, lease, "team.remove", argv[0], NULL)) != 0)
        return status;
    return ctl_commit(lease);
}

const struct ctl_command ctl_account_commands[] = {
    {"account add", "NAME [--domain DOMAIN]… [--region CC] [--set KEY=VALUE]…", "adds a tenant", account_add},
    {"account list", "", "lists the tenants", account_list},
    {"account show", "NAME", "shows one", account_list},
    {"account set", "NAME [--domain DOMAIN]… [--region CC] [--set KEY=VALUE]… [--disable|--enable]", "changes one", account_set},
    {"user add", "ADDRESS [--name NAME] [--role ROLE] [--region CC] [--alias ADDRESS]… [--login LOGIN]…", "adds a user", user_add},
    {"user list", "", "lists the users", user_list},
    {"user show", "USER", "shows one", user_list},
    {"user set", "USER [--name NAME] [--alias ADDRESS[=ENDPOINT]]… [--time-zone ZONE] [--report-segments] [--disable|--enable] …", "changes one", user_set},
    {"team add", "NAME --mailbox ADDRESS [--name NAME] [--member USER]…", "adds a team", team_add},
    {"team list", "", "lists the teams", team_list},
    {"team show", "TEAM", "shows one", team_list},
    {"team set", "TEAM [--mailbox ADDRESS] [--member USER]… [--remove-member USER]…", "changes one", team_set},
    {"team remove", "TEAM", "removes one that owns no endpoint", team_remove},
    {NULL, NULL, NULL, NULL}};
