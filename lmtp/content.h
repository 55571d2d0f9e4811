/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of one mail, as it comes after DATA: dots unstuffed (RFC 5321 section 4.5.2), kept in memory up to a
 * limit and in an unlinked file beyond it, seen as one piece at the end.
 *
 * Only CRLF.CRLF ends it (FAILURES T07): a bare line feed or carriage return is content like any other byte.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- Decoder: pure ---- */

enum content_state {
    CONTENT_LINE, /* at the start of a line */
    CONTENT_DOT,  /* after a dot there */
    CONTENT_DOT_CR,
    CONTENT_TEXT,
    CONTENT_TEXT_CR,
    CONTENT_DONE
};

/* Takes from data what belongs to the mail: *used bytes are consumed, pieces go to emit (point into data, or to
 * constants).  Returns true when the end was found; what follows is the next command. */
typedef void (*content_emit)(const char *piece, size_t length, void *context);
bool content_decode(enum content_state *state, const char *data, size_t length, size_t *used, content_emit emit,
                    void *context);

/* ---- Buffer ---- */

struct content {
    const char *data; /* after content_finish() */
    size_t length;
    /* private */
    GByteArray *memory;
    size_t memory_limit, max_size;
    const char *spool_dir;
    int fd;
    void *mapped;
    size_t written;
    bool too_big; /* above max_size: the rest was thrown away */
    bool failed;  /* no room on the disk, or an I/O error */
};

/* spool_dir: where a big mail goes (O_TMPFILE); NULL: memory of its own (memfd). */
void content_init(struct content *content, size_t memory_limit, size_t max_size, const char *spool_dir);
void content_add(const char *piece, size_t length, void *content); /* a content_emit */
/* 0: data and length are set; -1: it could not be kept (errno). */
int content_finish(struct content *content);
void content_clear(struct content *content);
