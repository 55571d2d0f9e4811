/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The top-level header block of a raw message, read without a MIME parser: find fields, take fields out, put fields
 * at the top; the body stays byte for byte what it was.  Used by the milter's tests, ump-lmtp and mail_parse.
 * Line ends may be CRLF or LF.  Nothing is copied: fields point into the message.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct mail_field {
    const char *name; /* not terminated */
    size_t name_len;  /* without trailing blanks before the colon */
    const char *raw;  /* whole field with its line ends */
    size_t raw_len;
    const char *body; /* after the colon, still folded, without the last line end */
    size_t body_len;
};

struct mail_header {
    const char *data; /* the message; borrowed */
    size_t len;
    size_t header_len;  /* bytes of the header block, without the empty line */
    size_t body_offset; /* where the body starts (== len when there is none) */
    bool crlf;     /* line ends are CRLF */
    GArray *fields;     /* struct mail_field */
};

/* Never fails: a line that is no field ends the header block (an mbox "From " line at the start is skipped). */
void mail_header_scan(struct mail_header *header, const char *data, size_t len);
void mail_header_clear(struct mail_header *header);
typedef struct mail_header mail_header; /* for g_auto(mail_header) */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(mail_header, mail_header_clear)

/* First field of that name (case-insensitive) after the given one (NULL: from the top); NULL when there is none. */
const struct mail_field *mail_header_find(const struct mail_header *header, const char *name,
                      const struct mail_field *after);
guint mail_header_count(const struct mail_header *header, const char *name);
bool mail_field_is(const struct mail_field *field, const char *name);
bool mail_field_has_prefix(const struct mail_field *field, const char *prefix);

/* Value unfolded (each line end removed, RFC 5322 2.2.3) and trimmed, bytes otherwise as they are; g_free. */
char *mail_field_value(const struct mail_field *field);
/* The same of the first field of that name; NULL when there is none. */
char *mail_header_get(const struct mail_header *header, const char *name);

/* Message ids "<…>" in a value, in order, with angle brackets, at most max; also finds bare ids without them. NULL-
 * terminated, never NULL; g_strfreev. */
char **mail_message_ids(const char *value, guint max);

/* true: leave the field out */
typedef bool (*mail_field_drop)(const struct mail_field *field, void *data);

/*
 * The message with `top` (complete lines with their line ends, CRLF; may be NULL) in front and the fields for which
 * drop answers true left out.  Everything else is byte for byte the same.  When nothing is dropped and top is empty
 * the result is a plain copy.
 */
GBytes *mail_header_rewrite(const struct mail_header *header, const char *top, mail_field_drop drop, void *data);
/* Ready-made rule: every field whose name starts with "UMP-" (case-insensitive, also with odd bytes in the name). */
bool mail_field_drop_ump(const struct mail_field *field, void *unused);
