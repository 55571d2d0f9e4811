/* SPDX-License-Identifier: Apache-2.0 */
/* What the index's journal holds: a statement's parameters as JSON, and back. */
#pragma once

#include <glib.h>
#include <jansson.h>

struct db_params;

enum index_record {
    INDEX_RECORD_MAIL = 1,  /* delivered, never begun: mail_begin, then mail_settle */
    INDEX_RECORD_SETTLE = 2 /* begun, not settled */
};

/* What mail_begin takes; all borrowed. */
struct index_facts {
    const char *key, *mailbox, *message, *mail_id;
    const char *const *refs;
    const char *from, *from_name, *recipient, *subject, *body, *metadata;
    gint64 occurred;
    gint64 segment_messages;
    gint64 segment_silence; /* µs */
};

struct db_params *index_params_begin(const struct index_facts *facts);
struct db_params *index_params_settle(const char *key, const char *state, const char *reply);

char *index_record_mail(const struct index_facts *facts, const char *reply);
char *index_record_settle(const char *key, const char *state, const char *reply);

/* NULL: the record is not one of ours. */
struct db_params *index_record_begin_params(const json_t *record, gint64 segment_messages, gint64 segment_silence);
struct db_params *index_record_settle_params(const json_t *record);
