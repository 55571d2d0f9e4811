/* SPDX-License-Identifier: Apache-2.0 */
/* The one writer of header fields, see mail_write.h. */
#include "core/mail_write.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "core/utf8_text.h"

enum { LINE_MAX_COLUMNS = 76, ENCODED_BYTES = 45, ADDRESS_MAX = 512, TEXT_MAX_CHARS = 900 };

/* Our own names only; a wrong one is our bug. */
static void begin(GString *out, const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        assert(*p > ' ' && *p < 0x7F && *p != ':');
    g_string_append(out, name);
    g_string_append_c(out, ':');
}

/* The last fence: from start on there is one field, each of its lines but the first begins with a blank. */
static void finish(GString *out, gsize start)
{
    g_string_append(out, "\r\n");
    for (gsize i = start; i + 2 < out->len; i++) {
        guchar c = (guchar)out->str[i];
        if (c == '\r')
            assert(out->str[i + 1] == '\n' && (out->str[i + 2] == ' ' || out->str[i + 2] == '\t'));
        else
            assert(c == '\t' || (c == '\n' && out->str[i - 1] == '\r') || (c >= ' ' && c != 0x7F));
    }
}

static bool is_plain_ascii(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if ((guchar)*p < ' ' || (guchar)*p >= 0x7F)
            return false;
    return strstr(text, "=?") == NULL;
}

/* Appends " word" and folds before it when the line would become too long. */
static void append_word(GString *out, gsize *col, const char *word, gsize len)
{
    if (*col + 1 + len > LINE_MAX_COLUMNS && *col > 1) {
        g_string_append(out, "\r\n");
        *col = 0;
    }
    g_string_append_c(out, ' ');
    g_string_append_len(out, word, (gssize)len);
    *col += 1 + len;
}

/* Splits at single blanks; runs of blanks stay together with the word that follows. */
static void append_folded(GString *out, gsize *col, const char *text)
{
    for (const char *p = text; *p != '\0';) {
        const char *word = p;
        while (*p == ' ')
            p++;
        p += strcspn(p, " ");
        append_word(out, col, word, (gsize)(p - word));
        if (*p == ' ')
            p++;
    }
}

static gsize longest_word(const char *text)
{
    gsize longest = 0;
    for (const char *p = text; *p != '\0';) {
        gsize len = strcspn(p, " ");
        longest = MAX(longest, len);
        p += len + (p[len] == ' ');
    }
    return longest;
}

static bool q_is_literal(guchar c)
{
    return g_ascii_isalnum(c) || c == '!' || c == '*' || c == '+' || c == '-' || c == '/';
}

/* RFC 2047: whole text as encoded words of at most 75 characters, cut between characters. */
static void append_encoded(GString *out, gsize *col, const char *text)
{
    gsize len = strlen(text), special = 0;
    for (gsize i = 0; i < len; i++)
        special += !q_is_literal((guchar)text[i]) && text[i] != ' ';
    bool base64 = special * 3 > len;
    const char *p = text, *end = text + len;
    while (p < end) {
        g_autoptr(GString) word = g_string_new(base64 ? "=?utf-8?B?" : "=?utf-8?Q?");
        gsize room = LINE_MAX_COLUMNS - 1 - 12;
        if (*col + 1 + 12 + 16 <= LINE_MAX_COLUMNS && *col > 1)
            room = LINE_MAX_COLUMNS - *col - 1 - 12;
        const char *start = p, *whole = NULL; /* whole: no base64 padding, which some readers take for the end */
        gsize used = 0;
        while (p < end) {
            const char *next = g_utf8_next_char(p);
            gsize need = 0;
            if (base64) {
                need = ((gsize)(next - start) + 2) / 3 * 4 - used;
            } else {
                for (const char *q = p; q < next; q++)
                    need += q_is_literal((guchar)*q) || *q == ' ' ? 1 : 3;
            }
            if (used + need > room && p > start)
                break;
            used += need;
            p = next;
            if ((p - start) % 3 == 0)
                whole = p;
        }
        if (base64) {
            if (p < end && whole)
                p = whole;
            g_autofree char *encoded = g_base64_encode((const guchar *)start, (gsize)(p - start));
            g_string_append(word, encoded);
        } else {
            for (const char *q = start; q < p; q++) {
                if (*q == ' ')
                    g_string_append_c(word, '_');
                else if (q_is_literal((guchar)*q))
                    g_string_append_c(word, *q);
                else
                    g_string_append_printf(word, "=%02X", (guchar)*q);
            }
        }
        g_string_append(word, "?=");
        append_word(out, col, word->str, word->len);
    }
}

void mail_write_text(GString *out, const char *name, const char *text)
{
    g_autofree char *line = mail_clean_line(text, TEXT_MAX_CHARS);
    gsize start = out->len;
    begin(out, name);
    gsize col = out->len - start;
    if (is_plain_ascii(line) && longest_word(line) < 500)
        append_folded(out, &col, line);
    else
        append_encoded(out, &col, line);
    if (line[0] == '\0')
        g_string_append_c(out, ' ');
    finish(out, start);
}

void mail_write_structured(GString *out, const char *name, const char *value)
{
    gsize start = out->len;
    begin(out, name);
    gsize col = out->len - start;
    g_autoptr(GString) printable = g_string_sized_new(strlen(value) + 1);
    for (const char *p = value; *p != '\0'; p++)
        if ((guchar)*p >= ' ' && (guchar)*p < 0x7F)
            g_string_append_c(printable, *p);
    g_autofree char *trimmed = g_strstrip(g_strdup(printable->str));
    append_folded(out, &col, trimmed);
    finish(out, start);
}

static bool local_part_is_plain(const char *local, gsize len)
{
    if (len >= 2 && local[0] == '"' && local[len - 1] == '"') {
        for (gsize i = 1; i + 1 < len; i++) {
            if (local[i] == '\\' && i + 2 < len)
                i++;
            else if (local[i] == '"' || local[i] == '\\')
                return false;
        }
        return true;
    }
    for (gsize i = 0; i < len; i++) {
        guchar c = (guchar)local[i];
        if (c < 0x80 && !g_ascii_isalnum((char)c) && !strchr("!#$%&'*+-/=?^_`{|}~.", c))
            return false;
    }
    return len > 0;
}

/* An addr-spec that cannot be read as anything else. */
static bool address_is_plain(const char *address)
{
    gsize len = strlen(address);
    const char *at = strrchr(address, '@');
    if (len > ADDRESS_MAX || !at || !g_utf8_validate(address, (gssize)len, NULL) || strstr(address, "=?"))
        return false;
    for (const char *p = address; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c <= ' ' || (c >= 0x7F && c <= 0xA0) || utf8_is_bidi_control(c) || utf8_is_zero_width(c) || c == 0x2028 || c == 0x2029)
            return false;
    }
    if (!local_part_is_plain(address, (gsize)(at - address)) || at[1] == '\0')
        return false;
    for (const char *p = at + 1; *p != '\0'; p++)
        if ((guchar)*p < 0x80 && !g_ascii_isalnum(*p) && *p != '.' && *p != '-' && *p != '[' && *p != ']' && *p != ':')
            return false;
    return true;
}

static void append_mailbox(GString *out, gsize *col, const char *display, const char *address, bool more)
{
    g_autofree char *name = mail_clean_line(display, 200);
    if (name[0] != '\0' && is_plain_ascii(name)) {
        g_autoptr(GString) quoted = g_string_new("\"");
        for (const char *p = name; *p != '\0'; p++) {
            if (*p == '"' || *p == '\\')
                g_string_append_c(quoted, '\\');
            g_string_append_c(quoted, *p);
        }
        g_string_append_c(quoted, '"');
        append_folded(out, col, quoted->str);
    } else if (name[0] != '\0') {
        append_encoded(out, col, name);
    }
    g_autofree char *spec = g_strdup_printf("<%s>%s", address && address_is_plain(address) ? address : "invalid@invalid", more ? "," : "");
    append_word(out, col, spec, strlen(spec));
}

void mail_write_addresses(GString *out, const char *header, const char *const *displays, const char *const *addresses, gsize n)
{
    if (n == 0)
        return;
    gsize start = out->len;
    begin(out, header);
    gsize col = out->len - start;
    for (gsize i = 0; i < n; i++)
        append_mailbox(out, &col, displays ? displays[i] : NULL, addresses[i], i + 1 < n);
    finish(out, start);
}

void mail_write_address(GString *out, const char *header, const char *display, const char *address)
{
    mail_write_addresses(out, header, &display, &address, 1);
}

void mail_write_message_ids(GString *out, const char *header, const char *const *ids)
{
    gsize start = out->len, written = 0;
    begin(out, header);
    gsize col = out->len - start;
    for (; *ids; ids++) {
        g_autoptr(GString) id = g_string_new("<");
        for (const char *p = *ids; *p != '\0' && id->len < 900; p++)
            if (*p > ' ' && *p < 0x7F && !strchr("<>,\"\\()", *p))
                g_string_append_c(id, *p);
        if (id->len == 1)
            continue;
        g_string_append_c(id, '>');
        append_word(out, &col, id->str, id->len);
        written++;
    }
    if (written == 0)
        g_string_truncate(out, start);
    else
        finish(out, start);
}

void mail_write_message_id(GString *out, const char *header, const char *id)
{
    const char *const ids[] = {id, NULL};
    mail_write_message_ids(out, header, ids);
}

void mail_write_date(GString *out, const char *header, gint64 us)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(us / G_USEC_PER_SEC - (us % G_USEC_PER_SEC < 0));
    struct tm tm;
    if (seconds < 0 || seconds > G_GINT64_CONSTANT(253402300799) || !gmtime_r(&seconds, &tm)) {
        seconds = 0;
        gmtime_r(&seconds, &tm);
    }
    gsize start = out->len;
    begin(out, header);
    g_string_append_printf(out, " %s, %d %s %04d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                   tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    finish(out, start);
}

static bool is_attribute_char(guchar c)
{
    return g_ascii_isalnum(c) || (c < 0x80 && c != '\0' && strchr("!#$&+-.^_`|~", c));
}

/* RFC 2231: name*=utf-8''… , in pieces name*0*=… when it does not fit a line. */
static void append_extended_param(GString *out, const char *param, const char *text)
{
    g_autoptr(GString) encoded = g_string_new("utf-8''");
    for (const char *p = text; *p != '\0'; p++) {
        if (is_attribute_char((guchar)*p))
            g_string_append_c(encoded, *p);
        else
            g_string_append_printf(encoded, "%%%02X", (guchar)*p);
    }
    if (encoded->len + strlen(param) + 4 <= LINE_MAX_COLUMNS) {
        g_string_append_printf(out, ";\r\n %s*=%s", param, encoded->str);
        return;
    }
    gsize room = LINE_MAX_COLUMNS - strlen(param) - 8;
    guint section = 0;
    for (gsize from = 0; from < encoded->len; section++) {
        gsize len = MIN(room, encoded->len - from);
        while (len > 2 && from + len < encoded->len && (encoded->str[from + len - 1] == '%' || encoded->str[from + len - 2] == '%'))
            len--; /* never within %XX */
        g_string_append_printf(out, ";\r\n %s*%u*=%.*s", param, section, (int)len, encoded->str + from);
        from += len;
    }
}

void mail_write_param(GString *out, const char *header, const char *value, const char *param, const char *text)
{
    gsize start = out->len;
    begin(out, header);
    g_string_append_c(out, ' ');
    for (const char *p = value; *p != '\0'; p++)
        if (*p >= ' ' && *p < 0x7F)
            g_string_append_c(out, *p);
    g_autofree char *line = mail_clean_line(text, 250);
    if (line[0] != '\0' && is_plain_ascii(line) && strlen(line) + strlen(param) < 70) {
        g_string_append_printf(out, ";\r\n %s=\"", param);
        for (const char *p = line; *p != '\0'; p++) {
            if (*p == '"' || *p == '\\')
                g_string_append_c(out, '\\');
            g_string_append_c(out, *p);
        }
        g_string_append_c(out, '"');
    } else if (line[0] != '\0') {
        append_extended_param(out, param, line);
    }
    finish(out, start);
}
