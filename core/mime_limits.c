/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-scan of a raw mail, see mime_limits.h. */
#include "core/mime_limits.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { STACK_MAX = 128, BOUNDARY_MAX = 256, TYPE_VALUE_MAX = 65536 };

const struct mime_limits mime_limits_default = {
    .max_nesting = 50,
    .max_parts = 1000,
    .max_header = 65536,
    .max_headers = 524288,
    .max_fields = 10000,
    .max_parameters = 200,
};

struct boundary {
    char text[BOUNDARY_MAX];
    size_t len;
    size_t depth; /* nesting of the multipart that it belongs to */
};

struct scan {
    const struct mime_limits *limits;
    struct boundary stack[STACK_MAX];
    size_t open;  /* boundaries on the stack */
    size_t depth; /* of the part being read */
    size_t parts, headers, fields;
    /* the header block being read */
    bool in_header;
    const char *field;  /* start of the field being gathered; NULL */
    const char *type;  /* last Content-Type field; NULL */
    size_t type_len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_blank(const char *p, size_t i, size_t len)
{
    while (i < len && is_blank(p[i]))
        i++;
    return i;
}

/* One parameter value, quoted or not, appended to out; returns the index behind it. */
static size_t take_value(const char *p, size_t i, size_t len, char *out, size_t *out_len)
{
    if (i < len && p[i] == '"') {
        for (i++; i < len && p[i] != '"'; i++) {
            if (p[i] == '\\' && i + 1 < len)
                i++;
            else if (p[i] == '\r' || p[i] == '\n')
                continue;
            if (out && *out_len < BOUNDARY_MAX)
                out[(*out_len)++] = p[i];
        }
        return i < len ? i + 1 : i;
    }
    for (; i < len && p[i] != ';' && !is_blank(p[i]); i++)
        if (out && *out_len < BOUNDARY_MAX)
            out[(*out_len)++] = p[i];
    return i;
}

/* RFC 2231 charset and %XX within a boundary: decoded in place. */
static size_t decode_extended(char *text, size_t len)
{
    size_t quotes = 0, from = 0, to = 0;
    for (size_t i = 0; i < len && quotes < 2; i++)
        if (text[i] == '\'' && ++quotes == 2)
            from = i + 1;
    for (size_t i = from; i < len; i++) {
        if (text[i] == '%' && i + 2 < len) {
            char hex[3] = {text[i + 1], text[i + 2], '\0'};
            unsigned value = 0;
            bool ok = true;
            for (int k = 0; k < 2; k++) {
                char c = hex[k];
                value = value * 16;
                if (c >= '0' && c <= '9')
                    value += (unsigned)(c - '0');
                else if ((c | 32) >= 'a' && (c | 32) <= 'f')
                    value += (unsigned)((c | 32) - 'a' + 10);
                else
                    ok = false;
            }
            if (ok) {
                text[to++] = (char)value;
                i += 2;
                continue;
            }
        }
        text[to++] = text[i];
    }
    return to;
}

/* Parameters of a structured value: counts them, takes the boundary (also in RFC 2231 pieces). */
static size_t parameters(const char *p, size_t len, struct boundary *boundary)
{
    size_t count = 0, i = 0;
    bool extended = false;
    boundary->len = 0;
    while (i < len) {
        const char *semicolon = memchr(p + i, ';', len - i);
        if (!semicolon)
            break;
        count++;
        i = skip_blank(p, (size_t)(semicolon - p) + 1, len);
        size_t name = i;
        while (i < len && p[i] != '=' && p[i] != ';' && !is_blank(p[i]))
            i++;
        size_t name_len = i - name;
        i = skip_blank(p, i, len);
        if (i >= len || p[i] != '=')
            continue;
        i = skip_blank(p, i + 1, len);
        bool mine = name_len >= 8 && strncasecmp(p + name, "boundary", 8) == 0 && (name_len == 8 || p[name + 8] == '*');
        if (mine && name_len == 8)
            boundary->len = 0; /* the plain form beats pieces seen before */
        extended = extended || (mine && name_len > 8 && p[name + name_len - 1] == '*');
        i = take_value(p, i, len, mine ? boundary->text : NULL, &boundary->len);
    }
    if (extended)
        boundary->len = decode_extended(boundary->text, boundary->len);
    while (boundary->len > 0 && is_blank(boundary->text[boundary->len - 1]))
        boundary->len--;
    return count;
}

static bool name_is(const char *p, size_t len, const char *name)
{
    size_t n = strlen(name);
    return len > n && strncasecmp(p, name, n) == 0 && (p[n] == ':' || is_blank(p[n]));
}

static enum mime_limits_outcome end_field(struct scan *scan, const char *end)
{
    if (!scan->field)
        return MIME_LIMITS_OK;
    const char *field = scan->field;
    size_t len = (size_t)(end - field);
    scan->field = NULL;
    scan->headers += len;
    scan->fields++;
    if (len > scan->limits->max_header)
        return MIME_LIMITS_HEADER;
    if (scan->headers > scan->limits->max_headers || scan->fields > scan->limits->max_fields)
        return MIME_LIMITS_HEADERS;
    bool type = name_is(field, len, "Content-Type");
    if (type || name_is(field, len, "Content-Disposition")) {
        struct boundary ignored;
        if (parameters(field, len, &ignored) > scan->limits->max_parameters)
            return MIME_LIMITS_PARAMETERS;
    }
    if (type) {
        scan->type = field;
        scan->type_len = len;
    }
    return MIME_LIMITS_OK;
}

/* The value of the Content-Type field starts with this. */
static bool type_starts(const struct scan *scan, const char *prefix)
{
    if (!scan->type)
        return false;
    const char *colon = memchr(scan->type, ':', scan->type_len);
    if (!colon)
        return false;
    size_t i = skip_blank(scan->type, (size_t)(colon + 1 - scan->type), scan->type_len);
    size_t n = strlen(prefix);
    return scan->type_len - i >= n && strncasecmp(scan->type + i, prefix, n) == 0;
}

static enum mime_limits_outcome begin_header(struct scan *scan, size_t depth)
{
    scan->in_header = true;
    scan->field = scan->type = NULL;
    scan->depth = depth;
    if (depth > scan->limits->max_nesting)
        return MIME_LIMITS_NESTING;
    return ++scan->parts > scan->limits->max_parts ? MIME_LIMITS_PARTS : MIME_LIMITS_OK;
}

/* The empty line: what does this part hold? */
static enum mime_limits_outcome end_header(struct scan *scan)
{
    scan->in_header = false;
    if (type_starts(scan, "multipart/")) {
        if (scan->open >= STACK_MAX)
            return MIME_LIMITS_NESTING;
        struct boundary *boundary = &scan->stack[scan->open];
        parameters(scan->type, scan->type_len, boundary);
        if (boundary->len >= BOUNDARY_MAX)
            return MIME_LIMITS_BOUNDARY;
        if (boundary->len > 0) {
            boundary->depth = scan->depth;
            scan->open++;
        }
    } else if (type_starts(scan, "message/rfc822") || type_starts(scan, "message/global") ||
           type_starts(scan, "message/news")) {
        return begin_header(scan, scan->depth + 1);
    }
    return MIME_LIMITS_OK;
}

/* A line that begins with "--" within a body: a boundary that is open? */
static enum mime_limits_outcome dash_line(struct scan *scan, const char *line, size_t len, bool *matched)
{
    *matched = false;
    while (len > 2 && is_blank(line[len - 1]))
        len--;
    for (size_t i = scan->open; i-- > 0;) {
        const struct boundary *boundary = &scan->stack[i];
        bool start = len == boundary->len + 2;
        bool end = len == boundary->len + 4 && line[len - 1] == '-' && line[len - 2] == '-';
        if ((!start && !end) || memcmp(line + 2, boundary->text, boundary->len) != 0)
            continue;
        *matched = true;
        if (end) {
            scan->open = i;
            scan->in_header = false;
            return MIME_LIMITS_OK;
        }
        scan->open = i + 1;
        return begin_header(scan, boundary->depth + 1);
    }
    return MIME_LIMITS_OK;
}

static enum mime_limits_outcome header_line(struct scan *scan, const char *line, const char *next)
{
    bool empty = line[0] == '\n' || (line[0] == '\r' && next - line >= 2 && line[1] == '\n');
    if (!empty && scan->field && (*line == ' ' || *line == '\t')) {
        if ((size_t)(next - scan->field) > scan->limits->max_header)
            return MIME_LIMITS_HEADER;
        return MIME_LIMITS_OK;
    }
    enum mime_limits_outcome outcome = end_field(scan, line);
    if (outcome != MIME_LIMITS_OK)
        return outcome;
    if (empty)
        return end_header(scan);
    scan->field = line;
    return (size_t)(next - line) > scan->limits->max_header ? MIME_LIMITS_HEADER : MIME_LIMITS_OK;
}

enum mime_limits_outcome mime_limits_check(const char *data, size_t len, const struct mime_limits *limits)
{
    struct scan scan;
    scan.limits = limits ? limits : &mime_limits_default;
    scan.open = scan.parts = scan.headers = scan.fields = 0;
    enum mime_limits_outcome outcome = begin_header(&scan, 0);
    const char *end = data + len;
    for (const char *line = data; line < end && outcome == MIME_LIMITS_OK;) {
        const char *nl = memchr(line, '\n', (size_t)(end - line));
        const char *next = nl ? nl + 1 : end;
        bool matched = false;
        if (line[0] == '-' && next - line > 2 && line[1] == '-') {
            if (scan.in_header && scan.field)
                outcome = end_field(&scan, line);
            if (outcome == MIME_LIMITS_OK)
                outcome = dash_line(&scan, line, (size_t)(next - line), &matched);
        }
        if (!matched && scan.in_header && outcome == MIME_LIMITS_OK)
            outcome = header_line(&scan, line, next);
        line = next;
    }
    if (outcome == MIME_LIMITS_OK && scan.in_header)
        outcome = end_field(&scan, end);
    return outcome;
}

const char *mime_limits_sentence(enum mime_limits_outcome outcome)
{
    switch (outcome) {
    case MIME_LIMITS_OK:
        return "2.0.0 the mail is within the limits";
    case MIME_LIMITS_NESTING:
        return "5.6.0 the parts of this mail are nested too deeply; the limit is 50 levels";
    case MIME_LIMITS_PARTS:
        return "5.6.0 this mail has too many parts; the limit is 1000";
    case MIME_LIMITS_HEADER:
        return "5.6.0 one header field of this mail is too long; the limit is 64 KiB";
    case MIME_LIMITS_HEADERS:
        return "5.6.0 the headers of this mail are too long; the limit is 512 KiB and 10000 fields";
    case MIME_LIMITS_PARAMETERS:
        return "5.6.0 one header field of this mail has too many parameters; the limit is 200";
    case MIME_LIMITS_BOUNDARY:
        return "5.6.0 a boundary of this mail is too long; the limit is 70 characters";
    default:
        return "5.6.0 this mail cannot be read";
    }
}
