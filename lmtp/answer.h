/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to notices (r.<token>@notice.<domain>): "send", "cancel", "resend", or the corrected text.
 */
#pragma once

#include "lmtp/submission.h"

/* The policy accepted the recipient and its token.  Sets the reply. */
void answer_notice(const struct submission *submission, struct txn_recipient *rcpt,
                   const struct policy_request *request, const struct policy_facts *facts);
