/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The milter's decisions about one mail: the policy with the facts of the database, which of the
 * recipients go, what the stamp says.  Knows nothing of libmilter.
 */
#pragma once

#include "core/stamp.h"
#include "milter/mail.h"

struct db;
struct config;
struct judge;

/* Keys are read from the files of the configuration; db is borrowed (NULL: always down). */
struct judge *judge_new(const struct config *config, struct db *db, GError **error);
void judge_free(struct judge *judge);
/* Reads the key files again; what cannot be read leaves the old keys. -1: error set. */
int judge_reload(struct judge *judge, GError **error);
const struct policy_site *judge_site(const struct judge *judge);

/*
 * RCPT.  Ordinary recipients are accepted at no cost, gateway recipients by the policy; what is
 * accepted is added to the mail.  A mail by sendmail(1) is never refused anything.  resolved: what
 * Postfix made of the argument ({rcpt_addr}), or NULL; it counts where the argument is no path by the
 * standard, which Postfix forgives ("<<a@b>>", "< a@b >").
 */
enum policy_action judge_recipient(struct judge *judge, struct mail *mail, const char *envelope,
                                   const char *resolved, struct policy_verdict *verdict);

/*
 * End of message, when there are gateway recipients: From, automatic mail, each recipient again
 * with all that is known, size and length; members of an addressed group are marked dropped.
 * Refuses only what must hit the whole mail (policy.h).  *checked: the database was asked.
 */
enum policy_action judge_mail(struct judge *judge, struct mail *mail, bool *checked, struct policy_verdict *verdict);

/* The value of UMP-Stamp, or NULL for a mail that gets none: neither a login nor a declared
 * machine sender.  g_free. */
char *judge_stamp(struct judge *judge, const struct mail *mail, bool checked);
