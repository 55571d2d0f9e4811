/* SPDX-License-Identifier: Apache-2.0 */
/* The edge to GMime, see mail_gmime.h. */
#include "core/mail_gmime.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "core/charset_guess.h"

#include "core/mail_clean.h"
#include "core/mail_parse.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static GMimeParserOptions *options;

static void init(void)
{
    static const char *charsets[] = {"utf-8", "windows-1252", NULL};
    g_mime_init();
    options = g_mime_parser_options_new();
    g_mime_parser_options_set_fallback_charsets(options, charsets);
    g_mime_parser_options_set_allow_addresses_without_domain(options, FALSE);
}

void mail_gmime_init(void)
{
    pthread_once(&once, init);
}

GMimeParserOptions *mail_gmime_options(void)
{
    mail_gmime_init();
    return options;
}

static char *make_valid(char *text)
{
    if (!text || g_utf8_validate(text, -1, NULL))
        return text;
    char *valid = g_utf8_make_valid(text, -1);
    g_free(text);
    return valid;
}

char *mail_gmime_decode_text(const char *value)
{
    return make_valid(g_mime_utils_header_decode_text(mail_gmime_options(), value));
}

char *mail_gmime_decode_phrase(const char *value)
{
    return make_valid(g_mime_utils_header_decode_phrase(mail_gmime_options(), value));
}

static void add_addresses(InternetAddressList *list, GPtrArray *out, guint max, guint depth)
{
    int n = internet_address_list_length(list);
    for (int i = 0; i < n && out->len < max; i++) {
        InternetAddress *ia = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_GROUP(ia)) {
            InternetAddressList *members = internet_address_group_get_members(INTERNET_ADDRESS_GROUP(ia));
            if (members && depth < 4)
                add_addresses(members, out, max, depth + 1);
            continue;
        }
        const char *spec = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(ia));
        if (!spec || spec[0] == '\0')
            continue;
        struct mail_address *address = g_new0(struct mail_address, 1);
        address->address = g_utf8_make_valid(spec, -1);
        const char *name = internet_address_get_name(ia);
        if (name && name[0] != '\0')
            address->name = mail_clean_line(name, 200);
        g_ptr_array_add(out, address);
    }
}

void mail_gmime_addresses(const char *value, GPtrArray *out, guint max)
{
    InternetAddressList *list = internet_address_list_parse(mail_gmime_options(), value);
    if (!list)
        return;
    add_addresses(list, out, max, 0);
    g_object_unref(list);
}

gint64 mail_gmime_date(const char *value)
{
    mail_gmime_init();
    GDateTime *date = g_mime_utils_header_decode_date(value);
    if (!date)
        return 0;
    gint64 us = g_date_time_to_unix(date) * G_USEC_PER_SEC;
    g_date_time_unref(date);
    return us;
}

/* CRLF and CR → LF, NUL away, in place. */
static void normalise_lines(char *text, gsize len)
{
    char *out = text;
    for (gsize i = 0; i < len; i++) {
        if (text[i] == '\0')
            continue;
        if (text[i] == '\r') {
            *out++ = '\n';
            if (i + 1 < len && text[i + 1] == '\n')
                i++;
        } else {
            *out++ = text[i];
        }
    }
    *out = '\0';
}

/* Through iconv; a byte that does not fit becomes U+FFFD. NULL: charset unknown. */
static GString *convert(const char *data, gsize len, const char *charset)
{
    GIConv cd = g_iconv_open("UTF-8", charset);
    if (cd == (GIConv)-1)
        return NULL;
    GString *out = g_string_sized_new(len + len / 2 + 16);
    char *in = (char *)data;
    gsize left = len;
    char buffer[4096];
    while (left > 0) {
        char *to = buffer;
        gsize room = sizeof buffer;
        gsize done = g_iconv(cd, &in, &left, &to, &room);
        int error = errno;
        g_string_append_len(out, buffer, to - buffer);
        if (done != (gsize)-1)
            break;
        if (error == EILSEQ) {
            g_string_append(out, "\xEF\xBF\xBD");
            in++;
            left--;
        } else if (error == EINVAL) { /* cut in the middle of a character */
            g_string_append(out, "\xEF\xBF\xBD");
            break;
        } else if (error != E2BIG) {
            break;
        }
    }
    char *to = buffer;
    gsize room = sizeof buffer;
    if (g_iconv(cd, NULL, NULL, &to, &room) != (gsize)-1)
        g_string_append_len(out, buffer, to - buffer);
    g_iconv_close(cd);
    return out;
}

char *mail_gmime_to_utf8(const char *data, gsize len, const char *charset)
{
    mail_gmime_init();
    if (charset && g_ascii_strcasecmp(charset, "us-ascii") == 0)
        charset = NULL; /* says nothing */
    bool utf8 = !charset || g_ascii_strcasecmp(charset, "utf-8") == 0 || g_ascii_strcasecmp(charset, "utf8") == 0;
    GString *text = NULL;
    if (!utf8) {
        /* what says ISO-8859-1 is windows-1252 in practice (WHATWG) */
        bool latin1 = g_ascii_strcasecmp(charset, "iso-8859-1") == 0;
        text = convert(data, len, latin1 ? "windows-1252" : g_mime_charset_iconv_name(charset));
    }
    if (!text && !g_utf8_validate(data, (gssize)len, NULL) && (!charset || !utf8))
        text = memchr(data, '\0', len) ? NULL : convert(data, len, charset_guess(data, len));
    if (!text)
        text = g_string_new_len(data, (gssize)len);
    normalise_lines(text->str, text->len);
    return make_valid(g_string_free(text, FALSE));
}
