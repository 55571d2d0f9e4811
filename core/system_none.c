/* SPDX-License-Identifier: Apache-2.0 */
/* No service manager. */
#include "core/system.h"

void system_notify(const char *state)
{
    (void)state;
}

bool system_journal(int priority, const char *program, const char *line)
{
    (void)priority, (void)program, (void)line;
    return false;
}
