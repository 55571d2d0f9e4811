/* SPDX-License-Identifier: Apache-2.0 */
#include "core/phone_zones.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST 15 /* digits of a number (E.164) */

static int compare(const void *key, const void *row)
{
    return strcmp(key, ((const struct phone_zone_row *)row)->prefix);
}

const char *const *phone_zones(const char *e164)
{
    char prefix[LONGEST + 1] = "";

    if (*e164 != '+')
        return NULL;
    strncpy(prefix, e164 + 1, LONGEST);
    for (size_t length = strlen(prefix); length > 0; prefix[--length] = '\0') { /* the longest that is known */
        const struct phone_zone_row *row = bsearch(prefix, phone_zone_rows, phone_zone_count, sizeof *row, compare);
        if (row)
            return *row->zones ? row->zones : NULL;
    }
    return NULL;
}
