/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-scan of a raw mail before any MIME parser sees it: nesting, number of parts, size of headers.
 * One linear pass, no allocation that grows with the mail; so that no bomb reaches GMime's parser (FAILURES T14).
 * Only a Content-Type that is within the limits is read by GMime itself, so that both agree on what is a multipart.
 */
#pragma once

#include <stddef.h>

enum mime_limits_outcome {
    MIME_LIMITS_OK = 0,
    MIME_LIMITS_NESTING,   /* parts nested deeper than max_nesting */
    MIME_LIMITS_PARTS,   /* more than max_parts parts */
    MIME_LIMITS_HEADER,   /* one header field longer than max_header */
    MIME_LIMITS_HEADERS,   /* one header block longer, or with more fields, than allowed */
    MIME_LIMITS_PARAMETERS,   /* too many parameters (RFC 2231 continuations) in one field */
    MIME_LIMITS_BOUNDARY   /* a boundary of none or of 256 bytes or more, or one that ends with a blank (RFC 2046: 1 to 70, no blank) */
};

struct mime_limits {
    size_t max_nesting;    /* 50 */
    size_t max_parts;      /* 1,000 */
    size_t max_header;     /* 65,536 bytes, one field */
    size_t max_headers;    /* 524,288 bytes, all header blocks together */
    size_t max_fields;     /* 10,000 fields, all blocks together */
    size_t max_parameters; /* 200 in one structured field */
};

extern const struct mime_limits mime_limits_default;

/* limits NULL: the defaults.  Linear in len. */
enum mime_limits_outcome mime_limits_check(const char *data, size_t len, const struct mime_limits *limits);

/* One sentence for the peer with its enhanced status code in front ("5.6.0 this mail has more than 1,000 parts"). */
const char *mime_limits_sentence(enum mime_limits_outcome outcome);
