/* SPDX-License-Identifier: Apache-2.0 */
/* Emphasis as channels write it, see text_format.h. */
#include "core/text_format.h"

#include <string.h>

/* Marks by enum text_style_kind.  WhatsApp: its FAQ "How to format your messages". */
static const struct {
    const char *channel;
    const char *marks[4];
} forms[] = {
    {"whatsapp", {"*", "_", "~", "```"}},
    {"signal", {"*", "_", "~", "`"}}, /* the adapter makes ranges of them */
};

struct edge {
    gsize at;
    guint order; /* ends before beginnings, the outer around the inner */
    const char *mark;
};

static int by_place(gconstpointer a, gconstpointer b)
{
    const struct edge *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Emphasis must not begin or end at a blank: no program would show it. */
static bool trim(const char *text, struct text_style *style)
{
    while (style->len > 0 && g_ascii_isspace(text[style->start])) {
        style->start++;
        style->len--;
    }
    while (style->len > 0 && g_ascii_isspace(text[style->start + style->len - 1]))
        style->len--;
    return style->len > 0;
}

char *text_format(const struct extracted_text *text, const char *channel)
{
    const char *const *marks = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(forms); i++)
        if (g_strcmp0(forms[i].channel, channel) == 0)
            marks = forms[i].marks;
    if (!marks || !text->styles)
        return g_strdup(text->text);
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(struct edge));
    for (guint i = 0; i < text->styles->len; i++) {
        struct text_style style = g_array_index(text->styles, struct text_style, i);
        if (!trim(text->text, &style))
            continue;
        struct edge begin = {.at = style.start, .order = 10 + style.kind, .mark = marks[style.kind]};
        struct edge end = {.at = style.start + style.len, .order = 9 - style.kind, .mark = marks[style.kind]};
        g_array_append_val(edges, begin);
        g_array_append_val(edges, end);
    }
    g_array_sort(edges, by_place);
    GString *out = g_string_sized_new(strlen(text->text) + 16);
    gsize at = 0;
    for (guint i = 0; i < edges->len; i++) {
        const struct edge *edge = &g_array_index(edges, struct edge, i);
        g_string_append_len(out, text->text + at, (gssize)(edge->at - at));
        g_string_append(out, edge->mark);
        at = edge->at;
    }
    g_string_append(out, text->text + at);
    return g_string_free(out, FALSE);
}
