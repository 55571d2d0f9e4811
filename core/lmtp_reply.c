/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of SMTP and LMTP replies (RFC 5321 4.2, RFC 3463).  Pure. */
#include "core/lmtp_client.h"

#include <string.h>

#define MAX_LINE 4096
#define MAX_LINES 128

G_DEFINE_QUARK(lmtp-error-quark, lmtp_error)

/* Before any thread: G_DEFINE_QUARK's own first look is a data race. */
__attribute__((constructor)) static void know_quark(void)
{
    lmtp_error_quark();
}

void lmtp_reply_clear(struct lmtp_reply *reply)
{
    g_free(reply->text);
    *reply = (struct lmtp_reply){ 0 };
}

/* "2.1.5" at the start of text, of the class of the code, then a space or the end.  Returns its length, or 0. */
static size_t enhanced_code(const char *text, size_t len, unsigned class, unsigned out[3])
{
    unsigned value[3] = { 0, 0, 0 };
    size_t i = 0;
    for (unsigned part = 0; part < 3; part++) {
        size_t start = i;
        while (i < len && g_ascii_isdigit(text[i]) && i - start < 3)
            value[part] = value[part] * 10 + (unsigned)(text[i++] - '0');
        if (i == start || (part < 2 && (i >= len || text[i++] != '.')))
            return 0;
    }
    if (value[0] != class || (i < len && text[i] != ' '))
        return 0;
    memcpy(out, value, sizeof value);
    return i;
}

/* One line without its end: 1 last, 2 more follow, -1 not a reply line. */
static int reply_line(const char *line, size_t len, struct lmtp_reply *reply, GString *text)
{
    unsigned enhanced[3];
    if (len < 3 || line[0] < '2' || line[0] > '5' || !g_ascii_isdigit(line[1]) || !g_ascii_isdigit(line[2]))
        return -1;
    if (len > 3 && line[3] != ' ' && line[3] != '-')
        return -1;
    reply->code = (unsigned)((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
    const char *rest = line + MIN(len, 4);
    size_t left = len - MIN(len, 4), skip = enhanced_code(rest, left, reply->code / 100, enhanced);
    if (skip)
        memcpy(reply->enhanced, enhanced, sizeof enhanced);
    while (skip < left && rest[skip] == ' ')
        skip++;
    if (text->len && skip < left)
        g_string_append_c(text, ' ');
    g_string_append_len(text, rest + skip, (gssize)(left - skip));
    return len > 3 && line[3] == '-' ? 2 : 1;
}

/* Printable UTF-8; control characters become spaces. */
static char *clean(GString *text)
{
    for (gsize i = 0; i < text->len; i++)
        if ((unsigned char)text->str[i] < ' ' || text->str[i] == 0x7f)
            text->str[i] = ' ';
    char *valid = g_utf8_make_valid(text->str, (gssize)text->len);
    g_string_free(text, TRUE);
    return valid;
}

int lmtp_reply_parse(const char *ptr, size_t len, struct lmtp_reply *reply, size_t *used)
{
    struct lmtp_reply found = { 0 };
    size_t at = 0;
    if (!len)
        return 0;
    GString *text = g_string_new(NULL);
    int kind = 2;
    for (unsigned lines = 0; kind == 2 && lines < MAX_LINES; lines++) {
        const char *end = memchr(ptr + at, '\n', len - at);
        size_t line = end ? (size_t)(end - ptr) - at : len - at;
        if (line > MAX_LINE || !end) {
            g_string_free(text, TRUE);
            return line > MAX_LINE ? -1 : 0;
        }
        size_t content = line && ptr[at + line - 1] == '\r' ? line - 1 : line;
        kind = reply_line(ptr + at, content, &found, text);
        at += line + 1;
    }
    if (kind != 1) {
        g_string_free(text, TRUE);
        return -1;
    }
    found.text = clean(text);
    *reply = found;
    *used = at;
    return 1;
}

char *lmtp_reply_format(const struct lmtp_reply *reply)
{
    const char *text = reply->text ? reply->text : "";
    if (reply->enhanced[0])
        return g_strdup_printf("%03u %u.%u.%u %s", reply->code, reply->enhanced[0], reply->enhanced[1],
                               reply->enhanced[2], text);
    return g_strdup_printf("%03u %s", reply->code, text);
}
