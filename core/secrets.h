/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets at rest (endpoint credentials): AES-256-GCM under keys of a key file
 * ([gateway] secrets_key_file, keyfile.h; the first encrypts, all decrypt).
 *
 * Text form "v1:KEYID:BASE64URL(nonce 12 | ciphertext | tag 16)".  context (the endpoint's id and
 * the key's name) is authenticated with it: a sealed value that is copied to another row does not
 * open there.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct secrets;

struct secrets *secrets_load(const char *path, GError **error);
void secrets_free(struct secrets *secrets);
typedef struct secrets secrets_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(secrets_t, secrets_free)

/* NULL with error only when OpenSSL fails. */
char *secrets_seal(const struct secrets *secrets, const void *plain, size_t length, const char *context,
                   GError **error);
/* The plain bytes (a 0 follows them, not counted); NULL: UMP_ERROR_INVALID when damaged, forged,
 * of another context, UMP_ERROR_NOT_FOUND when its key is not in the file.  Free with
 * secrets_wipe(). */
char *secrets_open(const struct secrets *secrets, const char *sealed, const char *context,
                   size_t *length, GError **error);
/* True when sealed is under another key than the first: open and seal again (rotation). */
bool secrets_is_stale(const struct secrets *secrets, const char *sealed);
/* Overwrites a 0-terminated string with zeros, frees it; accepts NULL. */
void secrets_wipe(char *text);
