/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stamp: the trust boundary is this MAC, not the stripping of fields.
 *
 * ump-milter puts UMP-Stamp on every authenticated mail; ump-bridge on the mail that it composes.
 * The field is a structured-field dictionary (RFC 9651):
 *
 *     v=1, k=KEYID, kind=milter, txn="UUID", t=1700000000, l="alice@example.org",
 *     s="alice@example.org", f="alice@example.org", m="<id@…>", c=1, r=(:TOKEN: :TOKEN:), h=:MAC:
 *
 * The MAC (HMAC-SHA256, 128 bits kept) covers all of it but r; each token of r is a MAC over
 * (kind, transaction id, recipient), so that the list names nobody (Bcc) and cannot be extended.
 * Keys: keyfile.h; the first signs, all verify.  About 3 µs to sign or verify.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define STAMP_FIELD "UMP-Stamp"

enum stamp_kind {
    STAMP_MILTER, /* login is who authenticated */
    STAMP_BRIDGE  /* login is the account's id; txn is the message's id */
};

enum stamp_result {
    STAMP_OK = 0,
    STAMP_MISSING = 1,      /* no field */
    STAMP_MALFORMED = 2,    /* not a stamp */
    STAMP_UNKNOWN_KEY = 3,  /* key id not in the file (any more) */
    STAMP_BAD_MAC = 4,      /* forged or altered, or extra differs */
    STAMP_EXPIRED = 5,      /* older than max_age */
    STAMP_FUTURE = 6,       /* more than 5 minutes ahead of the clock */
    STAMP_OTHER_SENDER = 7, /* made for another envelope sender: used again */
    STAMP_OTHER_FROM = 8,   /* … From */
    STAMP_OTHER_MESSAGE = 9 /* … Message-ID */
};

struct stamp_keys;

struct stamp_keys *stamp_keys_load(const char *path, GError **error);
/* From one secret in memory: tests. */
struct stamp_keys *stamp_keys_from_secret(const char *key_id, const void *secret, size_t length);
void stamp_keys_free(struct stamp_keys *keys);
typedef struct stamp_keys stamp_keys_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(stamp_keys_t, stamp_keys_free)

/* Strings are borrowed when signing, owned after stamp_verify(). */
struct stamp {
    enum stamp_kind kind;
    char *txn;        /* uuid text */
    gint64 time;      /* seconds since 1970 */
    char *login;      /* authenticated user, name of a declared machine sender, or account */
    bool machine;     /* login names a machine sender */
    bool checked;     /* the policy was run by who stamped (false: the database was down) */
    char *sender;     /* envelope sender, without <>; "" for the null sender */
    char *from;       /* the one address of From */
    char *message_id; /* with <>; "" when the mail has none */
    const char *extra; /* further text under the MAC, not in the field; NULL: none.  The bridge
                        * passes UMP-Header and UMP-Conversation-ID (stamp_extra()). */
    GBytes *tokens;   /* after verify: 12 bytes each */
};

/* Frees what stamp_verify() made; the struct itself is the caller's. */
void stamp_clear(struct stamp *stamp);
typedef struct stamp stamp_t; /* g_auto(stamp_t) stamp = {0}; */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(stamp_t, stamp_clear)

/* What the verifier sees of the mail.  NULL: not compared. */
struct stamp_expect {
    const char *sender;     /* envelope sender without <> */
    const char *from;       /* the one address of From */
    const char *message_id; /* with <> */
    const char *extra;
    gint64 now;             /* seconds since 1970 */
    gint64 max_age;         /* seconds */
};

/* The value of the field, folded with "\n " below 76 columns where it can be; recipients is
 * NULL-terminated, may be NULL. */
char *stamp_sign(const struct stamp_keys *keys, const struct stamp *stamp, const char *const *recipients);

/*
 * Parses and verifies a value as it stands in the mail (folded or not).  value NULL →
 * STAMP_MISSING.  On STAMP_OK *out is filled (stamp_clear() it); with STAMP_EXPIRED … OTHER_* too,
 * since the MAC was right; else unchanged.  Local parts of addresses are compared exactly, domains
 * without regard to case.
 */
enum stamp_result stamp_verify(const struct stamp_keys *keys, const char *value, size_t length,
                               const struct stamp_expect *expect, struct stamp *out);

/* Has this (verified) stamp a token for the recipient?  ASCII case does not count. */
bool stamp_has_recipient(const struct stamp_keys *keys, const struct stamp *stamp, const char *recipient);

/* "header\nconversation": the extra of bridge stamps; NULLs count as empty. */
char *stamp_extra(const char *ump_header, const char *conversation_id);

/* "forged or altered", … for the log. */
const char *stamp_result_text(enum stamp_result result);
