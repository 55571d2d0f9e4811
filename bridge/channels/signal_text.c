/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Styles and mentions.  On the network a text is plain, and ranges beside it say what is bold or whom a
 * place names; offsets count UTF-16 code units.  In mail it has marks, as people write them.
 */
#include "bridge/channels/signal.h"

#include <string.h>

static const struct {
    const char *style, *mark;
} marks[] = {
    {"BOLD", "*"}, {"ITALIC", "_"}, {"STRIKETHROUGH", "~"}, {"MONOSPACE", "`"}, {"SPOILER", "||"},
};

static gint64 units(gunichar c)
{
    return c > 0xffff ? 2 : 1;
}

/* ---- In ---- */

enum edge_kind { EDGE_END, EDGE_MENTION, EDGE_BEGIN };

struct edge {
    gint64 at;           /* UTF-16 */
    enum edge_kind kind;
    guint order;         /* the outer around the inner */
    const char *mark;
    char *name;          /* of a mention */
    gint64 length;       /* of a mention */
};

static void edge_clear(gpointer edge)
{
    g_free(((struct edge *)edge)->name);
}

static int by_place(gconstpointer a, gconstpointer b)
{
    const struct edge *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static const char *mark_of(const char *style)
{
    for (gsize i = 0; style && i < G_N_ELEMENTS(marks); i++)
        if (g_ascii_strcasecmp(marks[i].style, style) == 0)
            return marks[i].mark;
    return NULL;
}

static void add_styles(GArray *edges, const json_t *styles)
{
    const json_t *item;
    size_t i;

    json_array_foreach(styles, i, item) {
        g_autofree char *style = channel_json_text(item, "style");
        gint64 start = channel_json_int(item, "start"), length = channel_json_int(item, "length");
        const char *mark = mark_of(style);
        if (!mark || start < 0 || length <= 0 || start > G_MAXINT32 || length > G_MAXINT32)
            continue;
        const struct edge begin = {.at = start, .kind = EDGE_BEGIN, .order = (guint)i, .mark = mark};
        const struct edge end = {.at = start + length, .kind = EDGE_END, .order = G_MAXUINT - (guint)i, .mark = mark};
        g_array_append_val(edges, begin);
        g_array_append_val(edges, end);
    }
}

static void add_mentions(GArray *edges, const json_t *mentions)
{
    static const char *const keys[] = {"name", "number", "uuid", NULL};
    const json_t *item;
    size_t i;

    json_array_foreach(mentions, i, item) {
        gint64 start = channel_json_int(item, "start"), length = channel_json_int(item, "length");
        struct edge edge = {.at = start, .kind = EDGE_MENTION, .length = length};
        for (const char *const *key = keys; *key && !edge.name; key++)
            edge.name = channel_json_text(item, *key);
        if (!edge.name || start < 0 || length <= 0 || start > G_MAXINT32 || length > G_MAXINT32)
            g_free(edge.name);
        else
            g_array_append_val(edges, edge);
    }
}

char *signal_text_in(const char *text, const json_t *mentions, const json_t *styles)
{
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(struct edge));
    GString *out = g_string_sized_new(strlen(text) + 16);
    gint64 at = 0, skip_until = 0;
    guint next = 0;
    const char *p = text;

    g_array_set_clear_func(edges, edge_clear);
    add_styles(edges, styles);
    add_mentions(edges, mentions);
    g_array_sort(edges, by_place);
    for (;;) {
        for (; next < edges->len && g_array_index(edges, struct edge, next).at <= at; next++) {
            const struct edge *edge = &g_array_index(edges, struct edge, next);
            if (edge->kind != EDGE_MENTION) {
                g_string_append(out, edge->mark);
            } else if (at >= skip_until && *p) {
                g_string_append_printf(out, "@%s", edge->name);
                skip_until = at + edge->length;
            }
        }
        if (!*p)
            break;
        const char *following = g_utf8_next_char(p);
        if (at >= skip_until)
            g_string_append_len(out, p, following - p);
        at += units(g_utf8_get_char(p));
        p = following;
    }
    for (; next < edges->len; next++) /* what should end behind the text ends with it */
        if (g_array_index(edges, struct edge, next).kind == EDGE_END)
            g_string_append(out, g_array_index(edges, struct edge, next).mark);
    return g_string_free(out, FALSE);
}

/* ---- Out ---- */

static bool is_word(gunichar c)
{
    return g_unichar_isalnum(c);
}

/* The mark that stands here; NULL: none.  The longest first. */
static const char *mark_at(const char *p, gsize *which)
{
    for (gsize i = G_N_ELEMENTS(marks); i-- > 0;)
        if (g_str_has_prefix(p, marks[i].mark)) {
            *which = i;
            return marks[i].mark;
        }
    return NULL;
}

static gunichar before(const char *text, const char *p)
{
    return p > text ? g_utf8_get_char(g_utf8_prev_char(p)) : ' ';
}

/* Where the mark at p is closed within its line: no blank inside of either, no word outside. */
static const char *closing(const char *text, const char *p, const char *mark)
{
    gsize length = strlen(mark);
    const char *first = p + length;

    if (is_word(before(text, p)) || !*first || g_unichar_isspace(g_utf8_get_char(first)) || g_str_has_prefix(first, mark))
        return NULL;
    for (const char *q = first; *q && *q != '\n'; q = g_utf8_next_char(q)) {
        if (q == first || !g_str_has_prefix(q, mark) || g_unichar_isspace(before(text, q)))
            continue;
        if (!is_word(g_utf8_get_char(q + length)))
            return q;
    }
    return NULL;
}

/* "@+15551234567" → its length; 0: no mention. */
static gsize mention_at(const char *p)
{
    gsize digits;

    if (p[0] != '@' || p[1] != '+')
        return 0;
    digits = strspn(p + 2, "0123456789");
    return digits >= 7 && digits <= 15 && !is_word(g_utf8_get_char(p + 2 + digits)) ? digits + 2 : 0;
}

struct open {
    const char *end; /* where its closing mark stands */
    gsize which;
    gint64 start;
};

char *signal_text_out(const char *text, json_t *styles, json_t *mentions)
{
    GString *out = g_string_sized_new(strlen(text));
    struct open open[G_N_ELEMENTS(marks)];
    gsize depth = 0, which = 0, length;
    gint64 at = 0;

    for (const char *p = text; *p;) {
        const char *mark, *end;
        if (depth > 0 && p == open[depth - 1].end) {
            const struct open *done = &open[--depth];
            json_array_append_new(styles, json_sprintf("%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT ":%s", done->start,
                                                       at - done->start, marks[done->which].style));
            p += strlen(marks[done->which].mark);
            continue;
        }
        bool code = depth > 0 && strcmp(marks[open[depth - 1].which].style, "MONOSPACE") == 0;
        mark = code || depth == G_N_ELEMENTS(open) ? NULL : mark_at(p, &which);
        end = mark ? closing(text, p, mark) : NULL;
        if (end && (depth == 0 || end < open[depth - 1].end)) { /* one within the other */
            open[depth++] = (struct open){.end = end, .which = which, .start = at};
            p += strlen(mark);
            continue;
        }
        length = code ? 0 : mention_at(p);
        if (length > 0) {
            json_array_append_new(mentions, json_sprintf("%" G_GINT64_FORMAT ":%zu:%.*s", at, length, (int)length - 1, p + 1));
            g_string_append_len(out, p, (gssize)length);
            at += (gint64)length;
            p += length;
            continue;
        }
        const char *following = g_utf8_next_char(p);
        g_string_append_len(out, p, following - p);
        at += units(g_utf8_get_char(p));
        p = following;
    }
    return g_string_free(out, FALSE);
}
