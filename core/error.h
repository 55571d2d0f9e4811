/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GError domain of core.  Codes say what a caller can do about it, not where it came from.
 */
#pragma once

#include <glib.h>

#define UMP_ERROR (ump_error_quark())

enum ump_error {
    UMP_ERROR_FAILED,      /* anything else */
    UMP_ERROR_INVALID,     /* the input is wrong: will not get better by repeating */
    UMP_ERROR_NOT_FOUND,   /* what was named does not exist */
    UMP_ERROR_IO,          /* a system call failed; the message holds its errno */
    UMP_ERROR_NO_SPACE,    /* ENOSPC, EDQUOT */
    UMP_ERROR_UNAVAILABLE, /* try again later */
    UMP_ERROR_LIMIT,       /* over a limit of ours */
    UMP_ERROR_CONFIG       /* configuration or key file; the message names file and line */
};

GQuark ump_error_quark(void);

/* Sets *error to "<what>: <strerror(errnum)>" with UMP_ERROR_NO_SPACE or UMP_ERROR_IO; returns -1. */
int ump_error_errno(GError **error, int errnum, const char *what, ...) G_GNUC_PRINTF(3, 4);
