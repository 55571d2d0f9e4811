/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody who reaches a cap may have lost his password (FAILURES T04): the first time within an
 * hour that a sender reaches one, a warning is logged (alarm=cap-user …, status=alarm), the audit
 * log gets a row, and the people who administer the account are told by mail.
 */
#pragma once

#include "core/policy.h"

struct db;
struct policy_alarm;

/* db may be NULL: log only. */
struct policy_alarm *policy_alarm_new(struct db *db);
void policy_alarm_free(struct policy_alarm *alarm);
/* Call with every refusal; does nothing but for caps.  facts may be NULL.  Any thread. */
void policy_alarm_look(struct policy_alarm *alarm, const struct policy_request *request,
                       const struct policy_facts *facts, const struct policy_verdict *verdict);
