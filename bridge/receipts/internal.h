/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the receipts room share.
 */
#pragma once

#include "bridge/asker.h"
#include "bridge/deliver.h"
#include "bridge/doveadm.h"
#include "bridge/queue.h"
#include "bridge/receipts/receipts.h"
#include "core/mail_report.h"

struct receipts {
    struct bridge *bridge;
    struct queue *queue;
    struct lmtp_client *lmtp;
    struct doveadm *doveadm; /* NULL: not set */
    struct asker *read_out;  /* NULL without doveadm */
    struct asker_duty read_duty;
    GHashTable *read_due;    /* ids of the endpoints that have something to look for; of that thread */
    gint64 digest_above, digest_interval, summary_above, summary_wait, notice_ttl;
};

/* What a report is about: one recipient of one message. */
struct report {
    struct queue_job *job;     /* borrowed */
    struct endpoint *endpoint; /* NULL: removed since */
    struct db_rows *rows;      /* message_report */
    json_t *metadata;          /* never NULL */
    char *recipient;           /* id on the channel */
    char *recipient_address;   /* the same as a gateway address */
    char *domain;
    char *id;                  /* uuid of this report: deterministic */
    char *from_address;        /* r.<token>@notice.…; NULL */
    const char *to;            /* mailbox; NULL: nobody is to be told */
    const char *to_name;
    gint64 at;
};

/* 0; 1: temporary; -1: lasting (the message is not known any more); with error. */
int report_open(struct receipts *receipts, struct queue_job *job, struct report *report, GError **error);
void report_close(struct report *report);
void report_context(const struct report *report, const struct bridge *bridge, struct mail_report_context *context);
const char *report_text(const struct report *report, const char *column);
const char *report_meta(const struct report *report, const char *key);
/* SMS that it needs, where the user wants to be told (umpctl user set --report-segments); else 0. */
guint report_segments(const struct report *report);
/* Did the sender ask not to be told of this?  word: "FAILURE", "SUCCESS", "DELAY" (RFC 3461). */
bool report_is_wanted(const struct report *report, const char *word);

/* What happened in words; strings borrowed from tables and the report, storage holds what is made. */
struct report_words {
    char *diagnostic, *reason, *status, *parts;
};
void report_recipient(const struct report *report, enum mail_report_action action, struct report_words *storage,
                      struct mail_report_recipient *out);
void report_words_clear(struct report_words *words);

/* The mail of one job; NULL: nothing is to be sent. */
GBytes *report_compose(struct receipts *receipts, struct report *report);
/* Is it a job for those who administer the account ("alarm", "dead-event" …) or for an owner, about no one message? */
bool alarm_is(const struct queue_job *job);
/* Such a job; false: not everybody could be told yet. */
bool alarm_work(struct receipts *receipts, struct queue_job *job);
/* keyword.c: $Delivered and $Read on the sent copy. */
bool keyword_is(const struct queue_job *job);
void keyword_work(struct receipts *receipts, struct queue_job *job);
/* expiry.c: messages that are to disappear. */
bool expiry_is(const struct queue_job *job);
void expiry_work(struct receipts *receipts, struct queue_job *job);
/* The mail of a job "daily-digest" (ump.daily_digests): what the owner's endpoints did. */
GBytes *daily_compose(const struct mail_report_context *context, const struct queue_job *job);
GBytes *team_copy_compose(struct receipts *receipts, const struct report *report, GError **error);

/* read_out.c: tells networks what was read, where their endpoints have read_receipts on; nothing without doveadm_url.
 * 0, or -1 with error. */
int read_out_start(struct receipts *receipts, GError **error);
