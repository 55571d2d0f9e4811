/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mail as it came in, and whom we may believe about it: the trust is a MAC (core/stamp), never the mere presence
 * of a field.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "core/mail_header.h"
#include "core/stamp.h"
#include "lmtp/content.h"
#include "lmtp/txn.h"

enum mail_trust {
    MAIL_TRUST_NONE,   /* no UMP-* field of it counts */
    MAIL_TRUST_MILTER, /* an authenticated user's or declared machine's */
    MAIL_TRUST_BRIDGE  /* composed by ump-bridge */
};

struct mail {
    const char *data;
    size_t length;
    struct mail_header header;
    bool has_ump;             /* some UMP-* field is there */
    enum mail_trust trust;
    enum stamp_result stamp_result;
    struct stamp stamp;       /* when it parsed and its MAC was right */
    char *from;               /* the one address of From; NULL */
    char *message_id;         /* with <>; NULL */
    char *conversation_id;    /* UMP-Conversation-ID of bridged mail; NULL */
    gint64 local_uid;         /* who called sendmail(1): a milter never learns it, but the local Postfix writes it into
                               * the first Received of mail that did not come by SMTP; -1 */
    char *local_txn;          /* a transaction id for such mail: host and queue id; NULL */
};

struct mail_context {
    const struct stamp_keys *keys;
    gint64 stamp_max_age; /* seconds */
};

void mail_open(struct mail *mail, const struct content *content, const struct txn *txn,
               const struct mail_context *context);
void mail_close(struct mail *mail);

/*
 * The mail as pieces: `top` (complete lines, or "") in front, then everything byte for byte but the UMP-* fields that
 * must not reach a mailbox: without trust all of them, of a user's own mail all but his wishes, of bridged mail the
 * stamp.  Nothing is copied; top must live as long as the pieces.
 */
void mail_pieces(const struct mail *mail, enum mail_trust trust, const char *top, GArray *pieces);
