/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hands mail that the bridge composed to ump-lmtp, with the bridge's stamp; or, for senders whose
 * mailbox is elsewhere, to a mail server over SMTP.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "bridge/bridge.h"
#include "core/lmtp_client.h"

enum deliver_outcome {
    DELIVERED,
    DELIVER_LATER,   /* nobody took it: the server is down, or it said 4xx; may be repeated */
    DELIVER_REFUSED  /* 5xx: it will not be taken */
};

struct deliver_result {
    enum deliver_outcome outcome;
    bool unreachable; /* LATER, and the server did not answer at all: try again soon */
    char *reply;      /* the server's, or our error; g_free */
};

struct lmtp_client *deliver_client_new(struct bridge *bridge, unsigned connections, GError **error);

/*
 * id (uuid text) makes the delivery unique with its recipient: a repeat is met by ump-lmtp.  sender
 * "" is the null sender.  at: time of the event, µs.
 */
void deliver_local(struct bridge *bridge, struct lmtp_client *client, GBytes *mail, const char *id, gint64 account,
                   const char *sender, const char *recipient, gint64 at, struct deliver_result *result);

/* Is the address in one of the gateway's mail domains? */
bool deliver_is_local(struct bridge *bridge, const char *address);

/* From the null sender, over [receipts] smtp. */
void deliver_smtp(struct bridge *bridge, GBytes *mail, const char *recipient, struct deliver_result *result);
