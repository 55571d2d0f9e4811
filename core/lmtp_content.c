/* SPDX-License-Identifier: Apache-2.0 */
/* Content for DATA: line ends made CRLF, then dots doubled (FAILURES T08), without copying.  Pure. */
#include "core/lmtp_client.h"

#include <string.h>

static const char crlf[] = "\r\n", dot[] = ".", final[] = ".\r\n";

struct output {
    struct iovec *pieces;
    size_t count;
};

static void put(struct output *out, const char *from, const char *to)
{
    if (to > from)
        out->pieces[out->count++] = (struct iovec){ (char *)from, (size_t)(to - from) };
}

static void put_constant(struct output *out, const char *constant)
{
    put(out, constant, constant + strlen(constant));
}

void lmtp_encoder_init(struct lmtp_encoder *encoder, const struct iovec *parts, size_t count)
{
    *encoder = (struct lmtp_encoder){ .parts = parts, .count = count };
}

/* The first CR or LF in [p, end); end if there is none.  In small steps: content of nothing but CR must not
 * be searched for LF to its end each time. */
static const char *line_end(const char *p, const char *end)
{
    for (size_t step; p < end; p += step) {
        step = MIN((size_t)(end - p), 128);
        const char *lf = memchr(p, '\n', step);
        const char *cr = memchr(p, '\r', lf ? (size_t)(lf - p) : step);
        if (cr || lf)
            return cr ? cr : lf;
    }
    return end;
}

/* Emits from one part until three free slots are no longer certain; returns where it stopped. */
static const char *encode_span(struct lmtp_encoder *e, const char *p, const char *end, struct output *out, size_t max)
{
    const char *start = p;
    if (p < end && e->skip_lf && *p == '\n')
        start = ++p;
    e->skip_lf = false;
    while (p < end && out->count + 3 < max) {
        if (!e->in_line && *p == '.') {
            put(out, start, p);
            put_constant(out, dot);
            start = p;
        }
        const char *q = line_end(p, end);
        e->in_line = q == end;
        if (q == end) {
            p = end;
        } else if (*q == '\r' && q + 1 < end && q[1] == '\n') {
            p = q + 2;
        } else { /* a bare one, or a CR at the end of the part */
            put(out, start, q);
            put_constant(out, crlf);
            e->skip_lf = *q == '\r' && q + 1 == end;
            start = p = q + 1;
        }
    }
    put(out, start, p);
    return p;
}

size_t lmtp_encoder_next(struct lmtp_encoder *e, struct iovec *pieces, size_t max)
{
    struct output out = { pieces, 0 };
    g_assert(max >= 8);
    while (e->part < e->count && out.count + 4 < max) {
        const char *base = e->parts[e->part].iov_base;
        size_t length = e->parts[e->part].iov_len;
        const char *stopped = length ? encode_span(e, base + e->offset, base + length, &out, max) : base;
        e->offset = (size_t)(stopped - base);
        if (e->offset == length) {
            e->part++;
            e->offset = 0;
        }
    }
    if (e->part == e->count && !e->ended && out.count + 2 <= max) {
        if (e->in_line)
            put_constant(&out, crlf);
        put_constant(&out, final);
        e->ended = true;
    }
    return out.count;
}
