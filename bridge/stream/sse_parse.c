/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-sent events (WHATWG HTML, 9.2): lines end with CR, LF or both; "data" lines gather until an empty line; a
 * line that begins with a colon is a comment.  What is longer than it may be is cut, and said to be.
 */
#include "bridge/stream/internal.h"

#include <string.h>

void sse_parser_init(struct sse_parser *parser, size_t max)
{
    *parser = (struct sse_parser){.line = g_string_new(NULL), .data = g_string_new(NULL), .max = max};
}

void sse_parser_clear(struct sse_parser *parser)
{
    if (parser->line)
        g_string_free(parser->line, TRUE);
    if (parser->data)
        g_string_free(parser->data, TRUE);
    *parser = (struct sse_parser){0};
}

static bool dispatch(struct sse_parser *parser)
{
    bool overlong = parser->overlong, more = true;

    if (parser->data->len > 0 || overlong)
        more = parser->event(parser->context, parser->data->str, parser->data->len, overlong);
    g_string_truncate(parser->data, 0);
    parser->overlong = false;
    return more;
}

static bool end_line(struct sse_parser *parser)
{
    const char *line = parser->line->str, *value;
    bool more = true;

    if (parser->line->len == 0) {
        more = dispatch(parser);
    } else if (g_str_has_prefix(line, "data") && (line[4] == ':' || line[4] == '\0')) {
        value = line + (line[4] == ':' ? 5 : 4);
        value += *value == ' ';
        if (parser->data->len > 0)
            g_string_append_c(parser->data, '\n');
        g_string_append_len(parser->data, value, (gssize)(parser->line->len - (size_t)(value - line)));
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
