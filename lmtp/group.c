/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/group.h"

#include <string.h>

#include "core/db.h"
#include "core/group_key.h"
#include "core/log.h"
#include "lmtp/reply.h"

#define MIN_MEMBERS 2

static bool parse(const struct submission *submission, const struct policy_facts *facts, const char *text,
                  struct address *out)
{
    const struct policy_site *site = &submission->door->site;
    const struct address_space space = {site->domains, site->channels,
                                        facts->account_region ? facts->account_region : site->region};

    return address_parse(text, strlen(text), &space, out) == ADDRESS_OK;
}

/* To and Cc: numbers of the channel into members (owned strings); true: new-group@ of it is among them. */
static bool read_addresses(const struct submission *submission, const struct policy_facts *facts, GPtrArray *members)
{
    GPtrArray *lists[] = {submission->parsed->to, submission->parsed->cc};
    bool asked = false;

    for (size_t l = 0; l < G_N_ELEMENTS(lists); l++) {
        for (guint i = 0; i < lists[l]->len; i++) {
            const struct mail_address *entry = g_ptr_array_index(lists[l], i);
            g_auto(address_t) address = {0};
            if (!parse(submission, facts, entry->address, &address) ||
                g_strcmp0(address.channel, facts->address.channel) != 0)
                continue;
            if (address.kind == ADDRESS_NEW_GROUP)
                asked = true;
            else if (address.kind == ADDRESS_NUMBER && !g_ptr_array_find_with_equal_func(members, address.id, g_str_equal, NULL))
                g_ptr_array_add(members, g_strdup(address.id));
        }
    }
    return asked;
}

static enum group_result answer(struct txn_recipient *rcpt, enum reply reply)
{
    txn_reply(rcpt, reply_text(reply));
    return GROUP_ANSWERED;
}

/* Every member must be somebody to whom this person may write. */
static bool check_members(const struct submission *submission, const struct policy_request *request,
                          const struct policy_facts *facts, const GPtrArray *members, struct txn_recipient *rcpt)
{
    struct door *door = submission->door;

    for (guint i = 0; i < members->len; i++) {
        g_auto(policy_facts_t) member = {0};
        g_auto(policy_verdict_t) verdict = {0};
        g_autofree char *recipient = g_strconcat(g_ptr_array_index(members, i), "@", facts->address.channel, ".",
                                                 facts->address.domain, NULL);
        struct policy_request one = *request;
        g_autofree char *line = NULL;
        one.recipient = recipient;
        if (policy_facts_load(door->db, &door->site, &one, door->database_ms, &member, NULL) < 0)
            policy_verdict_reason(POLICY_UNAVAILABLE, &verdict);
        else
            policy_check_recipient(&door->site, &one, &member, &verdict);
        if (verdict.action == POLICY_ACCEPT)
            continue;
        line = policy_verdict_reply(&verdict);
        txn_reply_take(rcpt, reply_clean(line));
        return false;
    }
    return true;
}

static enum group_result make(const struct submission *submission, const struct policy_request *request,
                              const struct policy_facts *facts, struct txn_recipient *rcpt, char **identifier,
                              char **group_id)
{
    g_autoptr(GPtrArray) members = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *key = NULL, *address_id = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(db_rows) rows = NULL;
    struct db_params *params;

    /* elsewhere a group is made on the network first */
    if (g_strcmp0(facts->endpoint_channel, "sms") != 0)
        return answer(rcpt, REPLY_GROUP_SUPPORT);
    read_addresses(submission, facts, members);
    if (members->len < MIN_MEMBERS)
        return answer(rcpt, REPLY_GROUP_EMPTY);
    if (!check_members(submission, request, facts, members, rcpt))
        return GROUP_ANSWERED;
    g_ptr_array_add(members, NULL);
    key = group_key_of_members((const char *const *)members->pdata, facts->endpoint_address);
    if (!key)
        return answer(rcpt, REPLY_GROUP_EMPTY);
    address_id = group_address_id(facts->endpoint_id, key);
    params = db_params_new();
    db_params_int(params, facts->account_id);
    db_params_uuid(params, facts->endpoint_id);
    db_params_text(params, facts->endpoint_channel);
    db_params_text(params, key);
    db_params_text(params, address_id);
    db_params_texts(params, (const char *const *)members->pdata);
    if (db_write_within(submission->door->db, DB_STMT_GROUP_OPEN, params, key, submission->door->database_ms, &rows,
                        &error) < 0) {
        log_warning("error", error->message, "status", "database");
        return answer(rcpt, REPLY_DATABASE_DOWN);
    }
    *group_id = g_strdup(db_rows_text_of(rows, 0, "group_id"));
    *identifier = g_strdup(db_rows_text_of(rows, 0, "address_id"));
    return GROUP_GO;
}

enum group_result group_resolve(const struct submission *submission, const struct policy_request *request,
                                const struct policy_facts *facts, struct txn_recipient *rcpt, char **identifier,
                                char **group_id)
{
    g_autoptr(GPtrArray) members = NULL;

    if (facts->address.kind == ADDRESS_NEW_GROUP)
        return make(submission, request, facts, rcpt, identifier, group_id);
    if (facts->address.kind == ADDRESS_NUMBER) {
        members = g_ptr_array_new_with_free_func(g_free);
        if (read_addresses(submission, facts, members) && members->len >= MIN_MEMBERS &&
            g_ptr_array_find_with_equal_func(members, facts->address.id, g_str_equal, NULL))
            return answer(rcpt, REPLY_GROUP_PART);
    }
    *identifier = g_strdup(facts->address.id);
    *group_id = g_strdup(facts->group_id);
    return GROUP_GO;
}
