/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a mail: limits, header scan and rewriting, parsing, the index form, extraction of the new text. */
#include <gmime/gmime.h>
#include <stdint.h>
#include <string.h>

#include "core/mail_gmime.h"
#include "core/mail_header.h"
#include "core/mail_index.h"
#include "core/mail_parse.h"
#include "core/text_extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void valid(const char *text)
{
    g_assert(!text || g_utf8_validate(text, -1, NULL));
}

/* No UMP- field is left, and the body is what it was. */
static void rewrite(const char *data, size_t size)
{
    g_auto(mail_header) header = {0}, again = {0};
    mail_header_scan(&header, data, size);
    g_autoptr(GBytes) same = mail_header_rewrite(&header, NULL, NULL, NULL);
    g_assert(g_bytes_get_size(same) == size && (size == 0 || memcmp(g_bytes_get_data(same, NULL), data, size) == 0));
    g_autoptr(GBytes) out = mail_header_rewrite(&header, "Top: 1\r\n", mail_field_drop_ump, NULL);
    gsize len;
    const char *text = g_bytes_get_data(out, &len);
    mail_header_scan(&again, text, len);
    for (guint i = 0; i < again.fields->len; i++)
        g_assert(!mail_field_has_prefix(&g_array_index(again.fields, struct mail_field, i), "UMP-"));
    gsize body = size - header.body_offset;
    g_assert(len >= body && memcmp(text + len - body, data + header.body_offset, body) == 0);
}

static guint depth_of(GMimeObject *object, guint depth, guint *parts)
{
    guint deepest = depth;
    ++*parts;
    if (GMIME_IS_MULTIPART(object)) {
        for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); i++) {
            guint below = depth_of(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth + 1, parts);
            deepest = MAX(deepest, below);
        }
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
        if (inner && g_mime_message_get_mime_part(inner))
            deepest = depth_of(g_mime_message_get_mime_part(inner), depth + 1, parts);
    }
    return deepest;
}

/* What the pre-scan lets through is no deeper and has no more parts for the real parser. */
static void compare_limits(const char *data, size_t size)
{
    static const struct mime_limits tight = {.max_nesting = 6, .max_parts = 12, .max_header = 65536, .max_headers = 524288, .max_fields = 10000,
                                             .max_parameters = 200};
    if (mime_limits_check(data, size, &tight) != MIME_LIMITS_OK)
        return;
    mail_gmime_init();
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(data, size);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, mail_gmime_options());
    guint parts = 0;
    if (message && g_mime_message_get_mime_part(message)) {
        guint depth = depth_of(g_mime_message_get_mime_part(message), 0, &parts);
        g_assert(depth <= tight.max_nesting + 2 && parts <= 2 * tight.max_parts); /* some slack for odd mails, none for bombs */
    }
    g_clear_object(&message);
    g_object_unref(parser);
    g_object_unref(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *data = size > 0 ? (const char *)bytes : "";
    rewrite(data, size);
    compare_limits(data, size);
    struct mail_index index;
    mail_parse_index(data, size, 1000, &index);
    valid(index.text);
    valid(index.subject);
    g_assert(!index.text || strlen(index.text) <= 1000);
    mail_index_clear(&index);
    g_autoptr(parsed_mail) mail = NULL;
    g_autoptr(GError) error = NULL;
    if (mail_parse(data, size, NULL, &mail, &error) != 0)
        return 0;
    valid(mail->text);
    valid(mail->html);
    valid(mail->subject);
    valid(mail->from_name);
    valid(mail->reaction);
    struct extracted_text text = {0};
    text_extract(mail, NULL, &text);
    valid(text.text);
    g_assert((text.reason != NULL) == (text.certainty == TEXT_UNCERTAIN));
    extracted_text_clear(&text);
    return 0;
}
