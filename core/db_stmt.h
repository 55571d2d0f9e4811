/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that sql/embed.py generates: named statements, migrations, functions and grants.
 * Every table ends with an entry whose name is NULL. */
#pragma once

#include "sql/db_stmts.h"

struct db_stmt {
    const char *name;
    unsigned nparams;
    const unsigned *types; /* nparams OIDs, or NULL: the server infers them */
    unsigned lock_param;   /* 1…nparams: its text is the lock key when the caller gives none; 0: no key */
    const char *sql;
};

struct db_script {
    unsigned version;        /* migrations only */
    unsigned oldest_program; /* migrations: the oldest DB_SCHEMA_VERSION that may use the result */
    const char *name;
    const char *sql;
};

extern const struct db_stmt db_stmts[];
extern const struct db_script db_migrations[]; /* in order, numbered from 1 */
extern const struct db_script db_routines[];   /* functions, then grants: applied at each migrate */
