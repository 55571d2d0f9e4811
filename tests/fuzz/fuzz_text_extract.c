/* SPDX-License-Identifier: Apache-2.0 */
/* The whole extraction: any bytes as a mail, as plain text and as HTML, with and without known text, formatted.  What is
 * kept is valid, is not longer than what came in, and its emphasis lies within it. */
#include <stdint.h>
#include <string.h>

#include "core/html_text.h"
#include "core/mail_parse.h"
#include "core/text_extract.h"
#include "core/text_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct extracted_text *out)
{
    gsize len = strlen(out->text);
    g_assert(g_utf8_validate(out->text, -1, NULL));
    g_assert((out->reason != NULL) == (out->certainty == TEXT_UNCERTAIN));
    for (guint i = 0; out->styles && i < out->styles->len; i++) {
        const struct text_style *style = &g_array_index(out->styles, struct text_style, i);
        g_assert(style->start <= len && style->len <= len - style->start);
    }
    g_autofree char *formatted = text_format(out, "whatsapp");
    g_assert(g_utf8_validate(formatted, -1, NULL));
    extracted_text_clear(out);
}

static void as_mail(const char *data, size_t size)
{
    g_autoptr(parsed_mail) mail = NULL;
    if (mail_parse(data, size, NULL, &mail, NULL) != 0)
        return;
    struct extracted_text out;
    g_autoptr(GPtrArray) lines = text_explained_array();
    text_extract_explain(mail, NULL, &out, lines);
    g_autoptr(text_known) known = text_known_new();
    text_known_add(known, out.text);
    check(&out);
    text_extract(mail, known, &out);
    check(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_utf8_make_valid(size > 0 ? (const char *)data : "", (gssize)size);
    struct extracted_text out = {0};
    text_extract_plain(text, &out);
    g_assert(strlen(out.text) <= 2 * strlen(text) + 2);
    check(&out);
    g_autofree char *html = g_strconcat("From: a@b.org\nContent-Type: text/html; charset=utf-8\n\n", text, NULL);
    as_mail(html, strlen(html));
    as_mail((const char *)data, size);
    return 0;
}
