/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hands one mail of ours to a mail server by SMTP (RFC 5321): a report to whoever sent a mail.  One connection per
 * mail; blocking, with deadlines.
 */
#pragma once

#include <glib.h>

enum submit_result {
    SUBMIT_TAKEN = 0,
    SUBMIT_REFUSED = 1 /* 5xx: it will not be taken later either; *reply says why */
};

/* where: "unix:/path", "/path" or "host:port".  The envelope sender is <>.  *reply (owned) is the server's last line.
 * -1: temporary failure, with error. */
int submit_mail(const char *where, const char *hostname, const char *recipient, GBytes *mail, char **reply,
                GError **error);
