/* SPDX-License-Identifier: Apache-2.0 */
/* format=flowed; delsp=yes, see mail_flow.h. */
#include "core/mail_flow.h"

#include <string.h>

#include "core/utf8_text.h"

enum { FLOW_COLUMNS = 72, WORD_BYTES_MAX = 700 };

static bool needs_stuffing(const char *p, gsize len)
{
    return len > 0 && (*p == ' ' || *p == '>' || (len >= 5 && memcmp(p, "From ", 5) == 0));
}

static void append_line(GString *out, const char *p, gsize len, bool soft)
{
    if (needs_stuffing(p, len))
        g_string_append_c(out, ' ');
    g_string_append_len(out, p, (gssize)len);
    g_string_append(out, soft ? " \n" : "\n");
}

/* One line of the original; breaks after blanks, between wide characters, and within endless words. */
static void flow_line(GString *out, const char *p, gsize len)
{
    const char *end = p + len;
    if (len == 3 && memcmp(p, "-- ", 3) == 0) { /* the signature separator is not flowed */
        g_string_append(out, "-- \n");
        return;
    }
    while (end > p && end[-1] == ' ')
        end--;
    const char *start = p, *brk = NULL;
    gsize width = 0, width_at_brk = 0;
    bool prev_wide = false;
    while (p < end) {
        const char *next = utf8_grapheme_next(p, end);
        gsize w = utf8_columns(p, (gsize)(next - p));
        bool blank = *p == ' ';
        if (p > start && w == 2 && prev_wide && !blank) {
            brk = p;
            width_at_brk = width;
        }
        if (!blank && brk && width + w > FLOW_COLUMNS - 2) {
            append_line(out, start, (gsize)(brk - start), true);
            start = brk;
            width -= width_at_brk;
            brk = NULL;
        }
        if (!blank && !brk && (gsize)(p - start) > WORD_BYTES_MAX) {
            append_line(out, start, (gsize)(p - start), true);
            start = p;
            width = 0;
        }
        width += w;
        prev_wide = w == 2;
        p = next;
        if (blank && p < end && *p != ' ') {
            brk = p;
            width_at_brk = width;
        }
    }
    append_line(out, start, (gsize)(end - start), false);
}

char *mail_flow(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 64);
    for (const char *p = text; *p != '\0';) {
        gsize len = strcspn(p, "\n");
        gsize bare = len > 0 && p[len - 1] == '\r' ? len - 1 : len;
        flow_line(out, p, bare);
        p += len + (p[len] == '\n');
    }
    return g_string_free(out, FALSE);
}

char *mail_unflow_own(const char *text, bool delsp, const char *own)
{
    GString *out = g_string_sized_new(strlen(text) + 1);
    bool joining = false; /* the line before was flowed, its end is the end of out */
    guint joined_depth = 0;
    for (const char *p = text; *p != '\0';) {
        gsize len = strcspn(p, "\n");
        const char *line = p, *end = p + len;
        p = end + (*end == '\n');
        if (end > line && end[-1] == '\r')
            end--;
        guint depth = 0;
        while (line < end && *line == '>') {
            line++;
            depth++;
        }
        bool stuffed = line < end && *line == ' ';
        line += stuffed;
        bool separator = end - line == 3 && memcmp(line, "-- ", 3) == 0;
        bool flowed = !separator && end > line && end[-1] == ' ';
        if (joining && (depth != joined_depth || separator)) {
            g_string_append_c(out, '\n');
            joining = false;
        }
        if (!joining && depth > 0) {
            for (guint i = 0; i < depth; i++)
                g_string_append_c(out, '>');
            g_string_append_c(out, ' ');
        }
        if (!joining && depth == 0 && stuffed && line < end && *line == '>')
            g_string_append(out, own);
        if (flowed && delsp)
            end--;
        g_string_append_len(out, line, end - line);
        if (!flowed)
            g_string_append_c(out, '\n');
        joining = flowed;
        joined_depth = depth;
    }
    if (joining)
        g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

char *mail_unflow(const char *text, bool delsp)
{
    return mail_unflow_own(text, delsp, "");
}
