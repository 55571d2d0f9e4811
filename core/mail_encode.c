/* SPDX-License-Identifier: Apache-2.0 */
/* Transfer encodings of bodies, see mail_write.h. */
#include <string.h>

#include "core/mail_write.h"

enum { QP_COLUMNS = 76, BASE64_BYTES = 57, LINE_BYTES_MAX = 990 };

bool mail_text_is_7bit(const char *text)
{
    gsize run = 0;
    for (const char *p = text; *p != '\0'; p++) {
        guchar c = (guchar)*p;
        if (c >= 0x7F || (c < ' ' && c != '\n' && c != '\t'))
            return false;
        run = c == '\n' ? 0 : run + 1;
        if (run > LINE_BYTES_MAX)
            return false;
    }
    return true;
}

static void qp_line(GString *out, const char *p, gsize len)
{
    static const char hex[] = "0123456789ABCDEF";
    gsize col = 0;
    for (gsize i = 0; i < len; i++) {
        guchar c = (guchar)p[i];
        bool last = i + 1 == len;
        bool literal = (c > ' ' && c < 0x7F && c != '=') || ((c == ' ' || c == '\t') && !last);
        if (i == 0 && ((c == 'F' && len >= 5 && memcmp(p, "From ", 5) == 0) || c == '.'))
            literal = false; /* mbox and SMTP stay out of it */
        gsize need = literal ? 1 : 3;
        if (col + need > QP_COLUMNS - (last ? 0 : 1)) {
            g_string_append(out, "=\r\n");
            col = 0;
        }
        if (literal) {
            g_string_append_c(out, (char)c);
        } else {
            char code[3] = {'=', hex[c >> 4], hex[c & 15]};
            g_string_append_len(out, code, 3);
        }
        col += need;
    }
    g_string_append(out, "\r\n");
}

void mail_write_quoted_printable(GString *out, const char *text, gsize len)
{
    for (const char *p = text, *end = text + len; p < end;) {
        const char *nl = memchr(p, '\n', (gsize)(end - p));
        gsize line = nl ? (gsize)(nl - p) : (gsize)(end - p);
        qp_line(out, p, line > 0 && p[line - 1] == '\r' ? line - 1 : line);
        p += line + (nl ? 1 : 0);
    }
}

void mail_write_base64(GString *out, const void *data, gsize len)
{
    const guchar *p = data;
    while (len > 0) {
        gsize n = MIN(len, (gsize)BASE64_BYTES);
        char line[BASE64_BYTES / 3 * 4 + 8];
        int state = 0, save = 0;
        gsize written = g_base64_encode_step(p, n, FALSE, line, &state, &save);
        written += g_base64_encode_close(FALSE, line + written, &state, &save);
        g_string_append_len(out, line, (gssize)written);
        g_string_append(out, "\r\n");
        p += n;
        len -= n;
    }
}
