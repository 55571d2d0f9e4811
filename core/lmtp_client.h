/* SPDX-License-Identifier: Apache-2.0 */
/* LMTP client (RFC 2033, 5321, 2920 PIPELINING, 3461 DSN, Postfix's XFORWARD): a pool of kept connections to
 * one server over a unix socket or TCP.  Straight-line and blocking, with a deadline on every wait.
 *
 * A transaction has two phases, so that a relay can hand the server's own answers to its client:
 *
 *   struct lmtp_tx *tx = lmtp_begin(client, &envelope);
 *   lmtp_add_rcpt(tx, &rcpt1); lmtp_add_rcpt(tx, &rcpt2);
 *   if (lmtp_send_envelope(tx, LMTP_WITH_DATA, &error) < 0) …   nothing was sent for anyone
 *   … lmtp_rcpt(tx, i)->reply is the answer to RCPT number i …
 *   if (lmtp_send_data(tx, parts, n, &error) < 0) …             see lmtp_rcpt(tx, i)->outcome
 *   lmtp_end(tx);                                               also gives up a transaction at any point
 *
 * Content is sent as it is, but: bare CR and bare LF become CRLF, lines that begin with a dot get another
 * one (after that normalisation), a missing last CRLF is added.  Nothing is copied. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define LMTP_ERROR lmtp_error_quark()
GQuark lmtp_error_quark(void);

enum lmtp_error {
    LMTP_ERROR_CONNECT,  /* no connection, or no usable greeting */
    LMTP_ERROR_TIMEOUT,  /* a deadline passed */
    LMTP_ERROR_LOST,     /* the connection broke */
    LMTP_ERROR_PROTOCOL, /* the server's reply is no reply, or 421 */
    LMTP_ERROR_ARGUMENT, /* an address or parameter that cannot be said in SMTP, or needs an extension (SMTPUTF8)
                            that the server does not offer: lasting */
    LMTP_ERROR_BUSY,     /* all connections in use until the deadline */
};

/* ---- Replies ---- */

struct lmtp_reply {
    unsigned code;        /* 200…599; 0: none yet */
    unsigned enhanced[3]; /* class, subject, detail (RFC 3463); class 0: the server gave none */
    char *text;           /* without code and enhanced code; lines joined by a space; printable UTF-8; NULL: none */
};

void lmtp_reply_clear(struct lmtp_reply *reply);

/* Parses one reply (all its lines) at ptr.  1: done, *used bytes belong to it, reply is to be cleared.
 * 0: more bytes are needed.  -1: not a reply (also: a line above 4096 bytes, more than 128 lines).
 * Bare LF is taken as a line end.  No I/O, no state. */
int lmtp_reply_parse(const char *ptr, size_t len, struct lmtp_reply *reply, size_t *used);

/* "250 2.1.5 OK": enhanced code only if there is one.  g_free. */
char *lmtp_reply_format(const struct lmtp_reply *reply);

/* ---- The pool ---- */

struct lmtp_client;

struct lmtp_client_options {
    const char *address;          /* "unix:/path", "/path", "host:port", "[::1]:24", "lmtp:" before any of them */
    const char *hostname;         /* said in LHLO */
    unsigned max_connections;     /* 0: 64 */
    unsigned max_idle_ms;         /* a kept connection is not used after that; 0: 30000 */
    unsigned max_transactions;    /* a connection is closed after that many; 0: no limit */
    unsigned connect_timeout_ms;  /* connect, greeting and LHLO together; 0: 5000 */
    unsigned command_timeout_ms;  /* MAIL, RCPT, DATA replies; sending; 0: 30000 */
    unsigned final_timeout_ms;    /* replies after the final dot; 0: 60000 */
};

enum lmtp_extension {
    LMTP_EXT_PIPELINING = 1 << 0,
    LMTP_EXT_8BITMIME = 1 << 1,
    LMTP_EXT_SMTPUTF8 = 1 << 2,
    LMTP_EXT_DSN = 1 << 3,
    LMTP_EXT_SIZE = 1 << 4,
    LMTP_EXT_ENHANCED = 1 << 5,
    LMTP_EXT_XFORWARD = 1 << 6,
    LMTP_EXT_CHUNKING = 1 << 7,
};

/* Connects to nothing yet.  NULL: LMTP_ERROR_ARGUMENT, the address cannot be read. */
struct lmtp_client *lmtp_client_new(const struct lmtp_client_options *options, GError **error);

/* Transactions must have ended.  NULL is accepted. */
void lmtp_client_free(struct lmtp_client *client);

/* What the server offered at the last LHLO, and its SIZE limit (0: none said).  Connects if there was none. */
int lmtp_client_extensions(struct lmtp_client *client, unsigned *extensions, uint64_t *max_size, GError **error);

/* ---- A transaction ---- */

/* All strings may be NULL (not said) and need only live until lmtp_send_envelope returns.  Parameters that the
 * server did not offer are left out silently, except SMTPUTF8.  Values are said as given: xtext (RFC 3461) for
 * envid and orcpt, "FULL"/"HDRS" for ret, "NEVER" or a list of SUCCESS, FAILURE, DELAY for notify. */
struct lmtp_envelope {
    const char *sender; /* without <>; "" or NULL: the null sender */
    uint64_t size;      /* 0: not said */
    bool body_8bitmime;
    bool smtputf8;
    const char *ret;
    const char *envid;
    /* XFORWARD, when the server offers the attribute; raw values, encoded here */
    const char *xf_name, *xf_addr, *xf_port, *xf_proto, *xf_helo, *xf_ident, *xf_source;
};

struct lmtp_rcpt {
    const char *address; /* without <> */
    const char *notify;
    const char *orcpt; /* "rfc822;alice@example.org" */
};

enum lmtp_outcome {
    LMTP_NOT_SENT,  /* the server cannot have taken the message for this recipient: it may be sent again */
    LMTP_AMBIGUOUS, /* the final dot left, the reply never came: it may have been delivered */
    LMTP_REPLIED,   /* reply is the server's last word on this recipient (RCPT refused, DATA refused, or final) */
};

struct lmtp_rcpt_state {
    enum lmtp_outcome outcome;
    bool accepted;           /* RCPT was answered 2xx */
    struct lmtp_reply reply; /* to RCPT after lmtp_send_envelope; after lmtp_send_data the final one */
};

struct lmtp_tx;
typedef struct lmtp_tx lmtp_tx; /* for g_autoptr(lmtp_tx) */

enum lmtp_phase {
    LMTP_ENVELOPE_ONLY, /* MAIL and RCPT; DATA is said by lmtp_send_data: when it may yet be given up */
    LMTP_WITH_DATA,     /* DATA in the same write: saves a round trip; giving up closes the connection */
};

struct lmtp_tx *lmtp_begin(struct lmtp_client *client, const struct lmtp_envelope *envelope);
void lmtp_add_rcpt(struct lmtp_tx *tx, const struct lmtp_rcpt *rcpt);

/* Takes a connection (a kept one, else a new one; a kept one that turns out to be dead is replaced once), says
 * MAIL and all RCPT in one write where PIPELINING is offered.
 * 0: every recipient has its reply; when MAIL was refused, its reply is every recipient's.
 * -1: LMTP_ERROR; every outcome is LMTP_NOT_SENT. */
int lmtp_send_envelope(struct lmtp_tx *tx, enum lmtp_phase phase, GError **error);

/* More recipients of the same transaction (LMTP_ENVELOPE_ONLY before): lmtp_add_rcpt, then this.  The earlier
 * replies stay. */
int lmtp_send_more_rcpts(struct lmtp_tx *tx, GError **error);

/* Sends the content, given in pieces, to the accepted recipients and reads their final replies in order.
 * 0: every recipient's outcome is LMTP_REPLIED.  -1: LMTP_ERROR; each recipient's outcome says how far it came
 * (some may be LMTP_REPLIED).  Without an accepted recipient: 0, nothing is sent. */
int lmtp_send_data(struct lmtp_tx *tx, const struct iovec *parts, size_t count, GError **error);

unsigned lmtp_rcpt_count(const struct lmtp_tx *tx);
unsigned lmtp_accepted_count(const struct lmtp_tx *tx);
const struct lmtp_rcpt_state *lmtp_rcpt(const struct lmtp_tx *tx, unsigned index); /* in order of lmtp_add_rcpt */
const struct lmtp_reply *lmtp_mail_reply(const struct lmtp_tx *tx);

/* Frees; gives the connection back to the pool when it is in a known state.  NULL is accepted. */
void lmtp_end(struct lmtp_tx *tx);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(lmtp_tx, lmtp_end)

/* ---- Encoding of content (pure; used by lmtp_send_data) ---- */

struct lmtp_encoder {
    const struct iovec *parts;
    size_t count, part, offset;
    bool in_line, skip_lf, ended; /* within a line; LF belongs to a CR that was seen; the final dot is out */
};

void lmtp_encoder_init(struct lmtp_encoder *encoder, const struct iovec *parts, size_t count);

/* The next pieces of what goes over the wire, final dot included: spans of parts, and constants.  max is at
 * least 8.  Returns how many were filled in; 0: that was all.  (Not all at once: content made of dots would
 * need more memory than its own.) */
size_t lmtp_encoder_next(struct lmtp_encoder *encoder, struct iovec *out, size_t max);
