/* SPDX-License-Identifier: Apache-2.0 */
/* Contacts: who is behind a number, and who is not wanted. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/phone.h"
#include "ctl/ctl.h"
#include "ctl/vcard.h"

static const char *region(struct ctl *ctl)
{
    return config_get_string(ctl->config, "gateway", "region");
}

/* A number as people write it becomes E.164, so that it is found; all else stays. */
static char *canonical(struct ctl *ctl, const char *text)
{
    struct phone phone;
    bool digits = strpbrk(text, "0123456789") != NULL;
    return digits && phone_parse(text, strlen(text), region(ctl), &phone) == PHONE_OK ? g_strdup(phone.e164) : g_strdup(text);
}

static int find_contact(struct ctl *ctl, struct db_lease *lease, const char *text, char **id)
{
    g_autofree char *name = canonical(ctl, text);
    return ctl_find(ctl, lease, DB_STMT_CTL_CONTACT_FIND, name, "contact", id);
}

static int query_list(struct ctl *ctl, struct db_lease *lease, const char *id, const char *pattern, int limit, struct db_rows **rows)
{
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    db_params_uuid(params, id);
    db_params_text(params, pattern);
    db_params_int(params, limit);
    return ctl_query(ctl, lease, DB_STMT_CTL_CONTACT_LIST, params, rows);
}

static int contact_list(struct ctl *ctl, int argc, char **argv)
{
    gint limit = 200;
    const GOptionEntry options[] = {{"limit", 0, 0, G_OPTION_ARG_INT, &limit, "at most so many (default 200)", "N"}, G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 0, 1);
    if (status != 0 || (status = ctl_check_limit(limit)) != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    g_autoptr(db_rows) rows = NULL;
    if (lease == NULL || (status = query_list(ctl, lease, NULL, argc > 0 ? argv[0] : NULL, limit, &rows)) != 0)
        return status;
    ctl_show_list(ctl, rows, 0);
    return CTL_OK;
}

static int show(struct ctl *ctl, struct db_lease *lease, const char *id)
{
    g_autoptr(db_rows) rows = NULL;
    int status = query_list(ctl, lease, id, NULL, 1, &rows);
    if (status == 0)
        ctl_show(ctl, rows, 0);
    return status;
}

static int contact_show(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    g_autofree char *id = NULL;
    if (lease == NULL || (status = find_contact(ctl, lease, argv[0], &id)) != 0)
        return status;
    return show(ctl, lease, id);
}

/* The contact behind channel and identifier, made when it does not exist. */
static int contact_for(struct ctl *ctl, struct db_lease *lease, const char *channel, const char *identifier, const char *name,
                       char **id, bool *is_new)
{
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    db_params_text(params, channel);
    db_params_text(params, identifier);
    db_params_text(params, name);
    g_autoptr(db_rows) rows = NULL;
    int status = ctl_query(ctl, lease, DB_STMT_CTL_CONTACT_FOR, params, &rows);
    if (status != 0)
        return status;
    *id = db_rows_dup(rows, 0, 0);
    *is_new = db_rows_bool(rows, 0, 1);
    return 0;
}

static int set_name(struct ctl *ctl, struct db_lease *lease, const char *id, const char *name, const char *attributes)
{
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    db_params_uuid(params, id);
    db_params_text(params, name);
    db_params_text(params, attributes);
    return ctl_query(ctl, lease, DB_STMT_CTL_CONTACT_SET, params, NULL);
}

static int contact_set(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *name = NULL;
    g_auto(GStrv) set = NULL;
    const GOptionEntry options[] = {
        {"name", 0, 0, G_OPTION_ARG_STRING, &name, "as it stands in From", "NAME"},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &set, "an attribute; empty removes it (repeat)", "KEY=VALUE"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autoptr(json_t) attributes = json_object();
    for (char **w = set; w != NULL && *w != NULL; w++) {
        g_autofree char *key = NULL;
        const char *value;
        if (!ctl_key_value(*w, &key, &value))
            return ctl_fail(CTL_USAGE, "--set takes KEY=VALUE, not \"%s\"", *w);
        json_object_set_new(attributes, key, *value != '\0' ? json_string(value) : json_null());
    }
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    g_autofree char *id = NULL;
    if (lease == NULL)
        return status;
    struct phone phone;
    bool is_new;
    /* a number that nobody wrote from yet may be named beforehand */
    if (phone_parse(argv[0], strlen(argv[0]), region(ctl), &phone) == PHONE_OK && phone.valid)
        status = contact_for(ctl, lease, "sms", phone.e164, name, &id, &is_new);
    else
        status = find_contact(ctl, lease, argv[0], &id);
    if (status != 0)
        return status;
    char *text = json_dumps(attributes, JSON_COMPACT);
    status = set_name(ctl, lease, id, name, text);
    g_free(text);
    if (status != 0 || (status = ctl_audit(ctl, lease, "contact.set", id, NULL)) != 0 || (status = show(ctl, lease, id)) != 0)
        return status;
    return ctl_commit(lease);
}

struct import_counts {
    int added, changed, skipped;
};

static int add_identity(struct ctl *ctl, struct db_lease *lease, const char *id, const char *channel, const char *identifier)
{
    struct db_params *params = ctl_params(ctl, lease);
    db_params_text(params, channel);
    db_params_text(params, identifier);
    db_params_uuid(params, id);
    return ctl_query(ctl, lease, DB_STMT_CTL_CONTACT_IMPORT_IDENTITY, params, NULL);
}

/* One card: its first valid number decides which contact it is, the rest are added to it. */
static int import_card(struct ctl *ctl, struct db_lease *lease, const struct vcard *card, struct import_counts *counts)
{
    g_autofree char *id = NULL;
    bool is_new = false;
    int status = 0;
    for (guint i = 0; i < card->numbers->len && status == 0; i++) {
        struct phone phone;
        const char *written = card->numbers->pdata[i];
        if (phone_parse(written, strlen(written), region(ctl), &phone) != PHONE_OK || !phone.valid) {
            g_autofree char *why = phone_explain(&phone, written);
            (void)ctl_fail(CTL_OK, "%s: %s", card->name != NULL ? card->name : "(no name)", why);
        } else if (id == NULL) {
            status = contact_for(ctl, lease, "sms", phone.e164, card->name, &id, &is_new);
        } else {
            status = add_identity(ctl, lease, id, "sms", phone.e164);
        }
    }
    for (guint i = 0; i < card->mails->len && status == 0; i++) {
        g_autofree char *mail = g_ascii_strdown(card->mails->pdata[i], -1);
        if (strchr(mail, '@') == NULL)
            continue;
        if (id == NULL)
            status = contact_for(ctl, lease, "mail", mail, card->name, &id, &is_new);
        else
            status = add_identity(ctl, lease, id, "mail", mail);
    }
    if (status == 0 && id != NULL && card->name != NULL)
        status = set_name(ctl, lease, id, card->name, NULL);
    if (id == NULL)
        counts->skipped++;
    else if (is_new)
        counts->added++;
    else
        counts->changed++;
    return status;
}

static int contact_import(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize length;
    if (!g_file_get_contents(strcmp(argv[0], "-") == 0 ? "/dev/stdin" : argv[0], &text, &length, &error))
        return ctl_fail(CTL_REFUSED, "%s", error->message);
    g_autoptr(GPtrArray) cards = vcard_parse(text, length);
    if (cards->len == 0)
        return ctl_fail(CTL_REFUSED, "%s holds no vCard (BEGIN:VCARD)", argv[0]);
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    if (lease == NULL)
        return status;
    struct import_counts counts = {0};
    for (guint i = 0; i < cards->len; i++) {
        if ((status = import_card(ctl, lease, cards->pdata[i], &counts)) != 0)
            return status;
        if ((i + 1) % 500 == 0)
            ctl_say(ctl, "%u of %u", i + 1, cards->len);
    }
    if ((status = ctl_audit(ctl, lease, "contact.import", argv[0], NULL)) != 0 || (status = ctl_commit(lease)) != 0)
        return status;
    g_autoptr(json_t) record = json_object();
    json_object_set_new(record, "cards", json_integer(cards->len));
    json_object_set_new(record, "added", json_integer(counts.added));
    json_object_set_new(record, "changed", json_integer(counts.changed));
    json_object_set_new(record, "skipped", json_integer(counts.skipped));
    ctl_show_json(ctl, record);
    return CTL_OK;
}

static int contact_block(struct ctl *ctl, int argc, char **argv)
{
    bool blocking = strcmp(ctl->command, "contact block") == 0;
    g_autofree char *owner = NULL;
    const GOptionEntry options[] = {{"owner", 0, 0, G_OPTION_ARG_STRING, &owner, "for whom: a user, or team:NAME", "OWNER"}, G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    if (owner == NULL)
        return ctl_fail(CTL_USAGE, "%s: --owner is needed: whom he may not write to", ctl->command);
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    if (lease == NULL)
        return status;
    g_autofree char *id = NULL;
    g_autofree char *owner_id = NULL;
    struct phone phone;
    bool is_new, team = g_str_has_prefix(owner, "team:");
    if (phone_parse(argv[0], strlen(argv[0]), region(ctl), &phone) == PHONE_OK)
        status = contact_for(ctl, lease, "sms", phone.e164, NULL, &id, &is_new);
    else
        status = find_contact(ctl, lease, argv[0], &id);
    if (status != 0 || (status = ctl_find(ctl, lease, team ? DB_STMT_CTL_TEAM_ID : DB_STMT_CTL_USER_ID, team ? owner + 5 : owner,
                                          team ? "team" : "user", &owner_id)) != 0)
        return status;
    struct db_params *params = ctl_params(ctl, lease);
    db_params_uuid(params, owner_id);
    db_params_uuid(params, id);
    if ((status = ctl_query(ctl, lease, blocking ? DB_STMT_CTL_CONTACT_BLOCK : DB_STMT_CTL_CONTACT_UNBLOCK, params, NULL)) != 0 ||
        (status = ctl_audit(ctl, lease, ctl->command, id, NULL)) != 0 || (status = show(ctl, lease, id)) != 0)
        return status;
    return ctl_commit(lease);
}

const struct ctl_command ctl_contact_commands[] = {
    {"contact list", "[TEXT] [--limit N]", "lists contacts, or those whose name or number contains TEXT", contact_list},
    {"contact show", "CONTACT", "shows one (by id, number, address or name)", contact_show},
    {"contact set", "CONTACT [--name NAME] [--set KEY=VALUE]…", "names one; a number not seen yet is added", contact_set},
    {"contact import", "FILE", "reads a vCard file (- is standard input)", contact_import},
    {"contact block", "CONTACT --owner OWNER", "his messages are kept, but not delivered", contact_block},
    {"contact unblock", "CONTACT --owner OWNER", "the opposite", contact_block},
    {NULL, NULL, NULL, NULL}};
