/* SPDX-License-Identifier: Apache-2.0 */
/* Plain, HTML, or both: see text_extract.h. */
#include "core/text_extract.h"

#include <string.h>

#include "core/text_reading.h"

enum { STUB_MAX = 400, SMALL_DIFFERENCE = 40 };

static const char reason_disagree[] = "the plain and the HTML form of the mail do not say the same";
static const char reason_encrypted[] = "the mail is encrypted and cannot be read";
static const char reason_report[] = "it is a report made by a machine";
static const char reason_tnef[] = "its text is in a winmail.dat, which only Outlook can read";
static const char reason_calendar[] = "it is an invitation or an answer to one";

void extracted_text_clear(struct extracted_text *text)
{
    g_free(text->text);
    if (text->styles)
        g_array_unref(text->styles);
    *text = (struct extracted_text){0};
}

static void explained_free(gpointer data)
{
    struct text_explained *explained = data;
    if (!explained) /* its place was emptied */
        return;
    g_free(explained->line);
    g_free(explained);
}

GPtrArray *text_explained_array(void)
{
    return g_ptr_array_new_with_free_func(explained_free);
}

void text_extract_plain(const char *text, struct extracted_text *out)
{
    struct text_reading reading;
    text_reading_plain(text, &(struct text_context){.soft = true}, &reading);
    *out = reading.out;
}

static bool is_blank(const char *text)
{
    return !text || text[strspn(text, " \t\r\n")] == '\0';
}

/* "Your mail program cannot show HTML" */
static bool is_stub(const char *text)
{
    static const char *const words[] = {"support", "view", "unterst", "client", "display", "anzeig", "programm", "afficher", "visualiz",
                                        "просмотр", "reader", "program", "show"};
    if (strlen(text) > STUB_MAX)
        return false;
    g_autofree char *lower = g_utf8_strdown(text, -1);
    for (guint i = 0; strstr(lower, "html") && i < G_N_ELEMENTS(words); i++)
        if (strstr(lower, words[i]))
            return true;
    return false;
}

/* Letters and digits only, without links: what both forms have in common. */
static char *substance(const char *text)
{
    GString *out = g_string_sized_new(strlen(text));
    for (const char *p = text; *p != '\0';) {
        if (g_ascii_strncasecmp(p, "http", 4) == 0 || g_ascii_strncasecmp(p, "mailto:", 7) == 0) {
            p += strcspn(p, " \n\t>)");
            continue;
        }
        gunichar c = g_utf8_get_char(p);
        if (g_unichar_isalnum(c))
            g_string_append_unichar(out, g_unichar_tolower(c));
        p = g_utf8_next_char(p);
    }
    return g_string_free(out, FALSE);
}

enum form { PLAIN, HTML, NEITHER };

/* Both were read. The HTML knows its quotes better; without marks in it, the form that found the quote does. */
static enum form choose(const struct text_reading *plain, const struct text_reading *html)
{
    g_autofree char *p = substance(plain->out.text), *h = substance(html->out.text);
    gsize pn = strlen(p), hn = strlen(h);
    bool certain = plain->out.certainty != TEXT_UNCERTAIN, html_certain = html->out.certainty != TEXT_UNCERTAIN;
    bool equal = strcmp(p, h) == 0;
    if (equal)
        return certain && (!html_certain || !html->out.styles) ? PLAIN : html_certain || !certain ? HTML : PLAIN;
    bool shorter = hn < pn && hn > 0 && strstr(p, h), longer = pn < hn && pn > 0 && strstr(h, p);
    if (!certain && !html_certain)
        return html->structural ? HTML : PLAIN;
    if (html_certain && hn > 0 && html->structural && (shorter || pn == 0 || !certain))
        return HTML;
    if (certain && pn > 0 && longer)
        return html->structural && html_certain && hn > pn + SMALL_DIFFERENCE ? NEITHER : PLAIN;
    if (html_certain && shorter)
        return pn <= hn + SMALL_DIFFERENCE && certain ? PLAIN : html->opened ? HTML : NEITHER;
    if (certain && html_certain && pn > 0 && hn > 0 && pn < hn + hn / 20 + SMALL_DIFFERENCE && hn < pn + pn / 20 + SMALL_DIFFERENCE)
        return html->structural ? HTML : PLAIN;
    return NEITHER;
}

static void take(struct text_reading *reading, struct extracted_text *out)
{
    *out = reading->out;
    reading->out = (struct extracted_text){0};
}

static void hold(struct extracted_text *out, const char *reason)
{
    out->certainty = TEXT_UNCERTAIN;
    out->reason = reason;
}

static void move_lines(GPtrArray *from, GPtrArray *to)
{
    for (guint i = 0; to && i < from->len; i++)
        g_ptr_array_add(to, g_steal_pointer(&from->pdata[i]));
    g_ptr_array_set_size(from, 0);
}

static void extract_both(const struct parsed_mail *mail, const struct text_context *context, struct extracted_text *out)
{
    struct text_reading plain, html;
    GPtrArray *lines = context->lines;
    g_autoptr(GPtrArray) plain_lines = lines ? text_explained_array() : NULL;
    g_autoptr(GPtrArray) html_lines = lines ? text_explained_array() : NULL;
    struct text_context plain_context = *context, html_context = *context;
    plain_context.lines = plain_lines;
    html_context.lines = html_lines;
    text_reading_plain(mail->text, &plain_context, &plain);
    text_reading_html(mail->html, &html_context, &html);
    enum form form = choose(&plain, &html);
    bool fewer = html.out.text[0] != '\0' && (html.structural || strlen(html.out.text) < strlen(plain.out.text));
    bool take_html = form == HTML || (form == NEITHER && fewer);
    take(take_html ? &html : &plain, out);
    if (lines)
        move_lines(take_html ? html_lines : plain_lines, lines);
    if (form == NEITHER)
        hold(out, reason_disagree);
    extracted_text_clear(&plain.out);
    extracted_text_clear(&html.out);
}

/* What the mail is besides its text. */
static void check_kind(const struct parsed_mail *mail, struct extracted_text *out)
{
    if (mail->is_report && out->certainty == TEXT_CERTAIN)
        hold(out, reason_report);
    else if (mail->is_calendar && out->certainty != TEXT_UNCERTAIN)
        hold(out, reason_calendar);
    else if (mail->has_tnef && out->text[0] == '\0')
        hold(out, reason_tnef);
}

void text_extract_explain(const struct parsed_mail *mail, const struct text_known *known, struct extracted_text *out, GPtrArray *lines)
{
    struct text_reading reading;
    const struct text_context context = {.known = known, .author = mail->from_name, .soft = !mail->is_flowed, .lines = lines};
    *out = (struct extracted_text){0};
    if (mail->is_encrypted) {
        out->text = g_strdup("");
        hold(out, reason_encrypted);
        return;
    }
    bool html = !is_blank(mail->html), plain = !is_blank(mail->text) && !(html && is_stub(mail->text));
    if (plain && html) {
        extract_both(mail, &context, out);
    } else if (plain) {
        text_reading_plain(mail->text, &context, &reading);
        take(&reading, out);
    } else if (html) {
        text_reading_html(mail->html, &context, &reading);
        take(&reading, out);
    } else {
        out->text = g_strdup("");
        out->certainty = TEXT_EMPTY;
    }
    check_kind(mail, out);
}

void text_extract(const struct parsed_mail *mail, const struct text_known *known, struct extracted_text *out)
{
    text_extract_explain(mail, known, out, NULL);
}
