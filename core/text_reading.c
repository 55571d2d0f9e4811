/* SPDX-License-Identifier: Apache-2.0 */
/* One form of a mail, see text_reading.h. */
#include "core/text_reading.h"

#include <string.h>

#include "core/html_text.h"
#include "core/text_join.h"
#include "core/text_sequence.h"

enum { TEXT_MAX = 262144, LINES_MAX = 10000 };

static const char reason_below[] = "nothing stands above the quoted mail, your answer may stand below it";
static const char reason_forward[] = "it is a forwarded mail with nothing of your own above it";
static const char reason_cut[] = "the mail is too large or too deeply nested to be read whole";
static const char reason_charset[] = "some of its characters could not be read";

/* Far more than anybody writes by hand; what lies behind is looked at by nobody. */
static char *bounded(const char *text, bool *cut)
{
    guint lines = 0;
    const char *p = text;
    while (*p != '\0' && (gsize)(p - text) < TEXT_MAX && lines < LINES_MAX)
        lines += *p++ == '\n';
    *cut = *p != '\0';
    const char *end = *cut ? g_utf8_find_prev_char(text, p + 1) : p;
    return g_strndup(text, end ? (gsize)(end - text) : 0);
}

/* Control characters are no text; some of them are our own marks. */
static void drop_controls(char *text)
{
    char *to = text;
    for (const char *p = text; *p != '\0'; p++)
        if ((guchar)*p >= ' ' || *p == '\n' || *p == '\t')
            *to++ = *p;
    *to = '\0';
}

static void explain(const GArray *lines, GPtrArray *out)
{
    for (guint i = 0; out && i < lines->len; i++) {
        const struct text_line *line = text_line(lines, i);
        struct text_explained *explained = g_new0(struct text_explained, 1);
        bool mark = line->len > 0 && (*line->start == TEXT_MARK_QUOTE || *line->start == TEXT_MARK_BARE);
        explained->line = g_strndup(line->start + mark, line->len - mark);
        explained->class = text_class_name(line->class);
        explained->rule = line->rule;
        explained->kept = text_class_name(TEXT_CLASS_BLANK) != explained->class && line->keep;
        g_ptr_array_add(out, explained);
    }
}

static void conclude(struct text_sequence *sequence, struct extracted_text *out, bool cut)
{
    guint n = sequence->lines->len;
    /* cut where the old mail stood already: nothing new is missing */
    if (cut && !(sequence->cut_text || (n > 0 && text_line(sequence->lines, n - 1)->class == TEXT_CLASS_QUOTED)))
        text_sequence_doubt(sequence, reason_cut);
    if (cut && out->text[0] == '\0')
        text_sequence_doubt(sequence, reason_cut);
    if (strstr(out->text, "\xEF\xBF\xBD"))
        text_sequence_doubt(sequence, reason_charset);
    if (out->text[0] == '\0' && sequence->cut_text)
        sequence->doubt = sequence->cut_forward ? reason_forward : reason_below;
    out->reason = sequence->doubt;
    out->certainty = sequence->doubt ? TEXT_UNCERTAIN : out->text[0] == '\0' ? TEXT_EMPTY : TEXT_CERTAIN;
}

static int by_start(gconstpointer a, gconstpointer b)
{
    gsize x = ((const struct text_style *)a)->start, y = ((const struct text_style *)b)->start;
    return x < y ? -1 : x > y;
}

/* part: with our marks; changed. */
static void read_part(char *part, bool cut, bool soft, const struct text_context *context, struct text_reading *reading)
{
    g_autoptr(GArray) styles = g_array_new(FALSE, FALSE, sizeof(struct text_style));
    reading->out.styles = g_array_new(FALSE, FALSE, sizeof(struct text_style));
    text_join_unmark(part, styles);
    g_array_sort(styles, by_start);
    g_autofree char *author = context->author ? text_fold(context->author, strlen(context->author)) : NULL;
    struct text_sequence sequence = {.lines = text_lines_split(part, context->known), .author = author, .has_known = text_known_size(context->known) > 0};
    text_sequence_run(&sequence);
    reading->out.text = text_join(sequence.lines, part, styles, soft, reading->out.styles);
    reading->opened = sequence.opened;
    conclude(&sequence, &reading->out, cut);
    explain(sequence.lines, context->lines);
    if (reading->out.styles->len == 0)
        g_clear_pointer(&reading->out.styles, g_array_unref);
    g_array_unref(sequence.lines);
}

void text_reading_plain(const char *text, const struct text_context *context, struct text_reading *reading)
{
    bool cut;
    g_autofree char *part = bounded(text, &cut);
    drop_controls(part);
    *reading = (struct text_reading){0};
    read_part(part, cut, context->soft, context, reading);
}

void text_reading_html(const char *html, const struct text_context *context, struct text_reading *reading)
{
    struct html_text converted;
    bool cut;
    html_text(html, strlen(html), true, &converted);
    g_autofree char *part = bounded(converted.text, &cut);
    *reading = (struct text_reading){.structural = converted.removed_quote};
    read_part(part, cut, false, context, reading);
    bool below = reading->out.certainty == TEXT_EMPTY && converted.rest_quoted;
    if (converted.cut || below) {
        reading->out.certainty = TEXT_UNCERTAIN;
        reading->out.reason = below ? reason_below : reason_cut;
    }
    html_text_clear(&converted);
}
