/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format=flowed; delsp=yes (RFC 3676), both ways.  Linear time.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Text of a person (LF lines) → flowed text (LF lines): soft breaks so that lines have at most 72 columns (a longer
 * word stays whole), space-stuffed, blanks at line ends removed.  g_free. */
char *mail_flow(const char *text);

/* The reverse: flowed lines joined, stuffing removed, quote depth kept as ">> " in front.  g_free. */
char *mail_unflow(const char *text, bool delsp);

/* The same; `own` (UTF-8) is put in front of lines that the writer began with '>' and that are no quotes. */
char *mail_unflow_own(const char *text, bool delsp, const char *own);
