/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a gateway recipient stands for: one contact, a known group, or the group that new-group@<channel> makes of the
 * other numbers in To and Cc.
 */
#pragma once

#include "lmtp/submission.h"

enum group_result {
    GROUP_GO = 0,  /* *identifier (owned) and *group_id (owned, NULL: no group) are set */
    GROUP_ANSWERED /* the recipient has its reply: part of a new group, or no group can be made */
};

enum group_result group_resolve(const struct submission *submission, const struct policy_request *request,
                                const struct policy_facts *facts, struct txn_recipient *rcpt, char **identifier,
                                char **group_id);
