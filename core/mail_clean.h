/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of strangers made safe to stand in a header or beside a file: names, lines, file names, MIME types
 * (FAILURES T29, T30, T31).  Input is anything, output is valid UTF-8.
 */
#pragma once

#include <glib.h>

/* One line of text: C0, C1, DEL, U+2028/2029/0085 become a blank, bidi controls vanish, blanks are trimmed and
 * joined, NFC.  Zero-width joiners and variation selectors stay only inside emoji.  At most max_chars characters,
 * cut at a grapheme boundary with "…" (0: no limit).  g_free; never NULL. */
char *mail_clean_line(const char *text, gsize max_chars);

/* A display name: as mail_clean_line, without any invisible character, at most 64 characters; when it contains "@"
 * or mixes scripts (UTS #39, single script) " [address]" is appended. NULL or nothing left: address itself. */
char *mail_clean_name(const char *name, const char *address);

/* A file name: no path, no controls, no bidi, no leading dot, no reserved characters, at most 100 characters with the
 * extension kept; "" when nothing is left. */
char *mail_clean_filename(const char *name);

/* A MIME type "type/subtype" in lower case if it is one and is not multipart or message; else "application/octet-stream". g_free. */
char *mail_clean_type(const char *type);
