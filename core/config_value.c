/* SPDX-License-Identifier: Apache-2.0 */
/* The parsers of values: durations, sizes, booleans.  Pure. */
#include "core/config.h"

#include <string.h>

struct unit {
    const char *name;
    gint64 factor;
};

static const struct unit DURATIONS[] = {
    {"us", 1},
    {"ms", 1000},
    {"s", 1000000},
    {"m", G_GINT64_CONSTANT(60000000)},
    {"min", G_GINT64_CONSTANT(60000000)},
    {"h", G_GINT64_CONSTANT(3600000000)},
    {"d", G_GINT64_CONSTANT(86400000000)},
    {"w", G_GINT64_CONSTANT(604800000000)},
    {NULL, 0},
};

static const struct unit SIZES[] = {
    {"", 1},
    {"B", 1},
    {"KiB", 1024},
    {"K", 1024},
    {"MiB", 1024 * 1024},
    {"M", 1024 * 1024},
    {"GiB", G_GINT64_CONSTANT(1073741824)},
    {"G", G_GINT64_CONSTANT(1073741824)},
    {NULL, 0},
};

static const struct unit *find_unit(const struct unit *units, const char *text, size_t length)
{
    for (; units->name != NULL; units++)
        if (strlen(units->name) == length && strncmp(units->name, text, length) == 0)
            return units;
    return NULL;
}

/* One "12ms" at *p; advances. */
static bool take_amount(const char **p, const struct unit *units, gint64 *out)
{
    guint64 number = 0;
    const char *start = *p;

    for (; g_ascii_isdigit(**p); (*p)++)
        if (!g_uint64_checked_mul(&number, number, 10) ||
            !g_uint64_checked_add(&number, number, (guint64)(**p - '0')))
            return false;
    if (*p == start)
        return false;
    while (**p == ' ')
        (*p)++;
    const char *name = *p;
    while (g_ascii_isalpha(**p))
        (*p)++;
    const struct unit *unit = find_unit(units, name, (size_t)(*p - name));
    if (unit == NULL || !g_uint64_checked_mul(&number, number, (guint64)unit->factor) || number > G_MAXINT64)
        return false;
    *out = (gint64)number;
    return true;
}

bool config_parse_duration(const char *text, gint64 *out_us)
{
    gint64 sum = 0, part;
    bool negative = *text == '-';
    const char *p = negative ? text + 1 : text;

    if (strcmp(p, "0") == 0) {
        *out_us = 0;
        return true;
    }
    do {
        if (!take_amount(&p, DURATIONS, &part) || part > G_MAXINT64 - sum)
            return false;
        sum += part;
        while (*p == ' ')
            p++;
    } while (*p != '\0');
    *out_us = negative ? -sum : sum;
    return true;
}

bool config_parse_size(const char *text, gint64 *out_bytes)
{
    gint64 size;
    const char *p = text;

    if (!take_amount(&p, SIZES, &size) || *p != '\0')
        return false;
    *out_bytes = size;
    return true;
}

bool config_parse_bool(const char *text, bool *out)
{
    static const char *const words[2][4] = {{"no", "false", "off", "0"}, {"yes", "true", "on", "1"}};

    for (int value = 0; value < 2; value++)
        for (size_t i = 0; i < 4; i++)
            if (g_ascii_strcasecmp(text, words[value][i]) == 0) {
                *out = value != 0;
                return true;
            }
    return false;
}
