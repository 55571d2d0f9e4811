/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of umpctl share: the context of one run, its command table, parsing of a
 * command's own options, the database, and how records are shown.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "core/config.h"
#include "core/db.h"

/* Exit codes, a stable interface (DESIGN). */
enum ctl_exit {
    CTL_OK = 0,
    CTL_REFUSED = 1, /* refused, or not found */
    CTL_UNCERTAIN = 3, /* text: what the mail says is not certain */
    CTL_USAGE = 64,
    CTL_TEMPORARY = 75
};

struct ctl {
    const struct config *config;
    const char *account_name; /* --account, or NULL: the only one, or "default" */
    gboolean json;
    struct db *db;       /* opened at first use */
    gint64 account;      /* 0: not looked up yet */
    const char *command; /* "endpoint add", for messages */
};

struct ctl_command {
    const char *name;      /* "endpoint add" */
    const char *arguments; /* "CHANNEL PROVIDER ADDRESS --owner OWNER …" */
    const char *summary;
    int (*run)(struct ctl *ctl, int argc, char **argv); /* argv: behind the name; → exit code */
};

/* One table per file; each ends with a row of NULLs. */
extern const struct ctl_command ctl_account_commands[];
extern const struct ctl_command ctl_channel_commands[];
extern const struct ctl_command ctl_endpoint_commands[];
extern const struct ctl_command ctl_sender_commands[];
extern const struct ctl_command ctl_contact_commands[];
extern const struct ctl_command ctl_conversation_commands[];
extern const struct ctl_command ctl_stats_commands[];
extern const struct ctl_command ctl_queue_commands[];
extern const struct ctl_command ctl_system_commands[];
extern const struct ctl_command ctl_backup_commands[];
extern const struct ctl_command ctl_doctor_commands[];
extern const struct ctl_command ctl_text_commands[];
extern const struct ctl_command ctl_template_commands[];

/* NULL-terminated list of those tables. */
extern const struct ctl_command *const ctl_commands[];

/* Prints "umpctl: …" on standard error; returns status. */
int ctl_fail(int status, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same for an error: temporary database errors give CTL_TEMPORARY, all others CTL_REFUSED. */
int ctl_fail_error(const char *what, const GError *error);

/*
 * Parses the options of a command (--json among them); what is left in (*argc, *argv) are its
 * arguments, between min and max of them (max < 0: any number).  0, or CTL_USAGE with the usage
 * printed.
 */
int ctl_options(struct ctl *ctl, const GOptionEntry *entries, int *argc, char ***argv, int min, int max);

/* The handle on the database as owner; opened at first use.  NULL: said why. */
struct db *ctl_db(struct ctl *ctl);
/* A lease to read or write; NULL: said why, exit with *status. */
struct db_lease *ctl_lease(struct ctl *ctl, enum db_lease_mode mode, int *status);
/* Runs a statement in the lease.  0, or an exit code, and it was said why. */
int ctl_query(struct ctl *ctl, struct db_lease *lease, unsigned stmt, struct db_params *params, struct db_rows **rows);
int ctl_commit(struct db_lease *lease);
/* A statement's parameters, the account first.  NULL: no such account; said so. */
struct db_params *ctl_params(struct ctl *ctl, struct db_lease *lease);
/* Who did what, in the same transaction. */
int ctl_audit(struct ctl *ctl, struct db_lease *lease, const char *action, const char *object, const json_t *detail);

/*
 * One id from a statement (account, text): *id, or CTL_REFUSED and "no such <what>: <name>".
 */
int ctl_find(struct ctl *ctl, struct db_lease *lease, unsigned stmt, const char *name, const char *what, char **id);

/* Amounts as they were told, 0.0051: with jansson's own 17 digits it is 0.0051000000000000004. */
#define CTL_REALS JSON_REAL_PRECISION(15)

/* Shows column `column` (JSON texts): as one object, or as a list.  --json: JSON, else for people. */
void ctl_show(struct ctl *ctl, const struct db_rows *rows, unsigned column);
void ctl_show_list(struct ctl *ctl, const struct db_rows *rows, unsigned column);
void ctl_show_json(struct ctl *ctl, const json_t *record);
/* A sentence for people; nothing with --json. */
void ctl_say(struct ctl *ctl, const char *format, ...) G_GNUC_PRINTF(2, 3);

/*
 * Text that may have come from outside, safe on a terminal: control characters (C0, DEL and C1) and those that turn the
 * direction of writing are written as \uXXXX, a line feed too when it is to be one line.  text: UTF-8, NULL is "-".
 */
char *ctl_safe(const char *text, bool one_line);

/* --limit N: 0, or CTL_USAGE, and it was said why. */
int ctl_check_limit(int limit);

/* "KEY=VALUE" split in place; false: not of that form. */
bool ctl_key_value(const char *text, char **key, const char **value);
