/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/index_record.h"

#include "core/cleanup.h"
#include "core/db.h"
#include "core/utf8_text.h"

struct db_params *index_params_begin(const struct index_facts *facts)
{
    struct db_params *params = db_params_new();
    const char *to[] = {facts->recipient, NULL};

    db_params_text(params, facts->key);
    db_params_text(params, facts->mailbox);
    db_params_uuid(params, facts->message);
    db_params_text(params, facts->mail_id);
    db_params_texts(params, facts->refs);
    db_params_text(params, facts->from);
    db_params_text(params, facts->from_name);
    db_params_texts(params, to);
    db_params_text(params, facts->subject);
    db_params_text(params, facts->body);
    db_params_text(params, facts->metadata);
    db_params_time(params, facts->occurred);
    db_params_int(params, facts->segment_messages);
    db_params_interval(params, facts->segment_silence);
    return params;
}

struct db_params *index_params_settle(const char *key, const char *state, const char *reply)
{
    struct db_params *params = db_params_new();

    db_params_text(params, key);
    db_params_text(params, state);
    db_params_text(params, reply);
    return params;
}

static void put(json_t *object, const char *key, const char *text)
{
    g_autofree char *valid = text ? utf8_valid(text, -1) : NULL;

    if (valid)
        json_object_set_new(object, key, json_string(valid));
}

static char *dump(json_t *object)
{
    g_autofree char *text = json_dumps(object, JSON_COMPACT);

    json_decref(object);
    return g_steal_pointer(&text);
}

char *index_record_mail(const struct index_facts *facts, const char *reply)
{
    json_t *object = json_object(), *refs = json_array();

    put(object, "key", facts->key);
    put(object, "state", "done");
    put(object, "reply", reply);
    put(object, "mailbox", facts->mailbox);
    put(object, "message", facts->message);
    put(object, "mail_id", facts->mail_id);
    for (const char *const *ref = facts->refs; *ref; ref++) {
        g_autofree char *valid = utf8_valid(*ref, -1);
        json_array_append_new(refs, json_string(valid));
    }
    json_object_set_new(object, "refs", refs);
    put(object, "from", facts->from);
    put(object, "from_name", facts->from_name);
    put(object, "recipient", facts->recipient);
    put(object, "subject", facts->subject);
    put(object, "body", facts->body);
    put(object, "metadata", facts->metadata);
    json_object_set_new(object, "occurred", json_integer(facts->occurred));
    return dump(object);
}

char *index_record_settle(const char *key, const char *state, const char *reply)
{
    json_t *object = json_object();

    put(object, "key", key);
    put(object, "state", state);
    put(object, "reply", reply);
    return dump(object);
}

static const char *get(const json_t *record, const char *key)
{
    return json_string_value(json_object_get(record, key));
}

struct db_params *index_record_begin_params(const json_t *record, gint64 segment_messages, gint64 segment_silence)
{
    g_autoptr(GPtrArray) refs = g_ptr_array_new();
    const json_t *list = json_object_get(record, "refs");
    struct index_facts facts = {
        .key = get(record, "key"), .mailbox = get(record, "mailbox"), .message = get(record, "message"),
        .mail_id = get(record, "mail_id"), .from = get(record, "from"), .from_name = get(record, "from_name"),
        .recipient = get(record, "recipient"), .subject = get(record, "subject"), .body = get(record, "body"),
        .metadata = get(record, "metadata"), .occurred = json_integer_value(json_object_get(record, "occurred")),
        .segment_messages = segment_messages, .segment_silence = segment_silence,
    };

    if (!facts.key || !facts.mailbox || !facts.message || !facts.mail_id || !facts.metadata)
        return NULL;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_is_string(json_array_get(list, i)))
            g_ptr_array_add(refs, (gpointer)json_string_value(json_array_get(list, i)));
    g_ptr_array_add(refs, NULL);
    facts.refs = (const char *const *)refs->pdata;
    return index_params_begin(&facts);
}

struct db_params *index_record_settle_params(const json_t *record)
{
    if (!get(record, "key") || !get(record, "state"))
        return NULL;
    return index_params_settle(get(record, "key"), get(record, "state"), get(record, "reply"));
}
