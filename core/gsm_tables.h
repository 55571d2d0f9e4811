/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which characters the 7-bit alphabets of SMS have (3GPP TS 23.038): a locking shift table replaces the default
 * alphabet, a single shift table the default extension.  Private to core/gsm.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/gsm.h"

struct gsm_range {
    guint16 first, last;
};

struct gsm_set {
    const struct gsm_range *ranges; /* sorted; NULL: there is no such table */
    size_t n;
};

struct gsm_tables {
    const char *code; /* ISO 639-1 */
    struct gsm_set locking, shift;
};

extern const struct gsm_tables gsm_tables[GSM_LANGUAGES];

bool gsm_set_has(const struct gsm_set *set, gunichar c);
