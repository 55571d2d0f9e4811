/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ids.h"

#include "core/clock.h"
#include "core/keyfile.h"

#include "unit.h"

static const gint64 NOW = G_GINT64_CONSTANT(1795172805123456);

static void test_uuid_text(void **state)
{
    ids_uuid uuid, back;
    char text[IDS_UUID_TEXT];

    ids_uuid_random_at(&uuid, NOW);
    ids_uuid_format(&uuid, text);
    assert_int_equal(text[14], '7');
    assert_non_null(strchr("89ab", text[19]));
    assert_true(ids_uuid_parse(text, 36, &back));
    assert_memory_equal(&uuid, &back, sizeof uuid);
    assert_int_equal(ids_uuid_time_us(&back), NOW / 1000 * 1000);
    assert_false(ids_uuid_parse(text, 35, &back));
    text[8] = '0';
    assert_false(ids_uuid_parse(text, 36, &back));
}

static void test_uuid_unique_and_ordered(void **state)
{
    ids_uuid a, b;

    ids_uuid_random_at(&a, NOW);
    ids_uuid_random_at(&b, NOW);
    assert_memory_not_equal(&a, &b, sizeof a);
    ids_uuid_random_at(&b, NOW + 2000);
    assert_true(memcmp(&a, &b, 6) < 0);
}

static void test_derive(void **state)
{
    g_autoptr(ids_keys_t) keys = ids_keys_from_secret("k", 1), other = ids_keys_from_secret("l", 1);
    ids_uuid a, b;

    ids_uuid_derive(&a, keys, NOW, "acc", "ep", "id");
    ids_uuid_derive(&b, keys, NOW, "acc", "ep", "id");
    assert_memory_equal(&a, &b, sizeof a);
    char text[IDS_UUID_TEXT];
    assert_int_equal(ids_uuid_format(&a, text)[14], '7');
    ids_uuid_derive(&b, keys, NOW, "acc", "epi", "d");
    assert_memory_not_equal(&a, &b, sizeof a);
    ids_uuid_derive(&b, other, NOW, "acc", "ep", "id");
    assert_memory_not_equal(&a, &b, sizeof a);
    ids_uuid_derive(&b, keys, NOW, "acc", NULL, NULL);
    assert_memory_not_equal(&a, &b, sizeof a);
}

/* A new key in front must not change the ids of what comes again. */
static void test_derive_survives_rotation(void **state)
{
    char *dir = unit_new_dir();
    g_autofree char *path = g_build_filename(dir, "id.key", NULL);
    ids_uuid a, b;

    assert_int_equal(keyfile_generate(path, (gid_t)-1, NULL), 0);
    g_autoptr(ids_keys_t) before = ids_keys_load(path, NULL);
    assert_int_equal(keyfile_rotate(path, 0, NULL), 0);
    g_autoptr(ids_keys_t) after = ids_keys_load(path, NULL);
    ids_uuid_derive(&a, before, NOW, "a", "b", "c");
    ids_uuid_derive(&b, after, NOW, "a", "b", "c");
    assert_memory_equal(&a, &b, sizeof a);

    struct ids_token token = {.kind = 3, .subject_length = 16}, out;
    g_autofree char *old = ids_token_make(before, IDS_NOTICE, &token);
    g_autofree char *new = ids_token_make(after, IDS_NOTICE, &token);
    assert_string_not_equal(old, new);
    assert_int_equal(ids_token_verify(after, IDS_NOTICE, old, strlen(old), NOW, &out), IDS_TOKEN_OK);
    assert_int_equal(ids_token_verify(before, IDS_NOTICE, new, strlen(new), NOW, &out), IDS_TOKEN_INVALID);
    unit_remove_dir(dir);
}

static void test_message_id(void **state)
{
    static const char *const domains[] = {"example.com", "example.org", NULL};
    ids_uuid uuid, back;

    ids_uuid_random(&uuid);
    g_autofree char *text = ids_uuid_text(&uuid);
    g_autofree char *id = ids_message_id(text, "example.org");
    assert_true(ids_message_id_parse(id, domains, &back));
    assert_memory_equal(&uuid, &back, sizeof uuid);
    assert_true(ids_message_id_parse(id, NULL, &back));
    assert_false(ids_message_id_parse(id, (const char *const[]){"other.org", NULL}, &back));
    assert_false(ids_message_id_parse("<ump.x@example.org>", domains, &back));
    assert_false(ids_message_id_parse("", domains, &back));
    assert_false(ids_message_id_parse("<>", domains, &back));
}

static void test_shown(void **state)
{
    const char *kind;
    ids_uuid uuid;
    g_autofree char *text = ids_new();
    g_autofree char *shown = ids_show("msg", text);

    assert_true(ids_parse_shown(shown, &kind, &uuid));
    assert_string_equal(kind, "msg");
    assert_true(ids_parse_shown(text, &kind, &uuid));
    assert_null(kind);
    assert_false(ids_parse_shown("ump:foo:x", &kind, &uuid));
    assert_false(ids_parse_shown("ump:msg:x", &kind, &uuid));
}

static void test_tokens(void **state)
{
    g_autoptr(ids_keys_t) keys = ids_keys_from_secret("k", 1), other = ids_keys_from_secret("l", 1);
    struct ids_token token = {.kind = 7, .expires = NOW / CLOCK_SECOND + 60, .subject_length = 16}, out;

    memset(token.subject, 0x5a, 16);
    for (int purpose = 0; purpose < IDS_PURPOSES; purpose++) {
        enum ids_purpose p = (enum ids_purpose)purpose;
        g_autofree char *text = ids_token_make(keys, p, &token);
        assert_int_equal(ids_token_verify(keys, p, text, strlen(text), NOW, &out), IDS_TOKEN_OK);
        assert_int_equal(out.kind, 7);
        assert_int_equal(out.subject_length, 16);
        assert_memory_equal(out.subject, token.subject, 16);
        assert_int_equal(ids_token_verify(keys, p, text, strlen(text), NOW + CLOCK_HOUR, &out), IDS_TOKEN_EXPIRED);
        assert_int_equal(ids_token_verify(other, p, text, strlen(text), NOW, &out), IDS_TOKEN_INVALID);
        enum ids_purpose q = (enum ids_purpose)((purpose + 1) % IDS_PURPOSES);
        assert_int_equal(ids_token_verify(keys, q, text, strlen(text), NOW, &out), IDS_TOKEN_INVALID);
        for (size_t i = 0; text[i] != '\0'; i++) {
            char kept = text[i];
            text[i] = kept == 'b' ? 'c' : 'b';
            assert_int_equal(ids_token_verify(keys, p, text, strlen(text), NOW, &out), IDS_TOKEN_INVALID);
            text[i] = kept;
        }
        for (size_t n = 0; n < strlen(text); n++)
            assert_int_equal(ids_token_verify(keys, p, text, n, NOW, &out), IDS_TOKEN_INVALID);
    }
}

/* MTAs may change the case of a local part, and allow 64 characters. */
static void test_notice_fits_an_address(void **state)
{
    g_autoptr(ids_keys_t) keys = ids_keys_from_secret("k", 1);
    struct ids_token token = {.kind = 1, .expires = 2000000000, .subject_length = 16}, out;
    g_autofree char *text = ids_token_make(keys, IDS_NOTICE, &token);
    g_autofree char *upper = g_ascii_strup(text, -1);

    assert_int_equal(strlen("r.") + strlen(text), 62);
    assert_int_equal(ids_token_verify(keys, IDS_NOTICE, upper, strlen(upper), NOW, &out), IDS_TOKEN_OK);
}

static void test_callback(void **state)
{
    g_autoptr(ids_keys_t) keys = ids_keys_from_secret("k", 1);
    ids_uuid attempt, back;

    ids_uuid_random(&attempt);
    g_autofree char *text = ids_callback_token(keys, &attempt);
    assert_true(ids_callback_verify(keys, text, strlen(text), &back));
    assert_memory_equal(&attempt, &back, sizeof back);
    assert_false(ids_callback_verify(keys, "x", 1, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uuid_text), cmocka_unit_test(test_uuid_unique_and_ordered),
        cmocka_unit_test(test_derive),    cmocka_unit_test(test_derive_survives_rotation),
        cmocka_unit_test(test_message_id), cmocka_unit_test(test_shown),
        cmocka_unit_test(test_tokens),    cmocka_unit_test(test_notice_fits_an_address),
        cmocka_unit_test(test_callback),
    };

    return cmocka_run_group_tests_name("ids", tests, NULL, NULL);
}
