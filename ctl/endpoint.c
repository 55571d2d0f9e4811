/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints: our own addresses at the providers, with their credentials, and who may use them. */
#include <stdio.h>
#include <string.h>

#include "bridge/channels/channel.h"
#include "core/address.h"
#include "core/cleanup.h"
#include "core/endpoint_secrets.h"
#include "core/endpoint_settings.h"
#include "core/ids.h"
#include "core/phone.h"
#include "ctl/ctl.h"
#include "ctl/endpoint.h"

/* "alice@…" or "team:support" → kind and id. */
static int find_owner(struct ctl *ctl, struct db_lease *lease, const char *owner, const char **kind, char **id)
{
    if (g_str_has_prefix(owner, "team:")) {
        *kind = "team";
        return ctl_find(ctl, lease, DB_STMT_CTL_TEAM_ID, owner + strlen("team:"), "team", id);
    }
    *kind = "user";
    return ctl_find(ctl, lease, DB_STMT_CTL_USER_ID, owner, "user", id);
}

/* VALUE, @FILE or - (standard input); a line end behind it is dropped. */
static char *read_value(const char *text)
{
    g_autoptr(GError) error = NULL;
    char *value = NULL;
    if (strcmp(text, "-") == 0) {
        GString *all = g_string_new(NULL);
        char buffer[4096];
        size_t n;
        while ((n = fread(buffer, 1, sizeof buffer, stdin)) > 0)
            g_string_append_len(all, buffer, (gssize)n);
        value = g_string_free(all, FALSE);
    } else if (*text == '@') {
        if (!g_file_get_contents(text + 1, &value, NULL, &error)) {
            ctl_fail(CTL_USAGE, "%s", error->message);
            return NULL;
        }
    } else {
        return g_strdup(text);
    }
    return g_strchomp(value);
}

static const struct channel_setting_spec *spec_of(const struct channel_ops *ops, const char *key)
{
    for (const struct channel_setting_spec *s = ops->settings; s->key != NULL; s++)
        if (strcmp(s->key, key) == 0)
            return s;
    return NULL;
}

static bool is_secret(const struct channel_ops *ops, const char *key)
{
    const struct channel_setting_spec *spec = spec_of(ops, key);
    return spec != NULL && spec->secret;
}

static bool is_known(const struct channel_ops *ops, const char *key)
{
    return endpoint_setting_find(key) != NULL || strcmp(key, "base_url") == 0 || spec_of(ops, key) != NULL;
}

static int unknown_key(const struct channel_ops *ops, const char *key)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (const struct channel_setting_spec *s = ops->settings; s->key != NULL; s++)
        g_string_append_printf(known, " %s", s->key);
    for (const struct endpoint_setting *s = endpoint_settings; s->key != NULL; s++)
        g_string_append_printf(known, " %s", s->key);
    return ctl_fail(CTL_USAGE, "%s has no setting \"%s\"; it knows:%s", ops->provider, key, known->str);
}

/* --set and --secret words into the two objects; a secret key under --set counts as a secret. */
static int sort_words(const struct channel_ops *ops, char **words, bool as_secret, json_t *settings, json_t *secrets)
{
    for (char **w = words; w != NULL && *w != NULL; w++) {
        g_autofree char *key = NULL;
        const char *text;
        if (!ctl_key_value(*w, &key, &text))
            return ctl_fail(CTL_USAGE, "%s takes KEY=VALUE, not \"%s\"", as_secret ? "--secret" : "--set", *w);
        if (as_secret || is_secret(ops, key)) {
            if (!is_secret(ops, key))
                return unknown_key(ops, key);
            g_autofree char *value = read_value(text);
            if (value == NULL)
                return CTL_USAGE;
            if (!g_utf8_validate(value, -1, NULL))
                return ctl_fail(CTL_USAGE, "the value of %s is not text", key);
            json_object_set_new(secrets, key, *value == '\0' ? json_null() : json_string(value));
            continue;
        }
        if (!is_known(ops, key))
            return unknown_key(ops, key);
        g_autoptr(GError) error = NULL;
        json_t *value = endpoint_setting_parse(key, text, &error);
        if (value == NULL)
            return ctl_fail(CTL_USAGE, "%s", error->message);
        json_object_set_new(settings, key, value);
    }
    return 0;
}

/* The credentials sealed for the row; NULL when there are none to change, or with *status set. */
static GBytes *seal(struct ctl *ctl, const char *id, const json_t *plain, GBytes *stored, int *status)
{
    if (json_object_size(plain) == 0)
        return NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(secrets_t) keys = secrets_load(config_get_string(ctl->config, "gateway", "secrets_key_file"), &error);
    GBytes *sealed = keys != NULL ? endpoint_secrets_seal(keys, id, plain, stored, &error) : NULL;
    if (sealed == NULL)
        *status = ctl_fail(CTL_REFUSED, "%s (umpctl key create makes the key files)", error->message);
    return sealed;
}

static bool is_complete(const struct channel_ops *ops, const json_t *settings, const json_t *secrets)
{
    for (const struct channel_setting_spec *s = ops->settings; s->key != NULL; s++) {
        bool given = json_is_string(json_object_get(secrets, s->key)) || json_is_string(json_object_get(settings, s->key));
        if (s->required && !given)
            return false;
    }
    return true;
}

/*
 * The adapter reads the credentials as ump-bridge will: with a key that it cannot use every webhook would be answered
 * 401 and lost at the provider after a few attempts.  What is still missing is no error: it may follow (note_missing).
 */
static int check_secrets(struct ctl *ctl, const struct channel_ops *ops, const char *id, json_t *settings, GBytes *sealed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(secrets_t) keys = secrets_load(config_get_string(ctl->config, "gateway", "secrets_key_file"), &error);
    json_t *secrets = keys != NULL ? endpoint_secrets_open(keys, id, sealed, &error) : NULL;
    if (secrets == NULL)
        return ctl_fail(CTL_REFUSED, "%s", error->message);
    struct channel_endpoint endpoint = {.ops = ops, .settings = settings, .secrets = secrets};
    if (ops->prepare != NULL && is_complete(ops, settings, secrets)) {
        endpoint.prepared = ops->prepare(&endpoint, &error);
        if (endpoint.prepared != NULL && ops->dispose != NULL)
            ops->dispose(endpoint.prepared);
    }
    endpoint_secrets_wipe(secrets);
    return error != NULL ? ctl_fail(CTL_USAGE, "%s", error->message) : 0;
}

static const struct channel_ops *provider_named(const char *provider, const char *channel)
{
    const struct channel_ops *ops = channel_find(provider);
    g_autoptr(GString) known = g_string_new(NULL);
    if (ops == NULL) {
        for (const struct channel_ops *const *o = channels; *o != NULL; o++)
            g_string_append_printf(known, " %s", (*o)->provider);
        ctl_fail(CTL_USAGE, "there is no provider \"%s\"; this build has:%s", provider, known->str);
        return NULL;
    }
    if (channel != NULL && channel_capabilities_of(ops, channel) == NULL) {
        for (const struct channel_capabilities *c = ops->capabilities; c->channel != NULL; c++)
            g_string_append_printf(known, " %s", c->channel);
        ctl_fail(CTL_USAGE, "%s does not carry \"%s\", only:%s", provider, channel, known->str);
        return NULL;
    }
    return ops;
}

static void put_limit_text(json_t *limits, const char *key, const char *text)
{
    if (text != NULL)
        json_object_set_new(limits, key, json_string(text));
}

static void put_limit_number(json_t *limits, const char *key, gint64 number)
{
    if (number > 0)
        json_object_set_new(limits, key, json_integer(number));
}

/* What the channel carries, from the adapter's data: the policy refuses what is beyond it (core/policy). */
static void put_limits(const struct channel_ops *ops, const char *channel, json_t *settings)
{
    const struct channel_capabilities *can = channel_capabilities_of(ops, channel);
    json_t *limits = json_pack("{s:i, s:I, s:i}", "max_media", (int)can->max_media, "max_media_total",
                               (json_int_t)can->max_media_total, "max_group", (int)can->max_group);
    if (can->max_text > 0 && !can->gsm_segments) { /* of SMS the segments are counted */
        json_object_set_new(limits, "max_text", json_integer(can->max_text));
        json_object_set_new(limits, "max_caption", json_integer(can->max_caption > 0 ? can->max_caption : can->max_text));
    }
    if (can->text_in_octets)
        json_object_set_new(limits, "text_in_octets", json_true());
    put_limit_number(limits, "split_media", can->split_media);
    put_limit_text(limits, "uncaptioned", can->uncaptioned);
    put_limit_text(limits, "picture_types", can->picture_types);
    put_limit_text(limits, "sound_types", can->sound_types);
    put_limit_text(limits, "sound_to", can->sound_to);
    put_limit_number(limits, "max_picture", can->max_picture);
    put_limit_number(limits, "max_sound", can->max_sound);
    put_limit_number(limits, "converted_total", can->converted_total);
    if (can->window_s > 0)
        json_object_set_new(limits, "window_s", json_integer(can->window_s));
    json_object_set_new(settings, "limits", limits);
}

static int renew_limits(struct ctl *ctl, struct db_lease *lease, const struct channel_ops *ops, const char *channel)
{
    g_autoptr(json_t) settings = json_object();
    put_limits(ops, channel, settings);
    char *text = json_dumps(json_object_get(settings, "limits"), JSON_COMPACT);
    struct db_params *params = db_params_new();
    db_params_text(params, ops->provider);
    db_params_text(params, channel);
    db_params_text(params, text);
    g_free(text);
    return ctl_query(ctl, lease, DB_STMT_CTL_ENDPOINT_LIMITS, params, NULL);
}

int ctl_endpoint_limits(struct ctl *ctl)
{
    int status = 0;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    if (lease == NULL)
        return status;
    for (const struct channel_ops *const *ops = channels; *ops != NULL; ops++)
        for (const struct channel_capabilities *can = (*ops)->capabilities; can->channel != NULL; can++)
            if ((status = renew_limits(ctl, lease, *ops, can->channel)) != 0)
                return status;
    return ctl_commit(lease);
}

static char *canonical_address(struct ctl *ctl, const char *text)
{
    struct phone phone;
    if (phone_parse(text, strlen(text), config_get_string(ctl->config, "gateway", "region"), &phone) == PHONE_OK && phone.valid)
        return g_strdup(phone.e164);
    if (address_id_is_safe(text) || address_kind_of_sender(text) == ADDRESS_SHORT_CODE)
        return g_strdup(text);
    g_autofree char *why = phone_explain(&phone, text);
    ctl_fail(CTL_USAGE, "%s", why);
    return NULL;
}

static int show(struct ctl *ctl, struct db_lease *lease, const char *id)
{
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    db_params_uuid(params, id);
    db_params_text(params, config_get_string(ctl->config, "gateway", "public_url"));
    g_autoptr(db_rows) rows = NULL;
    int status = ctl_query(ctl, lease, DB_STMT_CTL_ENDPOINT_LIST, params, &rows);
    if (status != 0)
        return status;
    if (id != NULL)
        ctl_show(ctl, rows, 0);
    else
        ctl_show_list(ctl, rows, 0);
    return CTL_OK;
}

static void note_missing(const struct channel_ops *ops, const json_t *settings, const json_t *secrets)
{
    for (const struct channel_setting_spec *s = ops->settings; s->key != NULL; s++)
        if (s->required && json_object_get(settings, s->key) == NULL && json_object_get(secrets, s->key) == NULL)
            fprintf(stderr, "umpctl: note: %s needs %s (%s); set it with: umpctl endpoint set ENDPOINT --%s %s=…\n",
                    ops->provider, s->key, s->doc, s->secret ? "secret" : "set", s->key);
}

int ctl_endpoint_add(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *owner = NULL;
    g_auto(GStrv) set = NULL;
    g_auto(GStrv) secret = NULL;
    const GOptionEntry options[] = {
        {"owner", 0, 0, G_OPTION_ARG_STRING, &owner, "a user's address, or team:NAME", "OWNER"},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &set, "a setting (repeat)", "KEY=VALUE"},
        {"secret", 0, 0, G_OPTION_ARG_STRING_ARRAY, &secret, "a credential; @FILE and - (standard input) keep it off the command line (repeat)", "KEY=VALUE|KEY=@FILE|KEY=-"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 3, 3);
    if (status != 0)
        return status;
    if (owner == NULL)
        return ctl_fail(CTL_USAGE, "endpoint add: --owner is needed: whose conversations these are (alice@… or team:NAME)");
    const struct channel_ops *ops = provider_named(argv[1], argv[0]);
    g_autofree char *address = ops != NULL ? canonical_address(ctl, argv[2]) : NULL;
    g_autoptr(json_t) settings = json_object();
    json_t *secrets = json_object();
    if (address == NULL || sort_words(ops, set, false, settings, secrets) != 0 || sort_words(ops, secret, true, settings, secrets) != 0) {
        endpoint_secrets_wipe(secrets);
        return CTL_USAGE;
    }
    note_missing(ops, settings, secrets);
    put_limits(ops, argv[0], settings);
    g_autofree char *id = ids_new();
    g_autoptr(GBytes) sealed = seal(ctl, id, secrets, NULL, &status);
    endpoint_secrets_wipe(secrets);
    if (status != 0 || (sealed != NULL && (status = check_secrets(ctl, ops, id, settings, sealed)) != 0))
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    if (lease == NULL)
        return status;
    const char *kind = NULL;
    g_autofree char *owner_id = NULL;
    if ((status = find_owner(ctl, lease, owner, &kind, &owner_id)) != 0)
        return status;
    char *text = json_dumps(settings, JSON_COMPACT);
    struct db_params *params = ctl_params(ctl, lease);
    db_params_uuid(params, id);
    db_params_text(params, argv[0]);
    db_params_text(params, argv[1]);
    db_params_text(params, address);
    db_params_text(params, kind);
    db_params_uuid(params, owner_id);
    db_params_text(params, text);
    db_params_bytes(params, sealed);
    g_free(text);
    if ((status = ctl_query(ctl, lease, DB_STMT_CTL_ENDPOINT_ADD, params, NULL)) != 0 ||
        (status = ctl_audit(ctl, lease, "endpoint.add", id, settings)) != 0 || (status = show(ctl, lease, id)) != 0)
        return status;
    return ctl_commit(lease);
}

static int endpoint_list(struct ctl *ctl, int argc, char **argv)
{
    bool one = strcmp(ctl->command, "endpoint show") == 0;
    int status = ctl_options(ctl, NULL, &argc, &argv, one ? 1 : 0, one ? 1 : 0);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    g_autofree char *id = NULL;
    if (lease == NULL || (one && (status = ctl_find(ctl, lease, DB_STMT_CTL_ENDPOINT_FIND, argv[0], "endpoint", &id)) != 0))
        return status;
    return show(ctl, lease, id);
}

int ctl_endpoint_load(struct ctl *ctl, struct db_lease *lease, const char *name, struct ctl_endpoint *out)
{
    struct db_params *params = ctl_params(ctl, lease);
    if (params == NULL)
        return CTL_REFUSED;
    db_params_text(params, name);
    g_autoptr(db_rows) rows = NULL;
    int status = ctl_query(ctl, lease, DB_STMT_CTL_ENDPOINT_FIND, params, &rows);
    if (status != 0)
        return status;
    if (db_rows_count(rows) != 1)
        return ctl_fail(CTL_REFUSED, db_rows_count(rows) == 0 ? "no such endpoint: %s" : "%s names more than one endpoint; give its id", name);
    out->id = db_rows_dup(rows, 0, 0);
    out->provider = db_rows_dup(rows, 0, 1);
    out->settings = json_loads(db_rows_text(rows, 0, 2), 0, NULL);
    out->secrets = db_rows_bytea(rows, 0, 3);
    out->channel = db_rows_dup(rows, 0, 4);
    out->address = db_rows_dup(rows, 0, 5);
    out->status = db_rows_dup(rows, 0, 6);
    return 0;
}

void ctl_endpoint_clear(struct ctl_endpoint *endpoint)
{
    g_free(endpoint->id);
    g_free(endpoint->provider);
    g_free(endpoint->channel);
    g_free(endpoint->address);
    g_free(endpoint->status);
    json_decref(endpoint->settings);
    g_clear_pointer(&endpoint->secrets, g_bytes_unref);
}

/* What `endpoint set`, disable, enable and remove have in common; NULLs leave things as they are. */
struct change {
    json_t *settings;
    GBytes *sealed;
    const char *owner_kind, *owner_id;
    const char *status;
    bool primary;
};

static int apply(struct ctl *ctl, struct db_lease *lease, const char *id, const struct change *change)
{
    char *text = change->settings != NULL ? json_dumps(change->settings, JSON_COMPACT) : NULL;
    struct db_params *params = ctl_params(ctl, lease);
    db_params_uuid(params, id);
    db_params_text(params, text);
    db_params_bytes(params, change->sealed);
    db_params_text(params, change->owner_kind);
    db_params_uuid(params, change->owner_id);
    db_params_text(params, change->status);
    if (change->primary)
        db_params_bool(params, true);
    else
        db_params_null(params);
    g_free(text);
    int status = ctl_query(ctl, lease, DB_STMT_CTL_ENDPOINT_SET, params, NULL);
    if (status == 0 && change->primary) {
        params = ctl_params(ctl, lease);
        db_params_uuid(params, id);
        status = ctl_query(ctl, lease, DB_STMT_CTL_ENDPOINT_ONLY_PRIMARY, params, NULL);
    }
    return status != 0 ? status : ctl_audit(ctl, lease, ctl->command, id, change->settings);
}

static int endpoint_set(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *owner = NULL;
    g_auto(GStrv) set = NULL;
    g_auto(GStrv) secret = NULL;
    gboolean primary = FALSE;
    const GOptionEntry options[] = {
        {"owner", 0, 0, G_OPTION_ARG_STRING, &owner, "gives it to another user or team", "OWNER"},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &set, "a setting; an empty value: back to the default (repeat)", "KEY=VALUE"},
        {"secret", 0, 0, G_OPTION_ARG_STRING_ARRAY, &secret, "a credential (repeat)", "KEY=VALUE|KEY=@FILE|KEY=-"},
        {"primary", 0, 0, G_OPTION_ARG_NONE, &primary, "new messages of its owner leave from here", NULL},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    g_auto(ctl_endpoint) endpoint = {0};
    if (lease == NULL || (status = ctl_endpoint_load(ctl, lease, argv[0], &endpoint)) != 0)
        return status;
    const struct channel_ops *ops = provider_named(endpoint.provider, NULL);
    if (ops == NULL)
        return CTL_REFUSED;
    g_autoptr(json_t) settings = json_object();
    json_t *secrets = json_object();
    if ((status = sort_words(ops, set, false, settings, secrets)) != 0 || (status = sort_words(ops, secret, true, settings, secrets)) != 0) {
        endpoint_secrets_wipe(secrets);
        return status;
    }
    put_limits(ops, endpoint.channel, settings);
    g_autoptr(GBytes) sealed = seal(ctl, endpoint.id, secrets, endpoint.secrets, &status);
    endpoint_secrets_wipe(secrets);
    json_object_update(endpoint.settings, settings);
    if (status == 0 && sealed != NULL)
        status = check_secrets(ctl, ops, endpoint.id, endpoint.settings, sealed);
    g_autofree char *owner_id = NULL;
    struct change change = {.settings = settings, .sealed = sealed, .primary = primary};
    if (status == 0 && owner != NULL)
        status = find_owner(ctl, lease, owner, &change.owner_kind, &owner_id);
    change.owner_id = owner_id;
    if (status != 0 || (status = apply(ctl, lease, endpoint.id, &change)) != 0 || (status = show(ctl, lease, endpoint.id)) != 0)
        return status;
    return ctl_commit(lease);
}

static int endpoint_status(struct ctl *ctl, int argc, char **argv)
{
    bool removing = strcmp(ctl->command, "endpoint remove") == 0;
    int status = ctl_options(ctl, NULL, &argc, &argv, 1, 1);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    g_auto(ctl_endpoint) endpoint = {0};
    if (lease == NULL || (status = ctl_endpoint_load(ctl, lease, argv[0], &endpoint)) != 0)
        return status;
    if (removing) {
        struct db_params *params = ctl_params(ctl, lease);
        db_params_uuid(params, endpoint.id);
        g_autoptr(db_rows) rows = NULL;
        if ((status = ctl_query(ctl, lease, DB_STMT_CTL_ENDPOINT_WAITING, params, &rows)) != 0)
            return status;
        if (db_rows_int(rows, 0, 0) > 0)
            return ctl_fail(CTL_REFUSED, "%" G_GINT64_FORMAT " messages wait to leave from it; let them go, or cancel them (umpctl queue list)",
                            db_rows_int(rows, 0, 0));
    }
    struct change change = {.status = removing ? "removed" : strcmp(ctl->command, "endpoint disable") == 0 ? "disabled" : "enabled"};
    if ((status = apply(ctl, lease, endpoint.id, &change)) != 0 || (!removing && (status = show(ctl, lease, endpoint.id)) != 0))
        return status;
    return ctl_commit(lease);
}

static int endpoint_grant(struct ctl *ctl, int argc, char **argv)
{
    bool revoking = strcmp(ctl->command, "endpoint revoke") == 0;
    gboolean no_send = FALSE, no_read = FALSE, admin = FALSE;
    const GOptionEntry options[] = {
        {"no-send", 0, 0, G_OPTION_ARG_NONE, &no_send, "may not send from it", NULL},
        {"no-read", 0, 0, G_OPTION_ARG_NONE, &no_read, "may not read its conversations", NULL},
        {"admin", 0, 0, G_OPTION_ARG_NONE, &admin, "may administer it", NULL},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 2, 2);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    g_autofree char *endpoint = NULL;
    g_autofree char *user = NULL;
    if (lease == NULL || (status = ctl_find(ctl, lease, DB_STMT_CTL_ENDPOINT_FIND, argv[0], "endpoint", &endpoint)) != 0 ||
        (status = ctl_find(ctl, lease, DB_STMT_CTL_USER_ID, argv[1], "user", &user)) != 0)
        return status;
    struct db_params *params = ctl_params(ctl, lease);
    db_params_uuid(params, endpoint);
    db_params_uuid(params, user);
    if (!revoking) {
        db_params_bool(params, !no_send);
        db_params_bool(params, !no_read);
        db_params_bool(params, admin);
    }
    g_autoptr(db_rows) rows = NULL;
    if ((status = ctl_query(ctl, lease, revoking ? DB_STMT_CTL_GRANT_REMOVE : DB_STMT_CTL_GRANT_ADD, params, &rows)) != 0)
        return status;
    if (revoking && db_rows_count(rows) == 0)
        return ctl_fail(CTL_REFUSED, "%s has no grant on %s", argv[1], argv[0]);
    if ((status = ctl_audit(ctl, lease, ctl->command, endpoint, NULL)) != 0 || (status = show(ctl, lease, endpoint)) != 0)
        return status;
    return ctl_commit(lease);
}

const struct ctl_command ctl_endpoint_commands[] = {
    {"endpoint add", "CHANNEL PROVIDER ADDRESS --owner OWNER [--set KEY=VALUE]… [--secret KEY=VALUE|KEY=@FILE|KEY=-]…",
     "adds a number or account of ours at a provider", ctl_endpoint_add},
    {"endpoint link", "CHANNEL|ENDPOINT [--owner OWNER] [--set KEY=VALUE]…", "links the gateway to a phone's account: shows the QR code and waits for the scan", ctl_endpoint_link},
    {"endpoint list", "", "lists them", endpoint_list},
    {"endpoint show", "ENDPOINT", "shows one (by id, ADDRESS or CHANNEL:ADDRESS)", endpoint_list},
    {"endpoint set", "ENDPOINT [--owner OWNER] [--set KEY=VALUE]… [--secret …]… [--primary]", "changes one", endpoint_set},
    {"endpoint test", "ENDPOINT", "asks the provider whether its credentials are right", ctl_endpoint_test},
    {"endpoint disable", "ENDPOINT", "nothing is sent or received through it", endpoint_status},
    {"endpoint enable", "ENDPOINT", "the opposite; lifts a hold too", endpoint_status},
    {"endpoint remove", "ENDPOINT", "removes it; its conversations stay", endpoint_status},
    {"endpoint grant", "ENDPOINT USER [--no-send] [--no-read] [--admin]", "lets another user send from it", endpoint_grant},
    {"endpoint revoke", "ENDPOINT USER", "takes that back", endpoint_grant},
    {NULL, NULL, NULL, NULL}};
