/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/index.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/config.h"
#include "core/db.h"
#include "core/journal.h"
#include "core/log.h"
#include "core/mail_index.h"
#include "core/utf8_text.h"
#include "lmtp/index_record.h"
#include "lmtp/latch.h"
#include "lmtp/mail.h"
#include "lmtp/reply.h"
#include "lmtp/settler.h"
#include "lmtp/txn.h"

#define MAX_REFS 50
#define REPLAY_BATCH 64
#define REPLAY_PAUSE_US CLOCK_SECOND
/* After the database failed once, mail does not wait for it again before this. */
#define SUSPEND_US (2 * CLOCK_SECOND)

struct index {
    struct db *db;
    struct journal *journal;
    struct settler *settler;
    bool required;
    unsigned wait_ms;
    size_t max_text;
    const char *domain;
    gint64 segment_messages, segment_silence;
    _Atomic gint64 suspended_until;
    _Atomic bool journaled; /* something waits for a replay */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;
};

struct index_mail {
    struct mail_index parsed;
    char *mail_id, *metadata;
    GPtrArray *refs; /* borrowed from parsed, NULL-terminated */
    gint64 occurred;
};

void index_entry_clear(struct index_entry *entry)
{
    g_clear_pointer(&entry->key, g_free);
}

/* ---- What is indexed ---- */

static char *metadata_of(const struct index_mail *mail, const struct txn *txn)
{
    g_autoptr(json_t) object = json_object();
    g_autofree char *subject = mail->parsed.subject ? utf8_valid(mail->parsed.subject, -1) : NULL;
    g_autofree char *sender = utf8_valid(txn->sender.address, -1);

    if (subject)
        json_object_set_new(object, "subject", json_string(subject));
    json_object_set_new(object, "envelope_sender", json_string(sender));
    return json_dumps(object, JSON_COMPACT);
}

struct index_mail *index_mail_new(struct index *index, const struct mail *mail, const struct txn *txn)
{
    struct index_mail *out = g_new0(struct index_mail, 1);
    gint64 now = ump_clock_now_us();

    mail_parse_index(mail->data, mail->length, index->max_text, &out->parsed);
    if (out->parsed.message_id) {
        out->mail_id = g_strdup(out->parsed.message_id);
    } else {
        g_autofree char *id = ids_new();
        out->mail_id = ids_message_id(id, index->domain);
    }
    out->refs = g_ptr_array_new();
    if (out->parsed.in_reply_to)
        g_ptr_array_add(out->refs, out->parsed.in_reply_to);
    for (guint n = g_strv_length(out->parsed.references); n > 0 && out->refs->len < MAX_REFS; n--)
        if (g_strcmp0(out->parsed.references[n - 1], out->parsed.in_reply_to) != 0)
            g_ptr_array_add(out->refs, out->parsed.references[n - 1]);
    g_ptr_array_add(out->refs, NULL);
    /* what claims to come from the future would stay the newest of its conversation for ever */
    out->occurred = out->parsed.date > 0 ? MIN(out->parsed.date, now) : now;
    out->metadata = metadata_of(out, txn);
    return out;
}

void index_mail_free(struct index_mail *mail)
{
    if (!mail)
        return;
    mail_index_clear(&mail->parsed);
    g_free(mail->mail_id);
    g_free(mail->metadata);
    g_ptr_array_unref(mail->refs);
    g_free(mail);
}

const char *index_mail_subject(const struct index_mail *mail)
{
    return mail->parsed.subject;
}

const char *index_mail_id(const struct index_mail *mail)
{
    return mail->mail_id;
}

static struct index_facts facts_of(const struct index *index, const struct index_mail *mail,
                                   const struct index_entry *entry)
{
    return (struct index_facts){
        .key = entry->key, .mailbox = entry->mailbox, .message = entry->message, .mail_id = mail->mail_id,
        .refs = (const char *const *)mail->refs->pdata, .from = mail->parsed.from ? mail->parsed.from : "",
        .from_name = mail->parsed.from_name, .recipient = entry->recipient, .subject = mail->parsed.subject,
        .body = mail->parsed.text ? mail->parsed.text : "", .metadata = mail->metadata, .occurred = mail->occurred,
        .segment_messages = index->segment_messages, .segment_silence = index->segment_silence,
    };
}

/* ---- Begin ---- */

struct pending {
    struct index *index;
    struct index_entry *entry;
    struct latch *latch;
};

static enum index_state state_without(struct index *index, const struct index_entry *entry, const GError *error)
{
    bool temporary = db_error_is_temporary(error);

    if (temporary)
        index->suspended_until = ump_clock_mono_us() + SUSPEND_US;
    log_warning("key", entry->key, "error", error->message, "status", "index-failed");
    if (index->required || entry->bridged)
        return INDEX_WAIT;
    return temporary ? INDEX_LATER : INDEX_NONE;
}

static enum index_state state_of(const char *word)
{
    if (g_strcmp0(word, "done") == 0)
        return INDEX_DONE;
    return g_strcmp0(word, "foreign") == 0 ? INDEX_NONE : INDEX_PENDING;
}

static void begun(void *data, struct db_rows *rows, const GError *error)
{
    struct pending *pending = data;
    struct index_entry *entry = pending->entry;

    if (error) {
        entry->state = state_without(pending->index, entry, error);
    } else {
        const char *conversation = entry->bridged ? NULL : db_rows_text_of(rows, 0, "conversation_id");
        entry->state = state_of(db_rows_text(rows, 0, 0));
        if (conversation)
            g_strlcpy(entry->conversation, conversation, sizeof entry->conversation);
        db_rows_free(rows);
    }
    latch_drop(pending->latch);
}

static struct db_params *bridged_params(const struct mail *mail, const struct index_entry *entry)
{
    struct db_params *params = db_params_new();

    db_params_text(params, entry->key);
    db_params_text(params, mail->stamp.login); /* the account */
    db_params_uuid(params, mail->stamp.txn);   /* the message */
    db_params_uuid(params, mail->conversation_id);
    return params;
}

/* The mailbox and the root of the thread: what a conversation is known by before it is looked up. */
static char *lock_key(const struct index_mail *mail, const struct index_entry *entry)
{
    char **references = mail->parsed.references;

    return g_strconcat(entry->mailbox, "\n", references[0] ? references[0] : mail->mail_id, NULL);
}

static void begin_one(struct index *index, const struct index_mail *mail, const struct mail *trusted,
                      struct index_entry *entry, struct pending *pending)
{
    g_autoptr(GError) error = NULL;
    struct db_params *params;
    g_autofree char *key = NULL;
    unsigned stmt = entry->bridged ? DB_STMT_BRIDGED_BEGIN : DB_STMT_MAIL_BEGIN;

    if (entry->bridged) {
        params = bridged_params(trusted, entry);
    } else {
        const struct index_facts facts = facts_of(index, mail, entry);
        params = index_params_begin(&facts);
        key = lock_key(mail, entry);
    }
    latch_add(pending->latch);
    if (db_write_async(index->db, stmt, params, key, index->wait_ms, begun, pending, &error) < 0) {
        entry->state = state_without(index, entry, error);
        latch_drop(pending->latch);
    }
}

static bool is_away(struct index *index)
{
    return !index->required && (!db_is_up(index->db) || ump_clock_mono_us() < index->suspended_until);
}

void index_begin(struct index *index, const struct index_mail *mail, const struct mail *trusted,
                 struct index_entry *entries, guint count)
{
    g_autofree struct pending *pending = g_new(struct pending, count);
    bool away = is_away(index);
    struct latch latch;

    latch_init(&latch);
    for (guint i = 0; i < count; i++) {
        ids_uuid uuid;
        pending[i] = (struct pending){index, &entries[i], &latch};
        ids_uuid_random(&uuid);
        ids_uuid_format(&uuid, entries[i].message);
        if (away)
            entries[i].state = entries[i].bridged ? INDEX_WAIT : INDEX_LATER;
        else
            begin_one(index, mail, trusted, &entries[i], &pending[i]);
    }
    latch_wait(&latch);
}

/* ---- Settle ---- */

/* "done", "failed", or NULL: nothing changes, the mail comes again. */
static const char *settled_state(const struct index_entry *entry)
{
    int code = reply_code(entry->reply);

    if (code >= 200 && code < 300)
        return "done";
    if (code >= 500 || !entry->stable_key)
        return "failed";
    return NULL;
}

static void journal(struct index *index, enum index_record type, const char *key, char *record)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *taken = record;

    if (journal_append(index->journal, type, taken, strlen(taken), &error) < 0)
        log_error("key", key, "error", error->message, "status", "index-lost");
    else
        index->journaled = true;
}

/* The settler could not. */
static void kept(void *data, const char *key, const char *reply)
{
    journal(data, INDEX_RECORD_SETTLE, key, index_record_settle(key, "done", reply));
}

struct settling {
    struct index *index;
    struct latch *latch;
    bool failed;
};

static void settled(void *data, struct db_rows *rows, const GError *error)
{
    struct settling *settling = data;

    if (error) {
        settling->failed = true;
        if (db_error_is_temporary(error))
            settling->index->suspended_until = ump_clock_mono_us() + SUSPEND_US;
    }
    db_rows_free(rows);
    latch_drop(settling->latch);
}

static void settle_refused(struct index *index, const struct index_entry *entry, struct settling *settling)
{
    latch_add(settling->latch);
    if (db_write_async(index->db, DB_STMT_MAIL_SETTLE, index_params_settle(entry->key, "failed", entry->reply), NULL,
                       index->wait_ms, settled, settling, NULL) < 0) {
        settling->failed = true;
        latch_drop(settling->latch);
    }
}

void index_settle(struct index *index, const struct index_mail *mail, struct index_entry *const *entries, guint count)
{
    g_autofree struct settling *settling = g_new0(struct settling, count);
    struct latch latch;

    latch_init(&latch);
    for (guint i = 0; i < count; i++) {
        struct index_entry *entry = entries[i];
        const char *state = settled_state(entry);
        settling[i] = (struct settling){index, &latch, false};
        if (g_strcmp0(state, "failed") == 0 && entry->state == INDEX_PENDING) {
            settle_refused(index, entry, &settling[i]);
        } else if (g_strcmp0(state, "done") == 0 && entry->state == INDEX_PENDING) {
            entry->settling = true;
            settler_add(index->settler, entry->key, entry->reply, entry->stable_key);
        } else if (g_strcmp0(state, "done") == 0 && entry->state == INDEX_LATER) {
            const struct index_facts facts = facts_of(index, mail, entry);
            journal(index, INDEX_RECORD_MAIL, entry->key, index_record_mail(&facts, entry->reply));
        }
    }
    latch_wait(&latch);
    for (guint i = 0; i < count; i++)
        if (settling[i].failed)
            journal(index, INDEX_RECORD_SETTLE, entries[i]->key,
                    index_record_settle(entries[i]->key, "failed", entries[i]->reply));
}

/* ---- Replay ---- */

struct replay {
    struct index *index;
    GPtrArray *records; /* json_t * */
    bool failed;        /* something must come again */
    struct latch latch;
};

static void replayed(void *data, struct db_rows *rows, const GError *error)
{
    struct replay *replay = data;

    /* what will fail for ever is said, and left */
    if (error && db_error_is_temporary(error))
        replay->failed = true;
    else if (error)
        log_error("error", error->message, "status", "index-lost");
    db_rows_free(rows);
    latch_drop(&replay->latch);
}

static void replay_pass(struct replay *replay, unsigned stmt)
{
    struct index *index = replay->index;

    latch_init(&replay->latch);
    for (guint i = 0; i < replay->records->len && !replay->failed; i++) {
        const json_t *record = g_ptr_array_index(replay->records, i);
        struct db_params *params =
            stmt == DB_STMT_MAIL_BEGIN
                ? index_record_begin_params(record, index->segment_messages, index->segment_silence)
                : index_record_settle_params(record);
        if (!params)
            continue;
        latch_add(&replay->latch);
        if (db_write_async(index->db, stmt, params, json_string_value(json_object_get(record, "mailbox")), 0,
                           replayed, replay, NULL) < 0) {
            replay->failed = true;
            latch_drop(&replay->latch);
        }
    }
    latch_wait(&replay->latch);
}

static int replay_flush(void *data, GError **error)
{
    struct replay *replay = data;

    replay->failed = false;
    replay_pass(replay, DB_STMT_MAIL_BEGIN);
    if (!replay->failed)
        replay_pass(replay, DB_STMT_MAIL_SETTLE);
    g_ptr_array_set_size(replay->records, 0);
    if (!replay->failed)
        return 0;
    g_set_error(error, DB_ERROR, DB_ERROR_CONNECTION, "the database does not answer");
    return -1;
}

static int replay_record(const struct journal_record *record, void *data, GError **error)
{
    struct replay *replay = data;
    json_t *object = json_loadb((const char *)record->payload, record->length, 0, NULL);

    if (object)
        g_ptr_array_add(replay->records, object);
    return replay->records->len < REPLAY_BATCH ? 0 : replay_flush(replay, error);
}

static void replay_all(struct index *index)
{
    struct replay replay = {.index = index};
    const struct journal_handler handler = {replay_record, replay_flush, &replay};
    g_autoptr(GError) error = NULL;
    guint64 count = 0;

    index->journaled = false;
    replay.records = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    if (journal_replay(index->journal, &handler, &count, &error) < 0) {
        index->journaled = true;
        log_warning("error", error->message, "status", "replay-stopped");
    }
    g_ptr_array_unref(replay.records);
    if (count > 0)
        log_notice("records", LOG_INT((gint64)count), "status", "index-replayed");
}

static void *replay_thread(void *data)
{
    struct index *index = data;

    pthread_mutex_lock(&index->lock);
    while (!index->stop) {
        pthread_mutex_unlock(&index->lock);
        if (index->journaled && db_is_up(index->db))
            replay_all(index);
        pthread_mutex_lock(&index->lock);
        if (!index->stop)
            cond_wait_until(&index->wake, &index->lock, ump_clock_mono_us() + REPLAY_PAUSE_US);
    }
    pthread_mutex_unlock(&index->lock);
    return NULL;
}

/* ---- Life ---- */

struct index *index_open(struct db *db, const struct config *config, struct underway *underway, GError **error)
{
    struct index *index = g_new0(struct index, 1);
    struct journal_options options = {.dir = config_get_string(config, "lmtp", "journal_dir"),
                                      .reserve_size = config_get_size(config, "lmtp", "journal_reserve")};

    index->journal = journal_open(&options, error);
    if (!index->journal) {
        g_free(index);
        return NULL;
    }
    index->db = db;
    index->required = g_str_equal(config_get_string(config, "lmtp", "index"), "required");
    index->wait_ms = (unsigned)config_get_duration_ms(config, "lmtp", "index_wait");
    index->max_text = (size_t)config_get_size(config, "lmtp", "index_text");
    index->domain = config_get_list(config, "gateway", "domains")[0];
    index->segment_messages = config_get_int(config, "conversation", "segment_messages");
    index->segment_silence = config_get_duration(config, "conversation", "segment_silence");
    index->journaled = true; /* of an earlier run, perhaps */
    index->settler = settler_new(db, underway, index->wait_ms, kept, index);
    pthread_mutex_init(&index->lock, NULL);
    cond_init(&index->wake);
    pthread_create(&index->thread, NULL, replay_thread, index);
    return index;
}

void index_close(struct index *index)
{
    if (!index)
        return;
    pthread_mutex_lock(&index->lock);
    index->stop = true;
    pthread_cond_signal(&index->wake);
    pthread_mutex_unlock(&index->lock);
    pthread_join(index->thread, NULL);
    settler_free(index->settler);
    journal_close(index->journal);
    pthread_mutex_destroy(&index->lock);
    pthread_cond_destroy(&index->wake);
    g_free(index);
}
