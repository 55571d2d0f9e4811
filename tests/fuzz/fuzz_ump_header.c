/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header codecs: UMP-Header, UMP-Channel-Preference, UMP-Stamp and the structured fields under
 * them.  What is parsed and written must be parsed again to the same.
 */
#include "core/sf.h"
#include "core/stamp.h"
#include "core/ump_header.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_header(const char *text, size_t size)
{
    g_auto(ump_header_t) header = {0}, again = {0};

    if (!ump_header_parse(text, size, &header))
        return;
    g_autofree char *written = ump_header_format(&header);
    g_autofree char *folded = ump_header_fold(written, 12);
    g_autofree char *unfolded = ump_header_unfold(folded, strlen(folded));
    g_assert_cmpstr(unfolded, ==, written);
    g_assert_true(ump_header_parse(folded, strlen(folded), &again));
    g_autofree char *twice = ump_header_format(&again);
    g_assert_cmpstr(written, ==, twice);
}

static void check_fields(const char *text, size_t size, bool dictionary)
{
    g_auto(sf_t) sf = {0}, again = {0};

    if (!(dictionary ? sf_parse_dictionary(text, size, &sf) : sf_parse_list(text, size, &sf)))
        return;
    g_autofree char *written = dictionary ? sf_serialise_dictionary(&sf) : sf_serialise_list(&sf);
    g_assert_nonnull(written);
    g_assert_true(dictionary ? sf_parse_dictionary(written, strlen(written), &again)
                             : sf_parse_list(written, strlen(written), &again));
    g_autofree char *twice = dictionary ? sf_serialise_dictionary(&again) : sf_serialise_list(&again);
    g_assert_cmpstr(written, ==, twice);
}

static void check_stamp(const char *text, size_t size)
{
    g_autoptr(stamp_keys_t) keys = stamp_keys_from_secret("k1", "secret", 6);
    const struct stamp_expect expect = {.now = 1700000000, .max_age = G_MAXINT32};
    g_auto(stamp_t) stamp = {0};

    stamp_verify(keys, text, size, &expect, &stamp);
    stamp_has_recipient(keys, &stamp, "bob@example.org");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    check_header(text, size);
    check_fields(text, size, true);
    check_fields(text, size, false);
    check_stamp(text, size);
    g_strfreev(ump_preference_parse(text, size));
    return 0;
}
