/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket, who may connect (SO_PEERCRED), and a bounded pool of threads that run one session each.
 */
#pragma once

#include <glib.h>

#include "lmtp/session.h"

struct config;
struct server;

/* Binds and listens.  handler is kept. */
struct server *server_open(const struct config *config, const struct session_handler *handler, void *handler_data,
                           GError **error);
/* Accepts until stop_fd becomes readable. */
void server_run(struct server *server, int stop_fd);
/* Idle sessions have ended by then or end now; transactions may finish within grace_us, then their connections are
 * closed. */
void server_stop(struct server *server, gint64 grace_us);
void server_free(struct server *server);
