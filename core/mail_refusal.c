/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mail_refusal.h"

#include <string.h>

/* A line of its own, in any case; what is quoted ("> …") does not count. */
static bool has_line(const char *text, gsize length, const char *line, bool whole)
{
    gsize n = strlen(line);

    for (const char *p = text, *end = text + length; p < end;) {
        const char *next = memchr(p, '\n', (gsize)(end - p));
        gsize len = (gsize)((next ? next : end) - p);
        if (len > 0 && p[len - 1] == '\r')
            len--;
        if (len >= n && (!whole || len == n) && g_ascii_strncasecmp(p, line, n) == 0)
            return true;
        p = next ? next + 1 : end;
    }
    return false;
}

static bool is_invitation(const struct parsed_mail *mail)
{
    for (guint i = 0; i < mail->attachments->len; i++) {
        const struct mail_attachment *attachment = g_ptr_array_index(mail->attachments, i);
        gsize length;
        const char *content = g_bytes_get_data(attachment->content, &length);
        if (strcmp(attachment->type, "text/calendar") == 0 && has_line(content, length, "METHOD:", false))
            return true;
    }
    return false;
}

enum mail_refusal mail_refusal_of(const struct parsed_mail *mail, bool has_text)
{
    if (mail->is_encrypted ||
        (mail->text && has_line(mail->text, strlen(mail->text), "-----BEGIN PGP MESSAGE-----", true)))
        return MAIL_REFUSAL_ENCRYPTED;
    if (mail->is_calendar && is_invitation(mail))
        return MAIL_REFUSAL_INVITATION;
    return mail->has_tnef && !has_text ? MAIL_REFUSAL_WINMAIL : MAIL_REFUSAL_NONE;
}
