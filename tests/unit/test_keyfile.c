/* SPDX-License-Identifier: Apache-2.0 */
#include "core/keyfile.h"

#include "core/error.h"

#include "unit.h"

#include <sys/stat.h>

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void test_parse(void **state)
{
    const char *text = "# keys\n\nk2 " A64 "\r\n  k1\t" B64;
    g_autoptr(keyfile_t) keys = keyfile_parse(text, strlen(text), "x", NULL);

    assert_non_null(keys);
    assert_int_equal(keys->count, 2);
    assert_string_equal(keys->keys[0].id, "k2");
    assert_int_equal(keys->keys[0].key[31], 0xaa);
    assert_ptr_equal(keyfile_find(keys, "k1", 2), &keys->keys[1]);
    assert_null(keyfile_find(keys, "k", 1));
}

static void test_bad(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "x: holds no key"},
        {"# nothing\n", "x: holds no key"},
        {"k1 abcd\n", "x:1: a key has 64 hexadecimal digits"},
        {"\nk1 " A64 " more\n", "x:2: a key has 64 hexadecimal digits"},
        {"K1 " A64 "\n", "x:1: a key id has 1 to 16 of a-z and 0-9"},
        {"k1 " A64 "\nk1 " B64 "\n", "x:2: this key id stands there twice"},
        {"k1 g" A64 "\n", "x:1: a key has 64 hexadecimal digits"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(keyfile_parse(cases[i].text, strlen(cases[i].text), "x", &error));
        assert_int_equal(error->code, UMP_ERROR_CONFIG);
        assert_string_equal(error->message, cases[i].message);
    }
}

static void test_generate_and_rotate(void **state)
{
    char *dir = unit_new_dir();
    g_autofree char *path = g_build_filename(dir, "k", NULL);
    struct stat st;

    assert_int_equal(keyfile_generate(path, (gid_t)-1, NULL), 0);
    assert_int_equal(keyfile_generate(path, (gid_t)-1, NULL), 1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    g_autoptr(keyfile_t) first = keyfile_load(path, NULL);
    assert_int_equal(first->count, 1);
    assert_int_equal(keyfile_rotate(path, 0, NULL), 0);
    assert_int_equal(keyfile_rotate(path, 2, NULL), 0);
    g_autoptr(keyfile_t) third = keyfile_load(path, NULL);
    assert_int_equal(third->count, 2);
    assert_null(keyfile_find(third, first->keys[0].id, strlen(first->keys[0].id)));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);

    g_autoptr(GError) error = NULL;
    chmod(path, 0644);
    assert_null(keyfile_load(path, &error));
    assert_non_null(strstr(error->message, "everyone may read"));
    unit_remove_dir(dir);
}

static void test_absent(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_null(keyfile_load("/nonexistent/key", &error));
    assert_non_null(strstr(error->message, "/nonexistent/key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_generate_and_rotate),
        cmocka_unit_test(test_absent),
    };

    return cmocka_run_group_tests_name("keyfile", tests, NULL, NULL);
}
