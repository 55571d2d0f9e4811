/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager is systemd. */
#include "core/system.h"

#include <systemd/sd-daemon.h>
/* Our own lines carry their context: sd-journal must not add file and line of this wrapper. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

void system_notify(const char *state)
{
    sd_notify(0, state);
}

bool system_journal(int priority, const char *program, const char *line)
{
    return sd_journal_send("PRIORITY=%d", priority, "SYSLOG_IDENTIFIER=%s", program, "MESSAGE=%s", line,
                           NULL) >= 0;
}
