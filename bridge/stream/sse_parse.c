/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-sent events (WHATWG HTML, 9.2): lines end with CR, LF or both; "data" lines gather until an empty line; a
 * line that begins with a colon is a comment.  What is longer than it may be is cut, and said to be.  "id" names the
 * place in the stream where the next connection is to go on; it counts once its event has been taken.
 */
#include "bridge/stream/internal.h"

#include <string.h>

void sse_parser_init(struct sse_parser *parser, size_t max)
{
    *parser = (struct sse_parser){.line = g_string_new(NULL), .data = g_string_new(NULL), .id = g_string_new(NULL), .max = max};
}

void sse_parser_clear(struct sse_parser *parser)
{
    if (parser->line)
        g_string_free(parser->line, TRUE);
    if (parser->data)
        g_string_free(parser->data, TRUE);
    if (parser->id)
        g_string_free(parser->id, TRUE);
    *parser = (struct sse_parser){0};
}

static bool dispatch(struct sse_parser *parser)
{
    bool overlong = parser->overlong, more = true;

    if (parser->data->len > 0 || overlong)
        more = parser->event(parser->context, parser->data->str, parser->data->len, overlong);
    g_string_truncate(parser->data, 0);
    parser->overlong = false;
    if (more && parser->has_id && parser->taken)
        parser->taken(parser->context, parser->id->str);
    parser->has_id = parser->has_id && !more;
    return more;
}

/* The value of a line with this field; NULL: it has another. */
static const char *value_of(const struct sse_parser *parser, const char *field)
{
    const char *rest = g_str_has_prefix(parser->line->str, field) ? parser->line->str + strlen(field) : NULL;

    if (!rest || (*rest != ':' && *rest != '\0'))
        return NULL;
    rest += *rest == ':';
    return rest + (*rest == ' ');
}

/* It goes into a header field: without controls, and short. */
static bool is_good_id(const char *id, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (g_ascii_iscntrl(id[i]))
            return false;
    return length <= SSE_MAX_ID;
}

static bool end_line(struct sse_parser *parser)
{
    const char *end = parser->line->str + parser->line->len, *value;
    bool more = true;

    if (parser->line->len == 0) {
        more = dispatch(parser);
    } else if ((value = value_of(parser, "data")) != NULL) {
        if (parser->data->len > 0)
            g_string_append_c(parser->data, '\n');
        g_string_append_len(parser->data, value, end - value);
    } else if ((value = value_of(parser, "id")) != NULL && is_good_id(value, (size_t)(end - value))) {
        g_string_assign(parser->id, value);
        parser->has_id = true;
    }
    g_string_truncate(parser->line, 0);
    return more;
}

bool sse_parser_feed(struct sse_parser *parser, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool cr = parser->cr;
        parser->cr = bytes[i] == '\r';
        if (bytes[i] == '\n' && cr)
            continue; /* of a line that has ended */
        if (bytes[i] == '\n' || bytes[i] == '\r') {
            if (!end_line(parser))
                return false;
        } else if (parser->line->len + parser->data->len < parser->max) {
            g_string_append_c(parser->line, bytes[i]);
        } else {
            parser->overlong = true;
        }
    }
    return true;
}
