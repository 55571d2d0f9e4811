/* SPDX-License-Identifier: Apache-2.0 */
/* What a medium is: by its bytes, then by its name. */
#include "core/media_type.h"

#include "core/convert.h"
#include "tests/unit/unit.h"

static void test_bytes_beat_the_name(void **state)
{
    static const struct {
        const char *declared, *bytes;
        size_t length;
        const char *type;
    } cases[] = {
        {"application/octet-stream", "\0\0\0\x18" "ftypheic\0\0\0\0", 16, "image/heic"},
        {"image/jpeg", "\0\0\0\x18" "ftypmif1\0\0\0\0", 16, "image/heic"},
        {"image/heic", "\xff\xd8\xff\xe0\0\x10JFIF", 10, "image/jpeg"},
        {"application/octet-stream", "RIFF\x10\0\0\0WEBPVP8 ", 16, "image/webp"},
        {"image/png", "\x89PNG\r\n\x1a\n", 8, "image/png"},
        {"application/octet-stream", "#!AMR\n\x3c", 7, "audio/amr"},
        {"audio/amr", "#!AMR-WB\n\x3c", 10, "audio/amr-wb"},
        {"application/ogg", "OggS\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x13OpusHead", 36, "audio/ogg"},
        {"audio/ogg", "OggS\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x1e\1vorbis", 35, "audio/vorbis"},
        {"video/mp4", "\0\0\0\x1c" "ftypM4A \0\0\0\0", 16, "audio/mp4"},
        {"video/mp4", "\0\0\0\x1c" "ftypisom\0\0\0\0", 16, "video/mp4"},
        {"audio/x-wav", "RIFF\x10\0\0\0WAVEfmt ", 16, "audio/wav"},
        {"image/heic", "MZ\x90", 3, "image/heic"},
        {"image/JPG", "", 0, "image/jpeg"},
        {"audio/x-m4a", "\0\0\0\x1c", 4, "audio/mp4"},
        {"application/pdf", "%PDF-1.4", 8, "application/pdf"},
        {NULL, "what", 4, "application/octet-stream"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_string_equal(media_type_of(cases[i].declared, cases[i].bytes, cases[i].length), cases[i].type);
}

static void test_half_a_signature_is_none(void **state)
{
    static const char heic[] = "\0\0\0\x18" "ftypheic";

    for (size_t length = 0; length < sizeof heic - 1; length++)
        assert_string_equal(media_type_of("x/y", heic, length), "x/y");
    assert_string_equal(media_type_of("x/y", heic, sizeof heic - 1), "image/heic");
}

static void test_kinds(void **state)
{
    assert_int_equal(convert_kind_of("image/heic"), CONVERT_PICTURE);
    assert_int_equal(convert_kind_of("IMAGE/JPEG"), CONVERT_PICTURE);
    assert_int_equal(convert_kind_of("audio/amr"), CONVERT_SOUND);
    assert_int_equal(convert_kind_of("image/gif"), CONVERT_NOTHING);
    assert_int_equal(convert_kind_of("image/svg+xml"), CONVERT_NOTHING);
    assert_int_equal(convert_kind_of("video/mp4"), CONVERT_NOTHING);
    assert_int_equal(convert_kind_of(NULL), CONVERT_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_beat_the_name),
        cmocka_unit_test(test_half_a_signature_is_none),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
