/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database handle of a program, as the section [database] says.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct config;
struct db;

/* user: the program's role, when the connection string names none; application: what
 * pg_stat_activity shows; writer: with group commit; batch_gap_us: as in
 * db_options.  Connection losses and the like are logged.
 * Does not wait for the database; NULL: the connection string is malformed. */
struct db *program_open_db(const struct config *config, const char *user, const char *application, bool writer,
                           unsigned batch_gap_us, GError **error);
