/* SPDX-License-Identifier: Apache-2.0 */
/* Who sends, and what the database knows about him and his recipient. */
#include "core/policy_internal.h"

#include <string.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/db.h"

void policy_site_init(struct policy_site *site, const struct config *config, const struct ids_keys *ids)
{
    const char *const *channels = config_get_list(config, "gateway", "channels");
    *site = (struct policy_site){
        .channels = channels[0] != NULL ? channels : NULL,
        .domains = config_get_list(config, "gateway", "domains"),
        .region = config_get_string(config, "gateway", "region"),
        .ids = ids,
        .user_per_hour = config_get_int(config, "caps", "user_per_hour"),
        .range_per_hour = config_get_int(config, "caps", "range_per_hour"),
        .spend_per_day = config_get_int(config, "caps", "spend_per_day"),
        .max_segments = config_get_int(config, "caps", "max_segments"),
        .max_size = config_get_size(config, "caps", "max_size"),
        .max_recipients = config_get_int(config, "caps", "max_recipients"),
    };
}

/* ---- Who ---- */

char *policy_who_format(const struct policy_who *who)
{
    if (who->login != NULL)
        return g_strdup(who->login);
    if (who->client != NULL)
        return g_strconcat("net:", who->client, NULL);
    return who->local_uid >= 0 ? g_strdup_printf("uid:%" G_GINT64_FORMAT, who->local_uid) : g_strdup("");
}

void policy_who_parse(const char *text, bool machine, struct policy_who *who)
{
    guint64 uid = 0;
    *who = POLICY_WHO_NOBODY;
    if (machine && g_str_has_prefix(text, "net:"))
        who->client = text + 4;
    else if (machine && g_str_has_prefix(text, "uid:") && g_ascii_string_to_unsigned(text + 4, 10, 0, G_MAXINT32, &uid, NULL))
        who->local_uid = (gint64)uid;
    else if (*text != '\0')
        who->login = text;
}

gint64 policy_received_uid(const char *value)
{
    static const char mark[] = "(Postfix, from userid ";
    while (g_ascii_isspace(*value))
        value++;
    if (!g_str_has_prefix(value, "by "))
        return -1;
    const char *p = value + 3;
    while (*p != '\0' && !g_ascii_isspace(*p) && *p != '(')
        p++;
    while (g_ascii_isspace(*p))
        p++;
    if (!g_str_has_prefix(p, mark))
        return -1;
    char *end = NULL;
    p += sizeof mark - 1;
    if (!g_ascii_isdigit(*p))
        return -1;
    gint64 uid = g_ascii_strtoll(p, &end, 10);
    return *end == ')' && uid <= G_MAXINT32 ? uid : -1;
}

/* ---- Facts ---- */

void policy_facts_clear(struct policy_facts *facts)
{
    address_clear(&facts->address);
    g_free(facts->account_region);
    json_decref(facts->account_settings);
    g_free(facts->user_id);
    g_free(facts->user_email);
    g_free(facts->user_name);
    g_free(facts->machine_id);
    g_free(facts->from_team);
    g_free(facts->endpoint_id);
    g_free(facts->endpoint_address);
    g_free(facts->endpoint_provider);
    g_free(facts->endpoint_channel);
    g_free(facts->endpoint_status);
    json_decref(facts->endpoint_settings);
    g_free(facts->owner_kind);
    g_free(facts->owner_id);
    g_free(facts->owner_mailbox);
    g_free(facts->conversation_id);
    g_free(facts->group_id);
    g_strfreev(facts->group_members);
    json_decref(facts->templates);
    *facts = (struct policy_facts){0};
}

static char *text_of(const struct db_rows *rows, const char *name)
{
    return g_strdup(db_rows_text_of(rows, 0, name));
}

static json_t *json_of(const struct db_rows *rows, const char *name)
{
    const char *text = db_rows_text_of(rows, 0, name);
    json_t *value = text != NULL ? json_loads(text, 0, NULL) : NULL;
    return value != NULL ? value : json_object();
}

static void read_row(const struct db_rows *rows, struct policy_facts *facts)
{
    facts->known = true;
    facts->account_id = db_rows_int_of(rows, 0, "account_id");
    facts->account_region = text_of(rows, "account_region");
    facts->account_settings = json_of(rows, "account_settings");
    facts->user_id = text_of(rows, "user_id");
    facts->user_email = text_of(rows, "user_email");
    facts->user_name = text_of(rows, "user_name");
    facts->machine = g_strcmp0(db_rows_text_of(rows, 0, "sender_kind"), "machine") == 0;
    facts->machine_id = text_of(rows, "machine_id");
    facts->machine_rate = db_rows_int_of(rows, 0, "machine_rate");
    facts->machine_period_s = db_rows_int_of(rows, 0, "machine_period_s");
    facts->machine_subject_first = db_rows_bool_of(rows, 0, "machine_subject_first");
    facts->from_ok = db_rows_bool_of(rows, 0, "from_ok");
    facts->from_team = text_of(rows, "from_team");
    facts->endpoint_id = text_of(rows, "endpoint_id");
    facts->endpoint_address = text_of(rows, "endpoint_address");
    facts->endpoint_provider = text_of(rows, "endpoint_provider");
    facts->endpoint_channel = text_of(rows, "endpoint_channel");
    facts->endpoint_status = text_of(rows, "endpoint_status");
    facts->endpoint_settings = json_of(rows, "endpoint_settings");
    facts->endpoint_count = db_rows_int_of(rows, 0, "endpoint_count");
    facts->owner_kind = text_of(rows, "owner_kind");
    facts->owner_id = text_of(rows, "owner_id");
    facts->owner_mailbox = text_of(rows, "owner_mailbox");
    facts->opted_out = db_rows_bool_of(rows, 0, "opted_out");
    facts->opted_out_wide = db_rows_bool_of(rows, 0, "opted_out_wide");
    facts->conversation_id = text_of(rows, "conversation_id");
    facts->group_id = text_of(rows, "group_id");
    int members = db_rows_column(rows, "group_members");
    facts->group_members = members >= 0 ? db_rows_texts(rows, 0, (unsigned)members) : NULL;
    facts->known_contact = db_rows_bool_of(rows, 0, "known_contact");
    facts->used_user = db_rows_int_of(rows, 0, "used_user");
    facts->used_machine = db_rows_int_of(rows, 0, "used_machine");
    facts->used_spend = db_rows_int_of(rows, 0, "used_spend");
    facts->used_range = db_rows_int_of(rows, 0, "used_range");
    facts->last_inbound = db_rows_time_of(rows, 0, "last_inbound");
    if (!facts->machine && facts->endpoint_id == NULL)
        facts->endpoint_count = 0;
}

/* Only for the few mails that a template may matter to. */
static int load_templates(struct db *db, unsigned timeout_ms, struct policy_facts *facts, GError **error)
{
    struct db_params *params = db_params_new();
    db_params_int(params, facts->account_id);
    db_params_uuid(params, facts->endpoint_id);
    g_autoptr(db_rows) rows = NULL;
    if (db_query_once(db, DB_STMT_ENDPOINT_TEMPLATES, params, timeout_ms, &rows, error) < 0)
        return -1;
    facts->templates = json_array();
    for (unsigned r = 0; r < db_rows_count(rows); r++) {
        const char *text = db_rows_text_of(rows, r, "body");
        json_t *body = text != NULL ? json_loads(text, 0, NULL) : NULL;
        json_array_append_new(facts->templates, json_pack("{s:s, s:s, s:o}", "name", db_rows_text_of(rows, r, "name"), "language",
                                                          db_rows_text_of(rows, r, "language"), "body",
                                                          body != NULL ? body : json_object()));
    }
    return 0;
}

/* UMP-From as people write numbers, in the form in which addresses of endpoints are kept. */
static char *normal_endpoint(const char *written, const char *region)
{
    struct phone phone;
    g_autofree char *clean = g_strstrip(g_strdup(written));
    if (phone_parse(clean, strlen(clean), region, &phone) == PHONE_OK)
        return g_strdup(phone.e164);
    return g_steal_pointer(&clean);
}

static void add_who(struct db_params *params, const struct policy_who *who)
{
    db_params_text(params, who->login);
    db_params_text(params, who->login == NULL ? who->client : NULL);
    if (who->login == NULL && who->client == NULL && who->local_uid >= 0)
        db_params_int(params, who->local_uid);
    else
        db_params_null(params);
}

static int ask(struct db *db, const struct policy_site *site, const struct policy_request *request, const char *region,
               unsigned timeout_ms, struct policy_facts *facts, GError **error)
{
    const struct address_space space = {site->domains, site->channels, region};
    facts->address_result = address_parse(request->recipient, strlen(request->recipient), &space, &facts->address);
    const char *channel = request->channel != NULL ? request->channel : facts->address.channel;
    const char *id = facts->address.id != NULL ? facts->address.id : "";
    g_autofree char *ump_from = request->ump_from != NULL ? normal_endpoint(request->ump_from, region) : NULL;
    struct db_params *params = db_params_new();
    add_who(params, &request->who);
    db_params_text(params, request->from);
    db_params_text(params, channel);
    db_params_text(params, id);
    db_params_texts(params, request->refs != NULL ? request->refs : (const char *const[]){NULL});
    db_params_text(params, ump_from);
    g_autoptr(db_rows) rows = NULL;
    if (db_query_once(db, DB_STMT_SUBMISSION_FACTS, params, timeout_ms, &rows, error) < 0)
        return -1;
    facts->from_given = request->from != NULL;
    if (db_rows_count(rows) > 0)
        read_row(rows, facts);
    return 0;
}

/* Does the region decide which number is meant? */
static bool region_matters(const struct policy_facts *facts)
{
    return facts->address.kind == ADDRESS_NUMBER && facts->address.written != NULL && facts->address.written[0] != '+';
}

int policy_facts_load(struct db *db, const struct policy_site *site, const struct policy_request *request,
                      unsigned timeout_ms, struct policy_facts *facts, GError **error)
{
    g_auto(policy_facts_t) found = {0};
    if (ask(db, site, request, site->region, timeout_ms, &found, error) < 0)
        return -1;
    if (found.known && region_matters(&found) && found.account_region != NULL &&
        g_strcmp0(found.account_region, site->region) != 0) {
        g_autofree char *region = g_strdup(found.account_region);
        policy_facts_clear(&found);
        if (ask(db, site, request, region, timeout_ms, &found, error) < 0)
            return -1;
    }
    if (policy_template_matters(request, &found) && load_templates(db, timeout_ms, &found, error) < 0)
        return -1;
    *facts = found;
    found = (struct policy_facts){0};
    return 0;
}

int policy_facts_window(struct db *db, const struct policy_request *request, unsigned timeout_ms, struct policy_facts *facts,
                        GError **error)
{
    gint64 window = policy_window_s(facts);
    if (window <= 0)
        return 0;
    struct db_params *params = db_params_new();
    db_params_int(params, facts->account_id);
    db_params_uuid(params, facts->endpoint_id);
    db_params_uuid(params, facts->owner_id);
    db_params_text(params, facts->endpoint_channel);
    db_params_text(params, facts->address.id);
    db_params_interval(params, window * CLOCK_SECOND);
    g_autoptr(db_rows) rows = NULL;
    if (db_query_once(db, DB_STMT_SUBMISSION_WINDOW, params, timeout_ms, &rows, error) < 0)
        return -1;
    facts->last_inbound = db_rows_time_of(rows, 0, "last_inbound");
    return policy_template_matters(request, facts) ? 1 : 0;
}
