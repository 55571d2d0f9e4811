/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web role: POST /webhooks/<endpoint id>, GET /media/<token>, /healthz, /metrics over
 * libmicrohttpd.  Requests that wait for a commit are suspended: they hold no thread.
 */
#pragma once

#include "bridge/bridge.h"

struct web;

/* Listens.  Events of an earlier run are replayed before (when the database is there). */
struct web *web_start(struct bridge *bridge, GError **error);
/* Takes no more connections, answers what waits; then stops replaying. */
void web_stop(struct web *web);
void web_free(struct web *web);
