/* SPDX-License-Identifier: Apache-2.0 */
/* Dovecot's doveadm HTTP API: commands of doveadm on the mailboxes of a user ([dovecot] doveadm_url). */
#pragma once

#include <jansson.h>

#include "core/config.h"
#include "core/http_client.h"

struct doveadm;

/* True: the configuration names where it is. */
bool doveadm_is_set(const struct config *config);
/* NULL with error. */
struct doveadm *doveadm_new(const struct config *config, GError **error);
void doveadm_free(struct doveadm *doveadm); /* NULL is fine */

/*
 * Runs commands, [["fetch", {"user": …}, "tag"], …], in their order; takes them.  Waits.  The results, one array of
 * objects a command, as a new reference: NULL with error (UMP_ERROR_UNAVAILABLE: no answer, or Dovecot refuses)
 * unless all of them ran.
 */
json_t *doveadm_run(struct doveadm *doveadm, json_t *commands, GError **error);
