/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identifiers: UUIDv7 (RFC 9562), random or deterministic; our Message-IDs; and tokens, MACed and
 * expiring, for the addresses of notices, the URLs of media and of callbacks.
 *
 * All keys come from one key file ([gateway] id_key_file): per purpose one is derived by label.
 * The first key of the file signs tokens, all verify; the LAST one makes deterministic ids, so
 * that putting a new key in front does not change them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t bytes[16];
} ids_uuid;

#define IDS_UUID_TEXT 37 /* 36 characters and the 0 */

struct ids_keys;

struct ids_keys *ids_keys_load(const char *path, GError **error);
/* From one secret in memory: tests, tools. */
struct ids_keys *ids_keys_from_secret(const void *secret, size_t length);
void ids_keys_free(struct ids_keys *keys);
typedef struct ids_keys ids_keys_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ids_keys_t, ids_keys_free)

/* --- UUIDv7 --- */

/* Now and 74 random bits. */
void ids_uuid_random(ids_uuid *out);
void ids_uuid_random_at(ids_uuid *out, gint64 unix_us);
/*
 * The same id for the same four things, for ever: milliseconds of unix_us (the provider's time)
 * and 74 bits of HMAC(id key, account, endpoint, provider_id).  NULL counts as empty.  For things
 * of ours that have no provider id (a report about a message) use a word as endpoint and the
 * message's id as provider_id.
 */
void ids_uuid_derive(ids_uuid *out, const struct ids_keys *keys, gint64 unix_us, const char *account,
                     const char *endpoint, const char *provider_id);
gint64 ids_uuid_time_us(const ids_uuid *uuid);

/* Lower case, with hyphens; returns text. */
const char *ids_uuid_format(const ids_uuid *uuid, char text[static IDS_UUID_TEXT]);
char *ids_uuid_text(const ids_uuid *uuid);
/* Any version, either case, exactly 36 characters. */
bool ids_uuid_parse(const char *text, size_t length, ids_uuid *out);
/* A fresh random one as text: the commonest need. */
char *ids_new(void);

/* "ump:msg:<uuid>", "ump:conv:…", "ump:user:…": how ids are shown.  Parsing also takes the bare
 * uuid; *kind (borrowed static word, or NULL for a bare one) and *out only on true. */
char *ids_show(const char *kind, const char *uuid_text);
bool ids_parse_shown(const char *text, const char **kind, ids_uuid *out);

/* --- Message-ID --- */

/* "<ump.UUID@domain>". */
char *ids_message_id(const char *uuid_text, const char *domain);
/* True when message_id (with or without <>) is one of our making in one of the domains (NULL: any). */
bool ids_message_id_parse(const char *message_id, const char *const *domains, ids_uuid *out);

/* --- Tokens --- */

enum ids_purpose {
    IDS_NOTICE,   /* local part r.<token> of notice.<domain>: base32 */
    IDS_MEDIA,    /* /media/<token>: base64url */
    IDS_CALLBACK, /* ?a=<token> in callback URLs: base64url */
    IDS_VERIFY,   /* confirmations of addresses, invitations: base64url */
    IDS_PURPOSES
};

enum ids_token_result {
    IDS_TOKEN_OK = 0,
    IDS_TOKEN_EXPIRED = 1, /* ours, but too old; the outputs are set */
    IDS_TOKEN_INVALID = 2  /* not ours, or damaged; outputs unchanged */
};

#define IDS_SUBJECT_MAX 64

struct ids_token {
    uint8_t kind;                     /* the purpose's own meaning: which sort of notice, … */
    gint64 expires;                   /* seconds since 1970; 0: never */
    uint8_t subject[IDS_SUBJECT_MAX]; /* what it is about: a uuid (16 bytes), a sha256 (32) … */
    size_t subject_length;
};

/* kind (1 byte), expiry (4), subject, 128 bits of MAC.  With a uuid as subject a notice's local
 * part has 62 characters: within the 64 that mail allows.  Not secret: it can be read. */
char *ids_token_make(const struct ids_keys *keys, enum ids_purpose purpose, const struct ids_token *token);
enum ids_token_result ids_token_verify(const struct ids_keys *keys, enum ids_purpose purpose,
                                       const char *text, size_t length, gint64 now_us,
                                       struct ids_token *out);

/* Attempt ids in callback URLs: a token of IDS_CALLBACK around the attempt's uuid that never
 * expires (a status may come weeks later).  Verify: true and *attempt. */
char *ids_callback_token(const struct ids_keys *keys, const ids_uuid *attempt);
bool ids_callback_verify(const struct ids_keys *keys, const char *text, size_t length, ids_uuid *attempt);
