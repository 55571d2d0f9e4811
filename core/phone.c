/* SPDX-License-Identifier: Apache-2.0 */
/* Telephone numbers: what needs no library; and what is wrong with one, in words. */
#include "core/phone.h"

#include <string.h>

bool phone_is_e164(const char *text, size_t length)
{
    if (length < 8 || length > 16 || text[0] != '+' || text[1] < '1' || text[1] > '9')
        return false;
    for (size_t i = 2; i < length; i++)
        if (!g_ascii_isdigit(text[i]))
            return false;
    return true;
}

const char *phone_type_text(enum phone_type type)
{
    static const char *const words[] = {
        [PHONE_TYPE_UNKNOWN] = "unknown",
        [PHONE_TYPE_FIXED] = "fixed line",
        [PHONE_TYPE_MOBILE] = "mobile",
        [PHONE_TYPE_FIXED_OR_MOBILE] = "fixed line or mobile",
        [PHONE_TYPE_TOLL_FREE] = "toll free",
        [PHONE_TYPE_PREMIUM] = "premium rate",
        [PHONE_TYPE_SHARED_COST] = "shared cost",
        [PHONE_TYPE_VOIP] = "internet telephony",
        [PHONE_TYPE_PERSONAL] = "personal number",
        [PHONE_TYPE_PAGER] = "pager",
        [PHONE_TYPE_UAN] = "company number",
        [PHONE_TYPE_VOICEMAIL] = "voicemail",
    };

    return (guint)type < G_N_ELEMENTS(words) ? words[type] : words[PHONE_TYPE_UNKNOWN];
}

/* What was typed goes back into SMTP replies and mail: printable and short. */
static char *printable(const char *written)
{
    GString *out = g_string_new(NULL);
    g_autofree char *valid = g_utf8_make_valid(written, -1);

    for (const char *p = valid; *p != '\0' && out->len < 60; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (g_unichar_isprint(c) && c != '<' && c != '>')
            g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

#define HOW "write it as +<country><number>"

char *phone_explain(const struct phone *phone, const char *written)
{
    g_autofree char *typed = printable(written);

    if (phone->emergency)
        return g_strdup_printf("%s is an emergency number; messages cannot reach it, call it", typed);
    switch (phone->result) {
    case PHONE_OK:
        if (phone->premium)
            return g_strdup_printf("%s is a premium rate number; nothing is sent to such numbers", typed);
        if (!phone->valid)
            return g_strdup_printf("%s is not a number in use%s%s; please check it", typed,
                                   phone->region[0] != '\0' ? " in " : "", phone->region);
        return g_strdup_printf("%s is a valid number", typed);
    case PHONE_BAD_COUNTRY:
        return g_strdup_printf("%s does not begin with a country code; " HOW, typed);
    case PHONE_TOO_SHORT:
    case PHONE_LOCAL_ONLY:
        return g_strdup_printf("%s is not a complete phone number; " HOW, typed);
    case PHONE_TOO_LONG:
        return g_strdup_printf("%s has too many digits for a phone number; " HOW, typed);
    case PHONE_BAD_LENGTH:
        return g_strdup_printf("%s has the wrong number of digits for a phone number; " HOW, typed);
    case PHONE_SHORT_NUMBER:
        return g_strdup_printf("%s is a short number; write it as s.%s if it is a short code", typed, typed);
    case PHONE_NOT_A_NUMBER:
        break;
    }
    return g_strdup_printf("%s is not a phone number; " HOW, typed);
}
