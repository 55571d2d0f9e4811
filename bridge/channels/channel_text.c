/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has no form of its own in the message model, made readable: lines of text, and cards of people
 * as vCard 3.0 (RFC 2426).
 */
#include "bridge/channels/channel_common.h"

#include <string.h>

void channel_add_line(GString *out, const char *format, ...)
{
    va_list args;

    if (out->len > 0)
        g_string_append_c(out, '\n');
    va_start(args, format);
    g_string_append_vprintf(out, format, args);
    va_end(args);
}

void channel_take_text(struct ump_message *message, GString *text)
{
    g_free(message->text);
    message->text = g_string_free(text, text->len == 0);
}

char *channel_json_words(const json_t *object, const char *const *keys)
{
    GString *words = g_string_new(NULL);

    for (const char *const *key = keys; *key; key++) {
        g_autofree char *text = channel_json_text(object, *key);
        if (text)
            g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", text);
    }
    return g_string_free(words, words->len == 0);
}

void channel_vcard_text(GString *out, const char *text)
{
    for (const char *p = text ? text : ""; *p; p++) {
        if (*p == '\n')
            g_string_append(out, "\\n");
        else if ((guchar)*p >= ' ' && *p != 0x7f)
            g_string_append_printf(out, strchr(",;\\", *p) ? "\\%c" : "%c", *p);
    }
}

void channel_vcard_fields(GString *out, const char *name, const json_t *object, const char *const *keys)
{
    g_autoptr(GString) line = g_string_new(NULL);
    bool any = false;

    for (const char *const *key = keys; *key; key++) {
        g_autofree char *text = **key ? channel_json_text(object, *key) : NULL;
        if (key != keys)
            g_string_append_c(line, ';');
        channel_vcard_text(line, text);
        any = any || text;
    }
    if (any)
        g_string_append_printf(out, "%s:%s\n", name, line->str);
}

void channel_vcard_list(GString *out, const char *name, const json_t *list, const char *const *keys)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
        channel_vcard_fields(out, name, item, keys);
}

void channel_add_card(struct ump_message *message, const char *name, const json_t *phones, const char *key, char *vcard)
{
    struct ump_card *card = ump_card_new(name);
    const json_t *phone;
    size_t i;

    json_array_foreach(phones, i, phone) {
        char *number = channel_json_text(phone, key);
        if (number)
            g_ptr_array_add(card->phones, number);
    }
    card->vcard = vcard;
    g_ptr_array_add(message->cards, card);
}
