/* SPDX-License-Identifier: Apache-2.0 */
/* What of a number or an address may stand in the log, and numbers as text. */
#include "core/log.h"

#include "core/clock.h"

#include <stdio.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"

const char *log_format_int(char *buffer, size_t size, gint64 value)
{
    snprintf(buffer, size, "%" G_GINT64_FORMAT, value);
    return buffer;
}

const char *log_format_ms(char *buffer, size_t size, gint64 microseconds)
{
    snprintf(buffer, size, "%" G_GINT64_FORMAT ".%dms", microseconds / 1000,
             (int)(microseconds % 1000 / 100));
    return buffer;
}

/* Mostly digits, whatever was typed around them ("*67…", "…x5"). Enough of it stays to recognise a number that one
 * knows, too little to call one. */
static bool is_number(const char *text, size_t length)
{
    size_t digits = 0;

    for (size_t i = 0; i < length; i++)
        digits += g_ascii_isdigit(text[i]) ? 1 : 0;
    return digits >= 8 && 2 * digits > length;
}

static const char *mask(char *buffer, size_t size, const char *text, size_t length, const char *rest)
{
    size_t head = text[0] == '+' ? 5 : 4;

    if (is_number(text, length))
        snprintf(buffer, size, "%.*s" ELLIPSIS "%.4s%s", (int)MIN(head, length - 4), text,
                 text + length - 4, rest);
    else
        snprintf(buffer, size, "%.*s%s", (int)length, text, rest);
    return buffer;
}

const char *log_mask_number(char *buffer, size_t size, const char *number)
{
    if (number == NULL)
        return NULL;
    size_t length = strlen(number);
    /* What is no number is a name or an id of a network: shown, but a buffer's worth only. */
    return mask(buffer, size, number, length, "");
}

const char *log_mask_address(char *buffer, size_t size, const char *address)
{
    if (address == NULL)
        return NULL;
    const char *at = strrchr(address, '@');
    size_t local = at != NULL ? (size_t)(at - address) : strlen(address);
    size_t option = 0;
    /* An option rides behind a second '+'. */
    for (size_t i = 1; i < local; i++)
        if (address[i] == '+') {
            option = i;
            break;
        }
    size_t length = option != 0 && is_number(address, option) ? option : local;
    return mask(buffer, size, address, length, address + length);
}

char *log_number(const char *number)
{
    char buffer[64];

    return g_strdup(log_mask_number(buffer, sizeof buffer, number));
}
