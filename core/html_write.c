/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of text from HTML, see html_write.h. */
#include "core/html_write.h"

#include <string.h>

#include "core/text_join.h"

enum { STYLES = 4 };

static void begin_line(struct html_writer *w)
{
    if (w->marks) {
        if (w->quote > 0)
            g_string_append_c(w->out, w->quote > w->bare ? TEXT_MARK_QUOTE : TEXT_MARK_BARE);
        return;
    }
    for (guint i = 0; i < w->quote; i++)
        g_string_append(w->out, "> ");
}

static void end_style(struct html_writer *w, guint kind)
{
    if (w->open & (1u << kind)) {
        g_string_append_c(w->out, (char)(TEXT_STYLE_MARK + 2 * kind + 1));
        w->open &= ~(1u << kind);
    }
}

/* Emphasis begins with its first character, and never spans lines. */
static void begin_styles(struct html_writer *w)
{
    for (guint kind = 0; w->marks && kind < STYLES; kind++)
        if (w->wanted[kind] > 0 && !(w->open & (1u << kind))) {
            g_string_append_c(w->out, (char)(TEXT_STYLE_MARK + 2 * kind));
            w->open |= 1u << kind;
        }
}

static void flush(struct html_writer *w)
{
    if (w->out->len == 0) {
        begin_line(w);
    } else if (w->newlines > 0) {
        for (guint kind = 0; kind < STYLES; kind++)
            end_style(w, kind);
        g_string_append_c(w->out, '\n');
        for (guint i = 1; i < MIN(w->newlines, 2); i++) {
            begin_line(w);
            g_string_append_c(w->out, '\n');
        }
        begin_line(w);
    } else if (w->space) {
        g_string_append_c(w->out, ' ');
    }
    w->newlines = 0;
    w->space = false;
    begin_styles(w);
}

void html_write_break(struct html_writer *w, guint n)
{
    w->newlines = MAX(w->newlines, n);
    w->space = false;
}

void html_write_hard_break(struct html_writer *w)
{
    w->newlines++;
    w->space = false;
}

void html_write_space(struct html_writer *w)
{
    w->space = w->newlines == 0 && w->out->len > 0;
}

void html_write_string(struct html_writer *w, const char *text)
{
    if (text[0] == '\0')
        return;
    flush(w);
    g_string_append(w->out, text);
}

/* One word, or one line of preformatted text. */
static void put(struct html_writer *w, const char *p, const char *end)
{
    flush(w);
    for (; p < end; p++) {
        if (end - p >= 2 && (guchar)p[0] == 0xC2 && (guchar)p[1] == 0xA0) {
            g_string_append_c(w->out, ' ');
            p++;
        } else if ((guchar)*p >= ' ' || *p == '\t') {
            g_string_append_c(w->out, *p);
        }
    }
}

void html_write_text(struct html_writer *w, const char *text)
{
    for (const char *p = text; *p != '\0';) {
        if (w->pre > 0 && (*p == '\n' || *p == '\r')) {
            if (*p == '\n')
                html_write_hard_break(w);
            p++;
            continue;
        }
        if (g_ascii_isspace(*p) && w->pre == 0) {
            html_write_space(w);
            p++;
            continue;
        }
        const char *end = p;
        while (*end != '\0' && (w->pre > 0 ? *end != '\n' && *end != '\r' : !g_ascii_isspace(*end)))
            end++;
        put(w, p, end);
        p = end;
    }
}

void html_write_style(struct html_writer *w, guint kind, bool begin)
{
    if (begin)
        w->wanted[kind]++;
    else if (w->wanted[kind] > 0 && --w->wanted[kind] == 0)
        end_style(w, kind);
}
