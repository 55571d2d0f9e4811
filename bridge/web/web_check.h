/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request's head must look like before its body is read (FAILURES T24, T25, 6.3).  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum web_check {
    WEB_CHECK_OK = 0,
    WEB_CHECK_BAD = 1,        /* 400 and close: Content-Length twice, not a number, or with Transfer-Encoding */
    WEB_CHECK_HEADERS = 2,    /* 431: too many, or one too long */
    WEB_CHECK_ENCODING = 3,   /* 415: Content-Encoding */
    WEB_CHECK_TOO_LARGE = 4,  /* 413: Content-Length above the limit */
    WEB_CHECK_TRANSFER = 5    /* 400 and close: Transfer-Encoding that is not chunked */
};

#define WEB_MAX_HEADERS 48
#define WEB_MAX_HEADER 8192

struct web_head {
    unsigned headers, content_lengths, transfer_encodings;
    bool malformed, encoded, too_long, not_chunked;
    uint64_t content_length;
};

/* Feeds one header; name in any case. */
void web_head_add(struct web_head *head, const char *name, const char *value);
enum web_check web_head_check(const struct web_head *head, uint64_t max_body);
unsigned web_check_status(enum web_check check);

/* "/webhooks/<uuid>", optionally with a trailing slash; id (37 bytes) gets it in lower case. */
bool web_path_uuid(const char *path, const char *prefix, char id[static 37]);
/* The last address of an X-Forwarded-For value, trimmed; false: none.  size of out: 64. */
bool web_forwarded_for(const char *value, char out[static 64]);

/* "bytes=0-499", "bytes=500-", "bytes=-500" of a file of that size: 1: use it; 0: no or several
 * ranges, send the whole; -1: 416. */
int web_range(const char *value, uint64_t size, uint64_t *from, uint64_t *length);
