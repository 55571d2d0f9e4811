/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HMAC-SHA256 with the key's two first blocks computed once: about 0.4 µs for a short text, where
 * OpenSSL 3's HMAC() costs several times that in algorithm look-ups.  Also SHA-256, CRC-32C, text
 * forms of bytes, and comparison in constant time.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HMAC_SIZE 32

struct hmac_key {
    uint8_t state[2][128]; /* hash state after the inner and the outer block; opaque */
};

/* One piece of what is MACed.  Pieces are framed by their length, so that their borders count. */
struct hmac_part {
    const void *data;
    size_t length;
};

void hmac_key_init(struct hmac_key *key, const void *secret, size_t length);
/* RFC 2104 over the plain bytes. */
void hmac_sign(const struct hmac_key *key, const void *data, size_t length, uint8_t out[static HMAC_SIZE]);
/* Over the parts, each preceded by its length (4 bytes, big endian). */
void hmac_sign_parts(const struct hmac_key *key, const struct hmac_part *parts, size_t count,
                     uint8_t out[static HMAC_SIZE]);
/* A key for one purpose: HMAC(secret, label). */
void hmac_key_derive(struct hmac_key *key, const void *secret, size_t length, const char *label);

bool hmac_equal(const void *a, const void *b, size_t length);

void hmac_sha256(const void *data, size_t length, uint8_t out[static 32]);
uint32_t hmac_crc32c(uint32_t crc, const void *data, size_t length); /* start with 0 */

/* Text forms; hex and base32 are lower case, without padding.  Decoders are strict: false when a
 * character, the length or left-over bits are wrong, or it does not fit into *size. */
char *hmac_hex(const void *data, size_t length);
bool hmac_unhex(const char *text, size_t length, uint8_t *out, size_t *size);
char *hmac_base32(const void *data, size_t length);
bool hmac_unbase32(const char *text, size_t length, uint8_t *out, size_t *size); /* upper case too */
char *hmac_base64url(const void *data, size_t length);
bool hmac_unbase64url(const char *text, size_t length, uint8_t *out, size_t *size);
