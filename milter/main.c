/* SPDX-License-Identifier: Apache-2.0 */
/* ump-milter: policy while Postfix still talks to the sender. */
#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/config.h"
#include "core/db.h"
#include "core/log.h"
#include "core/program.h"
#include "core/program_db.h"
#include "milter/filter.h"
#include "milter/judge.h"

static const char *const sections[] = {"gateway", "database", "milter", "caps", NULL};

static const struct program_spec spec = {
    .name = "ump-milter",
    .summary = "Policy of the gateway at SMTP time: refuses early, strips forged UMP-* fields, stamps.",
    .sections = sections,
};

static void on_reload(void *data)
{
    g_autoptr(GError) error = NULL;
    if (judge_reload(data, &error) < 0)
        log_error("reason", error->message, "status", "keys-kept");
}

static gid_t group_of(const char *name)
{
    const struct group *group = name != NULL ? getgrnam(name) : NULL;
    if (name != NULL && group == NULL)
        log_error("group", name, "status", "no-such-group");
    return group != NULL ? group->gr_gid : (gid_t)-1;
}

static const char *hostname_of(const struct config *config)
{
    const char *name = config_get_string(config, "gateway", "hostname");
    return name != NULL ? name : g_get_host_name();
}

/* Comes back only when it cannot serve at all. */
static void serve(struct program *program, struct judge *judge)
{
    const struct config *config = program_config(program);
    g_autoptr(GError) error = NULL;
    unsigned mode = (unsigned)strtoul(config_get_string(config, "milter", "socket_mode"), NULL, 8);
    int timeout = (config_get_duration_ms(config, "milter", "timeout") + 999) / 1000;
    if (filter_open(judge, config_get_string(config, "milter", "socket"), mode,
                    group_of(config_get_string(config, "milter", "socket_group")), timeout, hostname_of(config),
                    &error) < 0) {
        log_error("reason", error->message, "status", "no-socket");
        return;
    }
    program_on_reload(program, on_reload, judge);
    program_ready(program);
    int status = filter_serve(program_stop_fd(program)) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    log_notice("status", "stopped");
    _exit(status);
}

static int run(struct program *program)
{
    g_autoptr(GError) error = NULL;
    struct db *db = program_open_db(program_config(program), "ump_milter", "ump-milter", false, 0, &error);
    if (db == NULL) {
        log_error("reason", error->message, "status", "no-database");
        return EXIT_FAILURE;
    }
    struct judge *judge = judge_new(program_config(program), db, &error);
    if (judge == NULL)
        log_error("reason", error->message, "status", "no-keys");
    else
        serve(program, judge);
    db_close(db, 1000);
    judge_free(judge);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    int status = EXIT_FAILURE;
    struct program *program = program_start(&spec, argc, argv, &status);
    if (program == NULL)
        return status;
    status = run(program);
    program_free(program);
    return status;
}
