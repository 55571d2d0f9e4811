/* SPDX-License-Identifier: Apache-2.0 */
/* Reading values of the network without trusting their types. */
#include "bridge/channels/channel_common.h"

#include <string.h>

#include "core/clock.h"

char *channel_value_text(const json_t *value)
{
    if (json_is_integer(value))
        return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_string_length(value) == 0)
        return NULL;
    return g_strdup(json_string_value(value));
}

char *channel_json_text(const json_t *object, const char *key)
{
    return channel_value_text(json_object_get(object, key));
}

gint64 channel_json_int(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    guint64 number;

    if (json_is_integer(value))
        return MAX(-1, json_integer_value(value));
    if (text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &number, NULL))
        return (gint64)number;
    return -1;
}

gint64 channel_json_count(const json_t *object, const char *key)
{
    gint64 count = channel_json_int(object, key);

    return count >= 0 && count <= 1000 ? count : -1;
}

gint64 channel_json_epoch(const json_t *object, const char *key)
{
    gint64 time = channel_json_int(object, key);

    if (time <= 0)
        return 0;
    if (time < G_GINT64_CONSTANT(100000000000)) /* seconds until the year 5138 */
        return time * CLOCK_SECOND;
    if (time < G_GINT64_CONSTANT(100000000000000))
        return time * 1000;
    return MIN(time, G_GINT64_CONSTANT(100000000000) * CLOCK_SECOND);
}

gint64 channel_amount(const char *text)
{
    gint64 units = 0;
    int decimals = -1;

    if (!g_ascii_isdigit(*text))
        return -1;
    for (; *text; text++) {
        if (*text == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (!g_ascii_isdigit(*text))
            return -1;
        if (decimals == 6)
            continue;
        if (units > (gint64)1e12)
            return -1;
        units = units * 10 + (*text - '0');
        if (decimals >= 0)
            decimals++;
    }
    for (decimals = MAX(decimals, 0); decimals < 6; decimals++)
        units *= 10;
    return units;
}

/* Two or four digits. */
static bool take_number(const char **at, int min_digits, int max_digits, int *number)
{
    int digits = 0;

    *number = 0;
    for (; digits < max_digits && g_ascii_isdigit(**at); digits++, (*at)++)
        *number = *number * 10 + (**at - '0');
    return digits >= min_digits;
}

static int month_of(const char *text)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++)
        if (g_ascii_strncasecmp(text, names + 3 * (gsize)i, 3) == 0)
            return i + 1;
    return 0;
}

gint64 channel_rfc5322_time(const char *text)
{
    const char *comma = text ? strchr(text, ',') : NULL, *at = comma ? comma + 1 : text;
    int day, month, year, hour, minute, second;
    gint64 us = 0;

    if (!at)
        return 0;
    at += strspn(at, " ");
    if (!take_number(&at, 1, 2, &day) || *at++ != ' ' || (month = month_of(at)) == 0)
        return 0;
    at += 3;
    if (*at++ != ' ' || !take_number(&at, 4, 4, &year) || *at++ != ' ' || !take_number(&at, 2, 2, &hour) ||
        *at++ != ':' || !take_number(&at, 2, 2, &minute) || *at++ != ':' || !take_number(&at, 2, 2, &second))
        return 0;
    at += strspn(at, " ");
    g_autofree char *iso = g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d%s", year, month, day, hour, minute, second,
                                           strcmp(at, "GMT") == 0 ? "Z" : at);
    return ump_clock_parse_rfc3339(iso, strlen(iso), &us) ? us : 0;
}

#define BASE64_MAX 64

bool channel_base64(const char *text, guint8 *out, size_t want)
{
    size_t length = strlen(text);
    guint8 buffer[BASE64_MAX + 3];
    gint state = 0;
    guint save = 0;

    if (want > BASE64_MAX || length != (want + 2) / 3 * 4)
        return false;
    if (g_base64_decode_step(text, length, buffer, &state, &save) != want)
        return false;
    g_autofree char *again = g_base64_encode(buffer, want);
    if (strcmp(again, text) != 0)
        return false;
    memcpy(out, buffer, want);
    return true;
}

bool channel_is_toll_free(const char *number)
{
    static const char *const prefixes[] = {"+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888", NULL};

    for (const char *const *prefix = prefixes; *prefix; prefix++)
        if (g_str_has_prefix(number, *prefix))
            return true;
    return false;
}
