/* SPDX-License-Identifier: Apache-2.0 */
/* The queues, and who does not want to hear from us. */
#include <string.h>

#include "core/ids.h"
#include "core/phone.h"
#include "ctl/ctl.h"

static int run(struct ctl *ctl, struct db_lease *lease, unsigned stmt, struct db_params *params, struct db_rows **rows)
{
    return ctl_query(ctl, lease, stmt, params, rows);
}

/* Which row of a queue, before the database sees it: 0, or CTL_USAGE, and it was said why. */
static int check_row(const char *queue, const char *id)
{
    static const char *const queues[] = {"outbox", "inbound", "receipts", NULL};
    if (!g_strv_contains(queues, queue))
        return ctl_fail(CTL_USAGE, "the queue is outbox, inbound or receipts, not \"%s\"", queue);
    if (!g_ascii_string_to_unsigned(id, 10, 1, G_MAXINT64, NULL, NULL))
        return ctl_fail(CTL_USAGE, "%s is no id of a queue's entry: umpctl queue list shows them, as numbers", id);
    return 0;
}

static int queue_list(struct ctl *ctl, int argc, char **argv)
{
    bool one = strcmp(ctl->command, "queue show") == 0;
    gint limit = 100;
    const GOptionEntry options[] = {{"limit", 0, 0, G_OPTION_ARG_INT, &limit, "at most so many (default 100)", "N"}, G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, one ? 2 : 0, one ? 2 : 1);
    if (status != 0 || (status = ctl_check_limit(limit)) != 0)
        return status;
    bool held = !one && argc > 0 && strcmp(argv[0], "held") == 0;
    if (argc > 0 && !held && (status = check_row(argv[0], one ? argv[1] : "1")) != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    struct db_params *params = lease != NULL ? ctl_params(ctl, lease) : NULL;
    if (params == NULL)
        return lease == NULL ? status : CTL_REFUSED;
    g_autoptr(db_rows) rows = NULL;
    if (!held) {
        db_params_text(params, argc > 0 ? argv[0] : NULL);
        db_params_text(params, one ? argv[1] : NULL);
    }
    db_params_int(params, limit);
    if ((status = run(ctl, lease, held ? DB_STMT_CTL_QUEUE_HELD : DB_STMT_CTL_QUEUE_LIST, params, &rows)) != 0)
        return status;
    if (!one)
        ctl_show_list(ctl, rows, 0);
    else if (db_rows_count(rows) == 0)
        return ctl_fail(CTL_REFUSED, "nothing with that number in %s", argv[0]);
    else
        ctl_show(ctl, rows, 0);
    return CTL_OK;
}

static int queue_retry(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 2, 2);
    if (status != 0 || (status = check_row(argv[0], argv[1])) != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    struct db_params *params = lease != NULL ? ctl_params(ctl, lease) : NULL;
    if (params == NULL)
        return lease == NULL ? status : CTL_REFUSED;
    db_params_text(params, argv[0]);
    db_params_text(params, argv[1]);
    g_autoptr(db_rows) rows = NULL;
    if ((status = run(ctl, lease, DB_STMT_CTL_QUEUE_RETRY, params, &rows)) != 0)
        return status;
    if (db_rows_count(rows) == 0)
        return ctl_fail(CTL_REFUSED, "%s %s does not wait for a retry (umpctl queue show %s %s tells)", argv[0], argv[1], argv[0], argv[1]);
    if ((status = ctl_audit(ctl, lease, "queue.retry", argv[1], NULL)) != 0)
        return status;
    return ctl_commit(lease);
}

static int queue_cancel(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 1, 1);
    if (status != 0 || (status = check_row("outbox", argv[0])) != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    struct db_params *params = lease != NULL ? ctl_params(ctl, lease) : NULL;
    if (params == NULL)
        return lease == NULL ? status : CTL_REFUSED;
    db_params_text(params, argv[0]);
    g_autoptr(db_rows) rows = NULL;
    if ((status = run(ctl, lease, DB_STMT_CTL_QUEUE_CANCEL, params, &rows)) != 0)
        return status;
    if (db_rows_count(rows) == 0)
        return ctl_fail(CTL_REFUSED, "outbox %s is not waiting any more: it is being sent, or gone", argv[0]);
    if ((status = ctl_audit(ctl, lease, "queue.cancel", argv[0], NULL)) != 0)
        return status;
    return ctl_commit(lease);
}

/* What a user would answer to a preview or a "may have been sent". */
static int queue_answer(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 2, 2);
    if (status != 0)
        return status;
    static const char *const words[] = {"send", "resend", "cancel", NULL};
    const char *kind = NULL;
    ids_uuid id;
    if (!g_strv_contains(words, argv[1]))
        return ctl_fail(CTL_USAGE, "the answer is send, resend or cancel, not \"%s\"", argv[1]);
    if (!ids_parse_shown(argv[0], &kind, &id) || (kind != NULL && strcmp(kind, "msg") != 0))
        return ctl_fail(CTL_USAGE, "%s is not the id of a message (ump:msg:…)", argv[0]);
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    struct db_params *params = lease != NULL ? ctl_params(ctl, lease) : NULL;
    if (params == NULL)
        return lease == NULL ? status : CTL_REFUSED;
    char text[IDS_UUID_TEXT];
    db_params_uuid(params, ids_uuid_format(&id, text));
    db_params_text(params, argv[1]);
    g_autoptr(db_rows) rows = NULL;
    if ((status = run(ctl, lease, DB_STMT_CTL_QUEUE_RESEND, params, &rows)) != 0)
        return status;
    const char *outcome = db_rows_text(rows, 0, 0);
    if (strcmp(outcome, "queued") != 0 && strcmp(outcome, "cancelled") != 0)
        return ctl_fail(CTL_REFUSED, strcmp(outcome, "unknown") == 0 ? "no such message: %s"
                        : strcmp(outcome, "opted-out") == 0 ? "%s: the recipient has opted out" : "%s waits for no answer", argv[0]);
    if ((status = ctl_audit(ctl, lease, "queue.answer", text, NULL)) != 0)
        return status;
    return ctl_commit(lease);
}

static int optout_list(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 0, 1);
    if (status != 0)
        return status;
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ, &status);
    struct db_params *params = lease != NULL ? ctl_params(ctl, lease) : NULL;
    if (params == NULL)
        return lease == NULL ? status : CTL_REFUSED;
    db_params_text(params, argc > 0 ? argv[0] : NULL);
    g_autoptr(db_rows) rows = NULL;
    if ((status = run(ctl, lease, DB_STMT_CTL_OPTOUT_LIST, params, &rows)) != 0)
        return status;
    ctl_show_list(ctl, rows, 0);
    return CTL_OK;
}

static int optout_set(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 2, 2);
    if (status != 0)
        return status;
    bool add = strcmp(ctl->command, "optout add") == 0;
    struct phone phone;
    phone_parse(argv[1], strlen(argv[1]), config_get_string(ctl->config, "gateway", "region"), &phone);
    g_autoptr(db_lease_t) lease = ctl_lease(ctl, DB_READ_WRITE, &status);
    struct db_params *params = lease != NULL ? ctl_params(ctl, lease) : NULL;
    if (params == NULL)
        return lease == NULL ? status : CTL_REFUSED;
    db_params_text(params, argv[0]);
    db_params_text(params, phone.result == PHONE_OK ? phone.e164 : argv[1]);
    db_params_text(params, add ? "stop" : "start");
    g_autoptr(db_rows) rows = NULL;
    if ((status = run(ctl, lease, DB_STMT_CTL_OPTOUT_SET, params, &rows)) != 0)
        return status;
    if (!db_rows_bool(rows, 0, 0) && !add)
        return ctl_fail(CTL_REFUSED, "%s has not opted out of %s", argv[1], argv[0]);
    return ctl_commit(lease);
}

const struct ctl_command ctl_queue_commands[] = {
    {"queue list", "[outbox|inbound|receipts|held] [--limit N]", "what waits, and why", queue_list},
    {"queue show", "outbox|inbound|receipts ID", "shows one", queue_list},
    {"queue retry", "outbox|inbound|receipts ID", "tries one that waits, or is dead, now", queue_retry},
    {"queue cancel", "ID", "takes one out of the outbox", queue_cancel},
    {"queue answer", "MESSAGE send|resend|cancel", "answers for the user: a held or uncertain message", queue_answer},
    {"optout list", "[NUMBER]", "who said STOP", optout_list},
    {"optout add", "CHANNEL NUMBER", "blocks sending to somebody", optout_set},
    {"optout remove", "CHANNEL NUMBER", "lifts it (only when he asked for it)", optout_set},
    {NULL, NULL, NULL, NULL}};
