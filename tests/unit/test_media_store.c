/* SPDX-License-Identifier: Apache-2.0 */
#include "core/media_store.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/ids.h"

#include "unit.h"

#include <sys/stat.h>

/* sha256 of "hello" */
#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

struct fixture {
    char *dir, *path;
    struct media_store *store;
};

static int setup(void **state)
{
    struct fixture *f = g_new0(struct fixture, 1);

    f->dir = unit_new_dir();
    f->path = g_build_filename(f->dir, "media", NULL);
    f->store = media_store_open(f->path, 1000, NULL);
    *state = f;
    return f->store == NULL;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    media_store_close(f->store);
    unit_remove_dir(f->dir);
    g_free(f->path);
    g_free(f);
    return 0;
}

static void test_put_and_read(void **state)
{
    struct fixture *f = *state;
    char sha[MEDIA_SHA_TEXT];

    assert_int_equal(media_store_put(f->store, "hello", 5, sha, NULL), 0);
    assert_string_equal(sha, HELLO);
    assert_int_equal(media_store_put(f->store, "hello", 5, sha, NULL), 1);
    assert_true(media_store_has(f->store, sha));
    g_autoptr(GBytes) bytes = media_store_read(f->store, sha, NULL);
    assert_int_equal(g_bytes_get_size(bytes), 5);
    assert_memory_equal(g_bytes_get_data(bytes, NULL), "hello", 5);
    g_autofree char *path = g_build_filename(f->path, "2c", "f2", HELLO, NULL);
    assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    assert_int_equal(media_store_remove(f->store, sha, NULL), 0);
    assert_int_equal(media_store_remove(f->store, sha, NULL), 1);
    assert_false(media_store_has(f->store, sha));
}

static void test_pieces_and_limit(void **state)
{
    struct fixture *f = *state;
    char sha[MEDIA_SHA_TEXT] = "kept", piece[400] = {0};
    g_autoptr(GError) error = NULL;

    struct media_writer *writer = media_writer_new(f->store, NULL);
    assert_int_equal(media_writer_write(writer, "hel", 3, NULL), 0);
    assert_int_equal(media_writer_write(writer, "lo", 2, NULL), 0);
    assert_int_equal(media_writer_size(writer), 5);
    assert_int_equal(media_writer_finish(writer, sha, NULL), 0);
    assert_string_equal(sha, HELLO);

    writer = media_writer_new(f->store, NULL);
    assert_int_equal(media_writer_write(writer, piece, sizeof piece, NULL), 0);
    assert_int_equal(media_writer_write(writer, piece, sizeof piece, NULL), 0);
    assert_int_equal(media_writer_write(writer, piece, sizeof piece, &error), -1);
    assert_int_equal(error->code, UMP_ERROR_LIMIT);
    media_writer_abort(writer);
}

static bool count(const char *sha, gint64 size, gint64 mtime, void *data)
{
    assert_int_equal(strlen(sha), 64);
    assert_true(mtime > 0);
    *(gint64 *)data += size;
    return true;
}

static void test_empty_and_each(void **state)
{
    struct fixture *f = *state;
    char sha[MEDIA_SHA_TEXT];
    gint64 total = 0;

    assert_int_equal(media_store_put(f->store, "", 0, sha, NULL), 0);
    assert_int_equal(media_store_put(f->store, "hello", 5, sha, NULL), 0);
    assert_int_equal(media_store_put(f->store, "hello!", 6, sha, NULL), 0);
    assert_int_equal(media_store_each(f->store, count, &total, NULL), 0);
    assert_int_equal(total, 11);
}

static void test_no_way_out(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"", "../../etc/passwd", "2c", "/etc/passwd",
                                        "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824",
                                        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b98240"};
    g_autofree char *top = g_build_filename(f->path, "2c", NULL), *link = g_build_filename(top, "f2", NULL);
    g_autofree char *outside = g_build_filename(f->dir, "f2", NULL), *file = g_build_filename(outside, HELLO, NULL);
    g_autoptr(GError) error = NULL;
    int fd = -1;
    gint64 size;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        assert_int_equal(media_store_open_file(f->store, names[i], &fd, &size, NULL), 1);
        assert_int_equal(media_store_remove(f->store, names[i], NULL), 1);
    }
    g_mkdir(top, 0700);
    g_mkdir(outside, 0700);
    assert_true(g_file_set_contents(file, "hello", 5, NULL));
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(media_store_open_file(f->store, HELLO, &fd, &size, &error), -1);
    assert_int_equal(fd, -1);
}

static void test_token(void **state)
{
    g_autoptr(ids_keys_t) keys = ids_keys_from_secret("k", 1);
    g_autofree char *token = media_token_make(keys, HELLO, 9, 100 * CLOCK_SECOND);
    char sha[MEDIA_SHA_TEXT];
    uint8_t kind;

    assert_int_equal(media_token_verify(keys, token, 99 * CLOCK_SECOND, sha, &kind), IDS_TOKEN_OK);
    assert_string_equal(sha, HELLO);
    assert_int_equal(kind, 9);
    assert_int_equal(media_token_verify(keys, token, 100 * CLOCK_SECOND, sha, NULL), IDS_TOKEN_EXPIRED);
    token[3] ^= 1;
    assert_int_equal(media_token_verify(keys, token, 0, sha, NULL), IDS_TOKEN_INVALID);
    assert_null(media_token_make(keys, "../x", 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_put_and_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pieces_and_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty_and_each, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_way_out, setup, teardown),
        cmocka_unit_test(test_token),
    };

    return cmocka_run_group_tests_name("media_store", tests, NULL, NULL);
}
