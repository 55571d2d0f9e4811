/* SPDX-License-Identifier: Apache-2.0 */
#include "core/program_db.h"

#include "core/clock.h"
#include "core/config.h"
#include "core/db.h"
#include "core/log.h"

static void log_notice_of_db(void *data, const char *who, const char *what, const char *detail)
{
    enum log_level level = g_str_equal(what, "connected") ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING;
    log_event(level, "database", who, "reason", detail, "status", what);
}

struct db *program_open_db(const struct config *config, const char *user, const char *application, bool writer,
                           unsigned batch_gap_us, GError **error)
{
    const struct db_options options = {
        .uri = config_get_string(config, "database", "uri"),
        .user = user,
        .application = application,
        .pool_size = (unsigned)config_get_int(config, "database", "pool_size"),
        .batch_statements = (unsigned)config_get_int(config, "database", "batch_statements"),
        .batch_bytes = (size_t)config_get_size(config, "database", "batch_bytes"),
        .batch_gap_us = batch_gap_us,
        .connect_timeout_ms = (unsigned)config_get_duration_ms(config, "database", "connect_timeout"),
        .statement_timeout_ms = (unsigned)config_get_duration_ms(config, "database", "statement_timeout"),
        .clock_offset_us = ump_clock_offset(),
        .no_writer = !writer,
        .notice = log_notice_of_db,
    };
    return db_open(&options, error);
}
