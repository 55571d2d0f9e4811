/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint's credentials as the database keeps them (ump.endpoints.secrets): a JSON object whose
 * values are sealed one by one (secrets.h), each bound to the endpoint's id and its own key.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "core/secrets.h"

/*
 * Seals the members of plain (an object of strings) into stored (what the row holds now, or NULL);
 * a member that is null is removed, others stay.  The bytes for the row, or NULL with error.
 */
GBytes *endpoint_secrets_seal(const struct secrets *secrets, const char *endpoint_id, const json_t *plain,
                              GBytes *stored, GError **error);

/*
 * An object of strings in clear; keep it short and free it with endpoint_secrets_wipe().  NULL with
 * UMP_ERROR_INVALID, _NOT_FOUND as secrets_open().  stored NULL: an empty object.
 */
json_t *endpoint_secrets_open(const struct secrets *secrets, const char *endpoint_id, GBytes *stored,
                              GError **error);

/* Overwrites every string, then drops the reference; accepts NULL. */
void endpoint_secrets_wipe(json_t *plain);
