/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager: readiness and the journal.  Two files implement it, and the build takes one
 * of them: system_systemd.c where libsystemd is present, system_none.c elsewhere.
 */
#pragma once

#include <stdbool.h>

/* Sends "READY=1" and the like; does nothing when no service manager listens. */
void system_notify(const char *state);
/* One line with a syslog priority (3 error … 7 debug); false: there is no journal. */
bool system_journal(int priority, const char *program, const char *line);
