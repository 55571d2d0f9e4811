/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the policy share. */
#pragma once

#include "core/policy.h"

/* What stands in the braces of a sentence; NULL: "". */
struct policy_words {
    const char *who;       /* {who} login */
    const char *from;      /* {from} */
    const char *number;    /* {number} the recipient as he knows it */
    const char *region;    /* {region} of the number */
    const char *regions;   /* {regions} that are allowed */
    const char *endpoint;  /* {endpoint} its address */
    const char *channel;   /* {channel} */
    const char *why;       /* {why} a sentence or words from elsewhere */
    const char *status;    /* in place of the row's enhanced code */
    const char *period;    /* {period} */
    const char *unit;      /* {unit} of a text's length; NULL: characters */
    gint64 count;          /* {count} */
    gint64 limit;          /* {limit} */
};

/*
 * Free text or a template?  POLICY_OK, or why neither goes.  words: .from, .why, .count and .limit are set where the
 * sentence has them; *text (owned by the caller) is what .why points to.
 */
enum policy_reason policy_template_check(const struct policy_request *request, const struct policy_facts *facts,
                                         const struct policy_message *message, struct policy_words *words, char **text);
/* Is a template chosen, or does the endpoint's own carry the text? */
bool policy_template_goes(const struct policy_request *request, const struct policy_facts *facts);
/* How long after the contact's last message free text goes; 0: always. */
gint64 policy_window_s(const struct policy_facts *facts);
/* Are the endpoint's templates of use for this recipient? */
bool policy_template_matters(const struct policy_request *request, const struct policy_facts *facts);

/* Sets *verdict from the reason's row; returns its action. */
enum policy_action policy_say(enum policy_reason reason, const struct policy_words *words,
                              struct policy_verdict *verdict);
