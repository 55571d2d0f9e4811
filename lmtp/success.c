/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/success.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>

#include "core/address.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/config.h"
#include "core/error.h"
#include "core/journal.h"
#include "core/log.h"
#include "core/mail_report.h"
#include "core/utf8_text.h"
#include "lmtp/index.h"
#include "lmtp/mail.h"
#include "lmtp/reply.h"
#include "lmtp/store.h"
#include "lmtp/submit.h"
#include "lmtp/txn.h"

#define RECORD 1
#define MAX_HEADER (64 * 1024)
#define RETRY_US (15 * CLOCK_SECOND)
#define MAX_AGE (5 * CLOCK_DAY) /* as long as a mail server would try */
#define MAX_PER_HOUR 20         /* to one sender: his address may be forged */

struct success {
    struct journal *journal;
    const struct store_ops *store_ops;
    void *store;
    const char *hostname, *submit;
    const char *const *domains;
    GHashTable *counts; /* sender → reports in this hour; of the thread */
    gint64 hour;
    _Atomic bool waiting;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;
};

/* ---- The record ---- */

static void put(json_t *object, const char *key, const char *text)
{
    g_autofree char *valid = text ? utf8_valid(text, -1) : NULL;

    if (valid)
        json_object_set_new(object, key, json_string(valid));
}

static char *header_of(const struct mail *mail)
{
    size_t length = mail->header.header_len;
    const char *data = mail->data;

    return length <= MAX_HEADER ? utf8_valid(data, (gssize)length) : NULL;
}

void success_add(struct success *success, const struct txn *txn, const struct txn_recipient *rcpt,
                 const struct mail *mail, const struct index_entry *entry, const char *message_id, const char *subject)
{
    g_autofree char *header = header_of(mail);
    g_autofree char *orcpt = rcpt->path.orcpt ? g_strconcat(rcpt->path.orcpt_type, ";", rcpt->path.orcpt, NULL) : NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) object = NULL;

    if (*txn->sender.address == '\0')
        return;
    object = json_object();
    put(object, "id", entry->message);
    put(object, "sender", txn->sender.address);
    put(object, "recipient", rcpt->path.address);
    put(object, "orcpt", orcpt);
    put(object, "envid", txn->sender.envid);
    put(object, "reply", rcpt->reply);
    put(object, "message_id", message_id);
    put(object, "subject", subject);
    put(object, "header", header);
    json_object_set_new(object, "arrived", json_integer(txn->started));
    json_object_set_new(object, "at", json_integer(ump_clock_now_us()));
    text = json_dumps(object, JSON_COMPACT);
    if (journal_append(success->journal, RECORD, text, strlen(text), &error) < 0) {
        log_error("id", entry->message, "error", error->message, "status", "success-report-lost");
        return;
    }
    pthread_mutex_lock(&success->lock);
    success->waiting = true;
    pthread_cond_signal(&success->wake);
    pthread_mutex_unlock(&success->lock);
}

/* ---- Sending ---- */

static const char *get(const json_t *record, const char *key)
{
    return json_string_value(json_object_get(record, key));
}

static GBytes *compose(const struct success *success, const json_t *record)
{
    const char *header = get(record, "header");
    const struct mail_report_context context = {
        .id = get(record, "id"),
        .domain = success->domains[0],
        .hostname = success->hostname,
        .to_address = get(record, "sender"),
        .anchor = get(record, "message_id"),
        .original_id = get(record, "message_id"),
        .original_subject = get(record, "subject"),
        .at = json_integer_value(json_object_get(record, "at")),
        .envid = get(record, "envid"),
        .arrived = json_integer_value(json_object_get(record, "arrived")),
        .original = header,
        .original_len = header ? strlen(header) : 0,
    };
    const struct mail_report_recipient recipient = {
        .recipient = get(record, "recipient"),
        .original = get(record, "orcpt"),
        .action = MAIL_REPORT_DELIVERED,
        .status = "2.0.0",
        .reason = "The mail was delivered to the mailbox.",
        .at = context.at,
    };

    return mail_report_dsn(&context, &recipient, 1);
}

static bool is_ours(const struct success *success, const char *address)
{
    const char *at = strrchr(address, '@');

    for (const char *const *domain = success->domains; at && *domain; domain++)
        if (g_ascii_strcasecmp(at + 1, *domain) == 0)
            return true;
    return false;
}

/* Straight into the sender's mailbox. */
static int store_report(const struct success *success, const char *address, GBytes *report, char **reply,
                        GError **error)
{
    g_autofree char *path_text = g_strconcat("<", address, ">", NULL);
    struct smtp_path sender = {.null = true, .address = g_strdup("")}, path = {0};
    struct txn_forward forward = {0};
    struct txn *txn;
    struct txn_recipient *rcpt;
    struct store_hold *hold = NULL;
    gsize size;
    const void *data = g_bytes_get_data(report, &size);
    const struct iovec piece = {(void *)data, size};
    int code;

    if (smtp_path_parse(path_text, strlen(path_text), SMTP_PATH_RCPT | SMTP_PATH_ALLOW_UTF8, &path) != SMTP_PATH_OK) {
        smtp_path_clear(&sender);
        *reply = g_strdup("553 5.1.3");
        return SUBMIT_REFUSED;
    }
    txn = txn_new(&sender, &forward, "localhost");
    rcpt = txn_add(txn, &path);
    success->store_ops->check(success->store, &hold, txn, &rcpt, 1, true);
    if (rcpt->accepted)
        success->store_ops->deliver(success->store, &hold, txn, &rcpt, 1, &piece, 1);
    success->store_ops->end(success->store, &hold);
    *reply = g_strdup(rcpt->reply);
    code = reply_code(rcpt->reply);
    txn_free(txn);
    if (code / 100 == 2)
        return SUBMIT_TAKEN;
    if (code / 100 == 5)
        return SUBMIT_REFUSED;
    g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "the store said %s", *reply);
    return -1;
}

/* Through the mail server; a sender with a mailbox here gets it also while that does not listen. */
static int hand_over(const struct success *success, const char *sender, GBytes *report, char **reply, GError **error)
{
    g_autoptr(GError) problem = NULL;
    int result = success->submit ? submit_mail(success->submit, success->hostname, sender, report, reply, &problem) : -1;

    if (result >= 0)
        return result;
    if (is_ours(success, sender))
        return store_report(success, sender, report, reply, error);
    if (problem)
        g_propagate_error(error, g_steal_pointer(&problem));
    else
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "[lmtp] submit is not set");
    return -1;
}

static bool too_many(struct success *success, const char *sender)
{
    gint64 hour = ump_clock_now_us() / CLOCK_HOUR;
    guint count;

    if (hour != success->hour) {
        g_hash_table_remove_all(success->counts);
        success->hour = hour;
    }
    count = GPOINTER_TO_UINT(g_hash_table_lookup(success->counts, sender)) + 1;
    g_hash_table_insert(success->counts, g_strdup(sender), GUINT_TO_POINTER(count));
    return count > MAX_PER_HOUR;
}

/* Nobody will take it any more, or nobody shall. */
static const char *reason_to_drop(struct success *success, const json_t *record, const char *sender)
{
    if (ump_clock_now_us() - json_integer_value(json_object_get(record, "at")) > MAX_AGE)
        return "too old";
    if (!success->submit && !is_ours(success, sender))
        return "[lmtp] submit is not set";
    return too_many(success, sender) ? "too many to this sender" : NULL;
}

static int send_one(struct success *success, const json_t *record, GError **error)
{
    const char *sender = get(record, "sender"), *why;
    g_autoptr(GBytes) report = NULL;
    g_autofree char *reply = NULL;
    int result;

    if (!sender || !get(record, "id") || !get(record, "recipient"))
        return 0;
    why = reason_to_drop(success, record, sender);
    if (why) {
        log_info("id", get(record, "id"), "to", LOG_ADDRESS(sender), "reason", why, "status", "success-report-dropped");
        return 0;
    }
    report = compose(success, record);
    result = hand_over(success, sender, report, &reply, error);
    if (result < 0)
        return -1;
    log_info("id", get(record, "id"), "to", LOG_ADDRESS(sender), "reply", reply, "status",
             result == SUBMIT_TAKEN ? "success-reported" : "success-report-refused");
    return 0;
}

static int replay_record(const struct journal_record *record, void *data, GError **error)
{
    g_autoptr(json_t) object = json_loadb((const char *)record->payload, record->length, 0, NULL);

    return object ? send_one(data, object, error) : 0;
}

static void *send_thread(void *data)
{
    struct success *success = data;
    const struct journal_handler handler = {replay_record, NULL, success};

    pthread_mutex_lock(&success->lock);
    while (!success->stop) {
        bool failed = false;
        if (success->waiting) {
            g_autoptr(GError) error = NULL;
            success->waiting = false;
            pthread_mutex_unlock(&success->lock);
            failed = journal_replay(success->journal, &handler, NULL, &error) < 0;
            if (failed)
                log_warning("error", error->message, "status", "success-report-waits");
            pthread_mutex_lock(&success->lock);
            success->waiting = success->waiting || failed;
        }
        if (!success->stop && (failed || !success->waiting))
            cond_wait_until(&success->wake, &success->lock, ump_clock_mono_us() + RETRY_US);
    }
    pthread_mutex_unlock(&success->lock);
    return NULL;
}

struct success *success_open(const struct config *config, const struct store_ops *store_ops, void *store,
                             GError **error)
{
    struct success *success = g_new0(struct success, 1);
    g_autofree char *dir = g_strconcat(config_get_string(config, "lmtp", "journal_dir"), "-reports", NULL);
    struct journal_options options = {.dir = dir, .reserve_size = -1};

    success->journal = journal_open(&options, error);
    if (!success->journal) {
        g_free(success);
        return NULL;
    }
    success->store_ops = store_ops;
    success->store = store;
    success->hostname = config_get_string(config, "gateway", "hostname");
    success->domains = config_get_list(config, "gateway", "domains");
    success->submit = config_get_string(config, "lmtp", "submit");
    success->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    success->waiting = true;
    pthread_mutex_init(&success->lock, NULL);
    cond_init(&success->wake);
    pthread_create(&success->thread, NULL, send_thread, success);
    return success;
}

void success_close(struct success *success)
{
    if (!success)
        return;
    pthread_mutex_lock(&success->lock);
    success->stop = true;
    pthread_cond_signal(&success->wake);
    pthread_mutex_unlock(&success->lock);
    pthread_join(success->thread, NULL);
    journal_close(success->journal);
    g_hash_table_destroy(success->counts);
    pthread_mutex_destroy(&success->lock);
    pthread_cond_destroy(&success->wake);
    g_free(success);
}
