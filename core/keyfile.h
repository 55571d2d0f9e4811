/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key files: the stamp's, the ids' and the secrets' keys.  Text, one key per line:
 *
 *     # comment
 *     k7f3a2c1 5d2f…64 hexadecimal digits…
 *
 * Key id (1–16 of a–z, 0–9), white space, 256 bits.  The first key signs or encrypts, all of them
 * verify or decrypt: to rotate, a new key is put in front.  A file that others than owner and
 * group may read is refused.
 */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <sys/types.h>

#define KEYFILE_KEY_SIZE 32
#define KEYFILE_MAX_KEYS 32

struct keyfile_key {
    char id[17];
    uint8_t key[KEYFILE_KEY_SIZE];
};

struct keyfile {
    guint count; /* at least 1 */
    struct keyfile_key keys[KEYFILE_MAX_KEYS];
};

/* NULL with UMP_ERROR_CONFIG "FILE:LINE: …" when it cannot be used. */
struct keyfile *keyfile_load(const char *path, GError **error);
struct keyfile *keyfile_parse(const char *text, size_t length, const char *name, GError **error);
/* Wipes and frees. */
void keyfile_free(struct keyfile *keyfile);
typedef struct keyfile keyfile_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(keyfile_t, keyfile_free)

const struct keyfile_key *keyfile_find(const struct keyfile *keyfile, const char *id, size_t length);

/* Writes a new file with one random key, mode 0640, owned by group gid ((gid_t)-1: as it comes),
 * fsynced.  0; 1: exists already, untouched; -1. */
int keyfile_generate(const char *path, gid_t gid, GError **error);
/* Puts a new random key in front, atomically; keeps mode and group, and at most keep keys (0: all). */
int keyfile_rotate(const char *path, guint keep, GError **error);
