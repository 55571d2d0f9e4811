/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail for gateway addresses: the stamp, the whole policy once more, then one message per recipient into the outbound
 * queue.  Every recipient has a fate of its own; all writes of one mail share the writer's batch.
 */
#include <string.h>

#include "core/clock.h"
#include "core/db.h"
#include "core/ids.h"
#include "core/log.h"
#include "core/policy_alarm.h"
#include "core/policy_cache.h"
#include "core/quiet.h"
#include "lmtp/answer.h"
#include "lmtp/door.h"
#include "lmtp/group.h"
#include "lmtp/latch.h"
#include "lmtp/mail.h"
#include "lmtp/reply.h"
#include "lmtp/submission.h"

/* ---- RCPT ---- */

void gateway_check(struct door *door, struct txn *txn, struct txn_recipient *rcpt)
{
    g_autofree char *plain = g_strconcat(rcpt->path.local, "@", rcpt->path.domain, NULL);
    g_auto(address_t) address = {0};
    enum address_result result = address_parse(plain, strlen(plain), &door->space, &address);
    /* digits alone may be a number in the region of the sender's account, which is not known yet */
    bool later = result == ADDRESS_BAD_NUMBER && address.written && address.written[0] != '+';

    rcpt->accepted = result == ADDRESS_OK || later;
    if (rcpt->accepted) {
        txn_reply(rcpt, reply_text(REPLY_RECIPIENT_OK));
    } else {
        g_autofree char *why = address_explain(result, &address);
        g_autofree char *line = g_strdup_printf("550 %s %s", address_status_code(result), why);
        txn_reply_take(rcpt, reply_clean(line));
        log_info("queue", txn->forward.ident, "from", LOG_ADDRESS(txn->sender.address), "to",
                 LOG_ADDRESS(rcpt->path.address), "status", "refused");
    }
}

/* ---- One recipient ---- */

struct task {
    struct submission *submission;
    struct txn_recipient *rcpt;
    struct policy_request request;
    struct policy_facts facts;
    struct submission_message message;
    char *plain; /* the recipient without quotes */
    char *text, *identifier, *group_id, *waits;
    struct latch *latch;
    bool writing;
    /* set by the writer */
    char *outcome, *stored_id;
    char *error;
};

static void task_clear(struct task *task)
{
    policy_facts_clear(&task->facts);
    g_free(task->message.message_id);
    json_decref(task->message.template);
    g_free(task->plain);
    g_free(task->text);
    g_free(task->identifier);
    g_free(task->group_id);
    g_free(task->waits);
    g_free(task->outcome);
    g_free(task->stored_id);
    g_free(task->error);
}

static void log_task(const struct task *task, const char *why, const char *status)
{
    const struct submission *submission = task->submission;

    log_info("id", task->stored_id ? task->stored_id : task->message.message_id, "queue", submission->txn->forward.ident,
             "message_id", submission->mail->message_id, "txn", submission->mail->stamp.txn, "login",
             submission->mail->stamp.login, "to", LOG_ADDRESS(task->rcpt->path.address), "endpoint",
             task->facts.endpoint_id, "segments", task->message.segments ? LOG_INT(task->message.segments) : NULL,
             "delay", LOG_MS(ump_clock_now_us() - submission->txn->started), "reason", why, "status", status);
}

/* The verdict becomes the reply; true: go on. */
static bool pass(struct task *task, struct policy_verdict *verdict)
{
    bool accepted = verdict->action == POLICY_ACCEPT;

    if (verdict->action == POLICY_DROP) {
        txn_reply(task->rcpt, reply_text(REPLY_DROPPED));
        log_task(task, verdict->log, "dropped");
    } else if (!accepted) {
        g_autofree char *line = policy_verdict_reply(verdict);
        txn_reply_take(task->rcpt, reply_clean(line));
        log_task(task, verdict->log, verdict->action == POLICY_TEMPORARY ? "deferred" : "refused");
        policy_alarm_look(task->submission->door->alarm, &task->request, task->facts.known ? &task->facts : NULL, verdict);
    }
    policy_verdict_clear(verdict);
    return accepted;
}

static bool pass_reason(struct task *task, enum policy_reason reason)
{
    struct policy_verdict verdict;

    policy_verdict_reason(reason, &verdict);
    return pass(task, &verdict);
}

static bool refuse(struct task *task, enum reply reply, const char *why)
{
    txn_reply(task->rcpt, reply_text(reply));
    log_task(task, why, reply_text(reply)[0] == '5' ? "refused" : reply_text(reply)[0] == '2' ? "done" : "deferred");
    return false;
}

/* A recipient that the milter did not see is one that an alias led to.  It is judged like any other by the policy of
 * the stamp's login; but the address that the milter did see must have stood before it. */
static bool check_token(struct task *task)
{
    const struct stamp *stamp = &task->submission->mail->stamp;
    const struct stamp_keys *keys = task->submission->door->stamp_keys;
    const struct smtp_path *path = &task->rcpt->path;

    if (task->submission->mail->trust != MAIL_TRUST_MILTER || stamp_has_recipient(keys, stamp, path->address))
        return true; /* without a stamp only a declared local user comes here */
    if (path->orcpt && g_strcmp0(path->orcpt_type, "rfc822") == 0 && stamp_has_recipient(keys, stamp, path->orcpt))
        return true;
    return pass_reason(task, POLICY_STAMP_BAD);
}

/* What depends on the moment is decided by accept_submission, which knows a repeat when it sees one. */
static bool decided_later(enum policy_reason reason)
{
    return reason == POLICY_OPTED_OUT || reason == POLICY_CAP_USER || reason == POLICY_CAP_MACHINE ||
           reason == POLICY_CAP_SPEND || reason == POLICY_CAP_RANGE;
}

static bool facts_failed(struct task *task, const GError *error)
{
    log_warning("error", error->message, "status", "database");
    return pass_reason(task, POLICY_UNAVAILABLE);
}

static bool load_facts(struct task *task, struct policy_facts *facts)
{
    struct door *door = task->submission->door;
    g_autoptr(GError) error = NULL;

    if (policy_cache_get(door->facts, &door->site, &task->request, facts)) {
        int closed = policy_facts_window(door->db, &task->request, door->database_ms, facts, &error);
        if (closed == 0)
            return true;
        policy_facts_clear(facts);
        if (closed < 0)
            return facts_failed(task, error);
    }
    if (policy_facts_load(door->db, &door->site, &task->request, door->database_ms, facts, &error) == 0) {
        policy_cache_put(door->facts, &task->request, facts);
        return true;
    }
    return facts_failed(task, error);
}

/* UMP-Channel-Preference beats the channel in the address, where he has an endpoint for it. */
static bool prefer_channel(struct task *task)
{
    char **wished = task->submission->parsed->channel_preference;

    if (task->facts.address.kind != ADDRESS_NUMBER || task->facts.machine)
        return true;
    for (; *wished; wished++) {
        g_auto(policy_facts_t) other = {0};
        const char *before = task->request.channel;
        if (g_strcmp0(*wished, task->facts.address.channel) == 0)
            return true;
        task->request.channel = *wished;
        if (!load_facts(task, &other))
            return false;
        if (other.endpoint_id && g_strcmp0(other.endpoint_status, "enabled") == 0) {
            struct policy_facts taken = other;
            other = task->facts;
            task->facts = taken;
            return true;
        }
        task->request.channel = before;
    }
    return true;
}

static bool check_policy(struct task *task)
{
    struct door *door = task->submission->door;
    struct policy_message message;
    struct policy_verdict verdict;

    submission_policy_message(task->submission, NULL, NULL, &message);
    policy_check_mail(&door->site, &task->request, &task->facts, &message, &verdict);
    if (!pass(task, &verdict))
        return false;
    policy_check_recipient(&door->site, &task->request, &task->facts, &verdict);
    if (verdict.action == POLICY_REFUSE && decided_later(verdict.reason))
        policy_verdict_clear(&verdict);
    else if (!pass(task, &verdict))
        return false;
    return true;
}

static bool check_content(struct task *task)
{
    struct door *door = task->submission->door;
    struct policy_message message;
    struct policy_verdict verdict;

    task->text = submission_text(task->submission, &task->facts);
    submission_fit(task->submission, &task->facts);
    submission_policy_message(task->submission, &task->facts, task->text, &message);
    policy_check_content(&door->site, &task->request, &task->facts, &message, &verdict);
    return pass(task, &verdict);
}

static void written(void *data, struct db_rows *rows, const GError *error)
{
    struct task *task = data;

    if (error) {
        task->error = g_strdup(error->message);
    } else {
        task->outcome = g_strdup(db_rows_text_of(rows, 0, "outcome"));
        task->stored_id = g_strdup(db_rows_text_of(rows, 0, "message_id"));
        db_rows_free(rows);
    }
    latch_drop(task->latch);
}

/* What a machine sends stays out of the recipient's quiet hours (ump-bridge looks again, before it is sent). */
static void wait_for_morning(struct task *task)
{
    const struct policy_facts *facts = &task->facts;
    gint64 at = MAX(task->message.due, ump_clock_now_us());
    gint64 until = facts->machine ? quiet_until(facts->endpoint_settings, facts->account_settings, task->identifier,
                                                task->submission->parsed->urgent, at, &task->waits)
                                  : at;

    if (until > at)
        task->message.due = until;
    task->message.waits = task->waits;
}

static bool write_task(struct task *task)
{
    struct submission *submission = task->submission;
    g_autoptr(GError) error = NULL;
    g_autofree char *key = NULL;
    enum policy_reason due = policy_due(&task->facts.address, submission->parsed->deferred_until, &task->message.due);

    if (due != POLICY_OK)
        return pass_reason(task, due);
    submission_fit(submission, &task->facts);
    if (submission_store_media(submission, &error) < 0) {
        log_error("error", error->message, "status", "media-failed");
        return refuse(task, REPLY_MEDIA_FAILED, "media");
    }
    wait_for_morning(task);
    task->message.rcpt = task->rcpt;
    task->message.facts = &task->facts;
    task->message.identifier = task->identifier;
    task->message.group_id = task->group_id;
    task->message.text = task->text;
    task->message.hold = submission_hold(submission, &task->facts);
    task->message.template = policy_template(&task->request, &task->facts);
    task->message.message_id = ids_new();
    key = submission_lock_key(&task->message);
    latch_add(task->latch);
    if (db_write_async(submission->door->db, DB_STMT_ACCEPT_SUBMISSION, submission_params(submission, &task->message),
                       key, submission->door->database_ms, written, task, &error) < 0) {
        latch_drop(task->latch);
        log_warning("error", error->message, "status", "database");
        return pass_reason(task, POLICY_UNAVAILABLE);
    }
    task->writing = true;
    submission->accepted++;
    return true;
}

static void run_task(struct task *task)
{
    struct submission *submission = task->submission;
    enum group_result group;

    if (!check_token(task))
        return;
    submission_request(submission, task->rcpt, &task->request);
    task->plain = g_strconcat(task->rcpt->path.local, "@", task->rcpt->path.domain, NULL);
    task->request.recipient = task->plain;
    if (!load_facts(task, &task->facts))
        return;
    if (task->facts.address.kind == ADDRESS_NOTICE && task->facts.address_result == ADDRESS_OK) {
        struct policy_verdict verdict;
        policy_check_recipient(&submission->door->site, &task->request, &task->facts, &verdict);
        if (pass(task, &verdict))
            answer_notice(submission, task->rcpt, &task->request, &task->facts);
        return;
    }
    if (!prefer_channel(task) || !check_policy(task))
        return;
    group = group_resolve(submission, &task->request, &task->facts, task->rcpt, &task->identifier, &task->group_id);
    if (group == GROUP_ANSWERED)
        log_task(task, "group", reply_code(task->rcpt->reply) / 100 == 2 ? "group-part" : "refused");
    else if (check_content(task))
        write_task(task);
}

/* ---- The answer ---- */

static void answer(struct task *task)
{
    struct submission *submission = task->submission;
    struct policy_verdict verdict;
    g_autofree char *shown = NULL, *detail = NULL;

    if (task->error || !task->outcome) {
        log_warning("error", task->error, "status", "database");
        pass_reason(task, POLICY_UNAVAILABLE);
        return;
    }
    policy_verdict_outcome(&submission->door->site, &task->request, &task->facts, task->outcome, &verdict);
    if (!pass(task, &verdict))
        return;
    shown = ids_show("msg", task->stored_id);
    detail = g_strdup_printf("%s %s", task->message.hold ? "held until the preview is confirmed," : "queued as", shown);
    txn_reply_take(task->rcpt, reply_detail(REPLY_OK, detail));
    log_task(task, task->message.hold ? task->message.hold : task->waits, g_str_equal(task->outcome, "repeat") ? "repeat"
                                       : task->message.hold                 ? "held"
                                                                            : "queued");
}

static void deliver_stamped(struct door *door, struct txn *txn, const struct mail *mail,
                            struct txn_recipient *const *rcpts, guint count)
{
    g_autofree struct task *tasks = g_new0(struct task, count);
    g_autofree char *line = NULL;
    struct submission submission;
    struct latch latch;

    latch_init(&latch);
    if (submission_open(&submission, door, txn, mail, &line) != SUBMISSION_OK) {
        for (guint i = 0; i < count; i++)
            txn_reply(rcpts[i], line);
        log_info("queue", txn->forward.ident, "reason", line, "status", line[0] == '5' ? "refused" : "deferred");
        count = 0;
    }
    for (guint i = 0; i < count; i++) {
        tasks[i].submission = &submission;
        tasks[i].rcpt = rcpts[i];
        tasks[i].latch = &latch;
        txn_reply_take(rcpts[i], NULL);
        run_task(&tasks[i]);
    }
    latch_wait(&latch);
    for (guint i = 0; i < count; i++) {
        if (tasks[i].writing)
            answer(&tasks[i]);
        task_clear(&tasks[i]);
    }
    submission_close(&submission);
}

/* Is the envelope sender of a domain of ours, or of a host in it?  A bounce then stays in the house. */
static bool is_domestic(const struct door *door, const struct smtp_path *sender)
{
    size_t length = sender->domain ? strlen(sender->domain) : 0;

    for (const char *const *domain = door->domains; *domain; domain++) {
        size_t n = strlen(*domain);
        if (length >= n && g_ascii_strcasecmp(sender->domain + length - n, *domain) == 0 &&
            (length == n || sender->domain[length - n - 1] == '.'))
            return true;
    }
    return false;
}

/* Without a good stamp nothing leaves: sendmail(1), a milter that was down, a forgery.  What came from elsewhere (an
 * alias of ours may lead to a number) is dropped: its sender may be forged, and he would get the bounce (FAILURES T13). */
static void refuse_unstamped(const struct door *door, const struct txn *txn, const struct mail *mail, struct txn_recipient *const *rcpts,
                             guint count)
{
    enum policy_reason reason = *txn->sender.address == '\0'               ? POLICY_NULL_SENDER
                                : mail->stamp_result == STAMP_MISSING ? POLICY_STAMP_MISSING
                                                                      : POLICY_STAMP_BAD;

    for (guint i = 0; i < count; i++) {
        g_auto(policy_verdict_t) verdict = {0};
        enum policy_action action = policy_verdict_reason(reason, &verdict);
        g_autofree char *line = policy_verdict_reply(&verdict);
        bool dropped = action == POLICY_DROP || !is_domestic(door, &txn->sender);
        if (dropped)
            txn_reply(rcpts[i], reply_text(REPLY_DROPPED));
        else
            txn_reply_take(rcpts[i], reply_clean(line));
        log_info("queue", txn->forward.ident, "from", LOG_ADDRESS(txn->sender.address), "to",
                 LOG_ADDRESS(rcpts[i]->path.address), "stamp", stamp_result_text(mail->stamp_result), "reason",
                 verdict.log, "status", dropped ? "dropped" : "refused");
    }
}

/* Mail by sendmail(1): no milter stamps it, the policy decides whether its uid is a declared machine sender. */
static void deliver_local(struct door *door, struct txn *txn, const struct mail *mail,
                          struct txn_recipient *const *rcpts, guint count)
{
    const struct policy_who who = {NULL, NULL, mail->local_uid};
    g_autofree char *login = policy_who_format(&who);
    struct mail vouched = *mail;

    vouched.stamp = (struct stamp){.kind = STAMP_MILTER, .txn = mail->local_txn, .login = login, .machine = true};
    deliver_stamped(door, txn, &vouched, rcpts, count);
}

void gateway_deliver(struct door *door, struct txn *txn, const struct mail *mail, struct txn_recipient *const *rcpts,
                     guint count)
{
    if (mail->trust == MAIL_TRUST_MILTER)
        deliver_stamped(door, txn, mail, rcpts, count);
    else if (mail->local_uid >= 0 && *txn->sender.address != '\0')
        deliver_local(door, txn, mail, rcpts, count);
    else
        refuse_unstamped(door, txn, mail, rcpts, count);
}
