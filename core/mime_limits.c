/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-scan of a raw mail, see mime_limits.h. */
#include "core/mime_limits.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/mail_gmime.h"

enum { STACK_MAX = 128, BOUNDARY_MAX = 256 };

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
    bool digest;  /* its parts are messages unless they say otherwise (RFC 2046, 5.1.5) */
};

struct scan {
    const struct mime_limits *limits;
    struct boundary stack[STACK_MAX];
    size_t open;  /* boundaries on the stack */
    size_t depth; /* of the part being read */
    size_t parts, headers, fields;
    /* the header block being read */
    bool in_header;
    bool in_digest;     /* it is that of a part of a multipart/digest */
    const char *field;  /* start of the field being gathered; NULL */
    const char *type;  /* last Content-Type field; NULL */
    size_t type_len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Semicolons of a structured value, those within quotes not; all of them when a quote is not closed. */
static size_t count_parameters(const char *p, size_t len)
{
    size_t bare = 0, quoted = 0;
    bool quote = false;
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '\\' && quote) {
            i++;
        } else if (p[i] == '"') {
            quote = !quote;
        } else if (p[i] == ';') {
            *(quote ? &quoted : &bare) += 1;
        }
    }
    return quote ? bare + quoted : bare;
}

static bool name_is(const char *p, size_t len, const char *name)
{
    size_t n = strlen(name);
    if (len <= n || strncasecmp(p, name, n) != 0)
        return false;
    while (n < len && (p[n] == ' ' || p[n] == '\t'))
        n++;
    return n < len && p[n] == ':';
}

static enum mime_limits_outcome end_field(struct scan *scan, const char *end)
{
    if (!scan->field)
        return MIME_LIMITS_OK;
    const char *field = scan->field;
    size_t len = (size_t)(end - field);
    scan->field = NULL;
    if (!memchr(field, ':', len)) /* no field: the parser passes it by (of a message in base64, say) */
        return MIME_LIMITS_OK;
    scan->headers += len;
    scan->fields++;
    if (len > scan->limits->max_header)
        return MIME_LIMITS_HEADER;
    if (scan->headers > scan->limits->max_headers || scan->fields > scan->limits->max_fields)
        return MIME_LIMITS_HEADERS;
    bool type = name_is(field, len, "Content-Type");
    if (type || name_is(field, len, "Content-Disposition")) {
        if (count_parameters(field, len) > scan->limits->max_parameters)
            return MIME_LIMITS_PARAMETERS;
    }
    if (type) {
        scan->type = field;
        scan->type_len = len;
    }
    return MIME_LIMITS_OK;
}

/*
 * The Content-Type of the part as GMime's parser will see it (comments, RFC 2231 pieces, encoded words and repeated
 * parameters included): a reading of our own would be one that a hostile mail can differ from.  NULL: none that it
 * can read; g_object_unref.
 */
static GMimeContentType *part_type(const struct scan *scan)
{
    const char *colon = scan->type ? memchr(scan->type, ':', scan->type_len) : NULL;
    if (!colon)
        return NULL;
    g_autofree char *value = g_strndup(colon + 1, scan->type_len - (size_t)(colon + 1 - scan->type));
    return g_mime_content_type_parse(mail_gmime_options(), value);
}

/* What cannot be read as a type comes as application/octet-stream; in a digest the parser takes it for a message. */
static bool is_known(GMimeContentType *type)
{
    return type && !g_mime_content_type_is_type(type, "application", "octet-stream");
}

static bool holds_message(GMimeContentType *type)
{
    static const char *const subtypes[] = {"rfc822", "rfc2822", "global", "news"};
    for (size_t i = 0; i < G_N_ELEMENTS(subtypes); i++)
        if (g_mime_content_type_is_type(type, "message", subtypes[i]))
            return true;
    return false;
}

static enum mime_limits_outcome begin_header(struct scan *scan, size_t depth)
{
    scan->in_header = true;
    scan->in_digest = false;
    scan->field = scan->type = NULL;
    scan->depth = depth;
    if (depth > scan->limits->max_nesting)
        return MIME_LIMITS_NESTING;
    return ++scan->parts > scan->limits->max_parts ? MIME_LIMITS_PARTS : MIME_LIMITS_OK;
}

static enum mime_limits_outcome open_boundary(struct scan *scan, const char *text, bool digest)
{
    if (!text)
        return MIME_LIMITS_OK;
    size_t len = strlen(text);
    if (len == 0 || len >= BOUNDARY_MAX || is_blank(text[len - 1])) /* blanks behind a boundary are not part of it, for whom? */
        return MIME_LIMITS_BOUNDARY;
    if (scan->open >= STACK_MAX)
        return MIME_LIMITS_NESTING;
    struct boundary *boundary = &scan->stack[scan->open++];
    memcpy(boundary->text, text, len);
    boundary->len = len;
    boundary->depth = scan->depth;
    boundary->digest = digest;
    return MIME_LIMITS_OK;
}

/* The empty line: what does this part hold? */
static enum mime_limits_outcome end_header(struct scan *scan)
{
    scan->in_header = false;
    GMimeContentType *type = part_type(scan);
    enum mime_limits_outcome outcome = MIME_LIMITS_OK;
    if (type && g_mime_content_type_is_type(type, "multipart", "*"))
        outcome = open_boundary(scan, g_mime_content_type_get_parameter(type, "boundary"),
                                g_mime_content_type_is_type(type, "multipart", "digest"));
    else if ((type && holds_message(type)) || (scan->in_digest && !is_known(type)))
        outcome = begin_header(scan, scan->depth + 1);
    g_clear_object(&type);
    return outcome;
}

/* The innermost open boundary that this line, which begins with "--", is of: its place from 1 on; 0: none. */
static size_t find_boundary(const struct scan *scan, const char *line, size_t len, bool *end)
{
    while (len > 2 && is_blank(line[len - 1]))
        len--;
    for (size_t i = scan->open; i > 0; i--) {
        const struct boundary *boundary = &scan->stack[i - 1];
        bool starts = len == boundary->len + 2, ends = len == boundary->len + 4 && line[len - 1] == '-' && line[len - 2] == '-';
        if ((starts || ends) && memcmp(line + 2, boundary->text, boundary->len) == 0) {
            *end = ends;
            return i;
        }
    }
    return 0;
}

/* The line is of an open boundary.  One within a header ends it as an empty line would, and may then be of the boundary that
 * this header has named. */
static enum mime_limits_outcome boundary_line(struct scan *scan, const char *line, size_t len)
{
    enum mime_limits_outcome outcome = MIME_LIMITS_OK;
    bool end;
    if (scan->in_header) {
        outcome = end_field(scan, line);
        if (outcome == MIME_LIMITS_OK)
            outcome = end_header(scan);
        if (outcome != MIME_LIMITS_OK)
            return outcome;
    }
    size_t place = find_boundary(scan, line, len, &end);
    scan->in_header = false;
    if (end) {
        scan->open = place - 1;
        return MIME_LIMITS_OK;
    }
    scan->open = place;
    const struct boundary *boundary = &scan->stack[place - 1];
    outcome = begin_header(scan, boundary->depth + 1);
    scan->in_digest = boundary->digest;
    return outcome;
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
        bool end_mark;
        if (next - line > 2 && line[0] == '-' && line[1] == '-' && find_boundary(&scan, line, (size_t)(next - line), &end_mark) > 0)
            outcome = boundary_line(&scan, line, (size_t)(next - line));
        else if (scan.in_header)
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
        return "5.6.0 a boundary of this mail is empty, ends with a blank or is too long; the limit is 70 characters";
    default:
        return "5.6.0 this mail cannot be read";
    }
}
