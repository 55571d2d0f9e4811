/* SPDX-License-Identifier: Apache-2.0 */
/* The callbacks of libmilter: from its events to struct mail and judge, and back. */
#pragma once

#include <glib.h>

struct judge;

/* Registers with libmilter, opens the socket ("unix:PATH", whose old file is removed) with that
 * mode and group ((gid_t)-1: as it comes).  hostname counts loops.  Call once.  -1: error set. */
int filter_open(struct judge *judge, const char *socket, unsigned mode, gid_t group, int timeout_s,
                const char *hostname, GError **error);
/*
 * Serves until stop_fd is readable, or libmilter ends by itself (a SIGTERM that its own thread took:
 * 0; else -1).  Then waits for mails under way, but not longer than 5 s.  smfi_stop() is not used:
 * it waits up to 5 s for a lock and races with the end of smfi_main().  So libmilter's threads
 * still run afterwards, and the process has to end by _exit().
 */
int filter_serve(int stop_fd);
