/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ump-lmtp: the one door.  Local mail goes through the index to its mailbox, mail for a gateway address into the
 * outbound queue.  250 means that it is durable.
 */
#include <malloc.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mail_parse.h"
#include "core/program.h"
#include "lmtp/door.h"
#include "lmtp/server.h"

#define STOP_GRACE (30 * CLOCK_SECOND)

static const char *const sections[] = {"gateway", "database", "lmtp",         "outbound", "receipts",
                                       "media",   "caps",     "conversation", NULL};

static int serve(struct program *program)
{
    const struct config *config = program_config(program);
    g_autoptr(GError) error = NULL;
    struct door *door = door_open(config, &error);
    struct server *server = door ? server_open(config, &door_handler, door, &error) : NULL;

    if (!server) {
        log_error("error", error->message, "status", "start-failed");
        door_close(door);
        return 1;
    }
    program_ready(program);
    server_run(server, program_stop_fd(program));
    server_stop(server, STOP_GRACE);
    server_free(server);
    door_close(door);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct program_spec spec = {
        .name = "ump-lmtp",
        .summary = "delivers mail to mailboxes and takes mail for chat networks",
        .sections = sections,
    };
    int status = 0;
    struct program *program;

    mallopt(M_ARENA_MAX, 4); /* hundreds of threads, little memory */
    program = program_start(&spec, argc, argv, &status);
    if (!program)
        return status;
    status = serve(program);
    program_free(program);
    return status;
}
