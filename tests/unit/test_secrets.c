/* SPDX-License-Identifier: Apache-2.0 */
#include "core/secrets.h"

#include "core/error.h"
#include "core/keyfile.h"

#include "unit.h"

struct fixture {
    char *dir, *path;
    struct secrets *secrets;
};

static int setup(void **state)
{
    struct fixture *f = g_new0(struct fixture, 1);

    f->dir = unit_new_dir();
    f->path = g_build_filename(f->dir, "secrets.key", NULL);
    keyfile_generate(f->path, (gid_t)-1, NULL);
    f->secrets = secrets_load(f->path, NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    secrets_free(f->secrets);
    g_free(f->path);
    unit_remove_dir(f->dir);
    g_free(f);
    return 0;
}

static void test_round_trip(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"", "x", "KEY0123456789", "\xc3\xbc"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        size_t length;
        g_autofree char *sealed = secrets_seal(f->secrets, texts[i], strlen(texts[i]), "ep:api_key", NULL);
        g_autofree char *again = secrets_seal(f->secrets, texts[i], strlen(texts[i]), "ep:api_key", NULL);
        assert_string_not_equal(sealed, again);
        char *plain = secrets_open(f->secrets, sealed, "ep:api_key", &length, NULL);
        assert_string_equal(plain, texts[i]);
        assert_int_equal(length, strlen(texts[i]));
        secrets_wipe(plain);
    }
}

static void test_forged(void **state)
{
    struct fixture *f = *state;
    g_autofree char *sealed = secrets_seal(f->secrets, "secret", 6, "a", NULL);
    g_autoptr(GError) error = NULL;

    assert_null(secrets_open(f->secrets, sealed, "b", NULL, &error));
    assert_int_equal(error->code, UMP_ERROR_INVALID);
    for (size_t i = 0; sealed[i] != '\0'; i++) {
        char kept = sealed[i];
        sealed[i] = kept == 'A' ? 'B' : 'A';
        assert_null(secrets_open(f->secrets, sealed, "a", NULL, NULL));
        sealed[i] = kept;
    }
    for (size_t n = 0; n < strlen(sealed); n++) {
        g_autofree char *cut = g_strndup(sealed, n);
        assert_null(secrets_open(f->secrets, cut, "a", NULL, NULL));
    }
}

static void test_rotation(void **state)
{
    struct fixture *f = *state;
    g_autofree char *sealed = secrets_seal(f->secrets, "secret", 6, "a", NULL);

    assert_false(secrets_is_stale(f->secrets, sealed));
    assert_int_equal(keyfile_rotate(f->path, 0, NULL), 0);
    g_autoptr(secrets_t) rotated = secrets_load(f->path, NULL);
    assert_true(secrets_is_stale(rotated, sealed));
    char *plain = secrets_open(rotated, sealed, "a", NULL, NULL);
    assert_string_equal(plain, "secret");
    g_autofree char *fresh = secrets_seal(rotated, plain, 6, "a", NULL);
    secrets_wipe(plain);
    assert_false(secrets_is_stale(rotated, fresh));
    g_autoptr(GError) error = NULL;
    assert_null(secrets_open(f->secrets, fresh, "a", NULL, &error));
    assert_int_equal(error->code, UMP_ERROR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
    };

    return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
