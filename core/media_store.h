/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The media store: content-addressed files on disk, DIR/ab/cd/<sha256>.  A file appears whole or
 * not at all (O_TMPFILE, fsync, linkat, fsync of the directory); the same content is stored once.
 * Names of attachments never become paths.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ids_keys;
struct media_store;
struct media_writer;

#define MEDIA_SHA_TEXT 65 /* 64 hexadecimal digits and the 0 */

/* Makes dir (0750) when absent; its parent must exist. */
struct media_store *media_store_open(const char *dir, gint64 max_size, GError **error);
void media_store_close(struct media_store *store);

/* 0: stored; 1: was there already; -1 (UMP_ERROR_LIMIT above max_size, UMP_ERROR_NO_SPACE …). */
int media_store_put(struct media_store *store, const void *data, size_t length,
                    char sha[static MEDIA_SHA_TEXT], GError **error);

/* Piecewise, for what comes over the network.  A writer belongs to one thread. */
struct media_writer *media_writer_new(struct media_store *store, GError **error);
int media_writer_write(struct media_writer *writer, const void *data, size_t length, GError **error);
gint64 media_writer_size(const struct media_writer *writer);
/* As media_store_put(); the writer is freed in any case. */
int media_writer_finish(struct media_writer *writer, char sha[static MEDIA_SHA_TEXT], GError **error);
/* Drops what was written; accepts NULL. */
void media_writer_abort(struct media_writer *writer);

/* 0: *fd (read only, the caller's) and *size; 1: no such content, or sha is no sha; -1. */
int media_store_open_file(struct media_store *store, const char *sha, int *fd, gint64 *size, GError **error);
/* The content; NULL with UMP_ERROR_NOT_FOUND, UMP_ERROR_IO. */
GBytes *media_store_read(struct media_store *store, const char *sha, GError **error);
bool media_store_has(struct media_store *store, const char *sha);
/* 0: removed; 1: was not there; -1. */
int media_store_remove(struct media_store *store, const char *sha, GError **error);

/* For every file: sha, size, time of last change (seconds); stops when func returns false. */
typedef bool (*media_store_func)(const char *sha, gint64 size, gint64 mtime, void *data);
int media_store_each(struct media_store *store, media_store_func func, void *data, GError **error);

/* The token of /media/<token>: sha256 under a MAC, until expires_us (rounded up to a second).
 * kind is a byte of the caller's (which type of content to announce …).  NULL: sha is no sha. */
char *media_token_make(const struct ids_keys *keys, const char *sha, uint8_t kind, gint64 expires_us);
/* enum ids_token_result; sha and *kind (may be NULL) set on OK and EXPIRED. */
int media_token_verify(const struct ids_keys *keys, const char *token, gint64 now_us,
                       char sha[static MEDIA_SHA_TEXT], uint8_t *kind);
