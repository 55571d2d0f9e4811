/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed, expiring URLs of media: what a provider fetches, what a recipient opens.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

struct ids_keys;

/* "https://ump.example.org/media/<token>"; type is announced if it is one that we know, else
 * application/octet-stream.  expires in µs since 1970. */
char *media_url_make(const struct ids_keys *ids, const char *public_url, const char *sha, const char *type,
                     gint64 expires);

/* The byte that stands for a type in the token (0: unknown), and back (never NULL). */
uint8_t media_url_type_code(const char *type);
const char *media_url_type_name(uint8_t code);
/* ".jpg"; "" for an unknown one. */
const char *media_url_type_extension(uint8_t code);
