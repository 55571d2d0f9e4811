/* SPDX-License-Identifier: Apache-2.0 */
#include "core/stamp.h"

#include "core/clock.h"

#include "unit.h"

#define TXN "0192f0c0-0000-7000-8000-000000000001"
#define TEXT(s) ((char *)(uintptr_t)(s))

static const char *const RECIPIENTS[] = {"+15551234567@sms.example.org", "Bob@Example.com", NULL};

static struct stamp sample(void)
{
    return (struct stamp){
        .kind = STAMP_MILTER,
        .txn = TEXT(TXN),
        .time = 1700000000,
        .login = TEXT("alice@example.org"),
        .checked = true,
        .sender = TEXT("alice@example.org"),
        .from = TEXT("alice@example.org"),
        .message_id = TEXT("<1@example.org>"),
    };
}

static struct stamp_expect expectation(void)
{
    return (struct stamp_expect){
        .sender = "alice@EXAMPLE.org",
        .from = "alice@example.org",
        .message_id = "<1@example.org>",
        .now = 1700000100,
        .max_age = 86400,
    };
}

static enum stamp_result verify(const struct stamp_keys *keys, const char *text, const struct stamp_expect *expect)
{
    g_auto(stamp_t) out = {0};

    return stamp_verify(keys, text, strlen(text), expect, &out);
}

static void test_sign_and_verify(void **state)
{
    g_autoptr(stamp_keys_t) keys = stamp_keys_from_secret("k1", "secret", 6);
    struct stamp stamp = sample();
    struct stamp_expect expect = expectation();
    g_auto(stamp_t) out = {0};
    g_autofree char *text = stamp_sign(keys, &stamp, RECIPIENTS);

    assert_int_equal(stamp_verify(keys, text, strlen(text), &expect, &out), STAMP_OK);
    assert_string_equal(out.txn, TXN);
    assert_string_equal(out.login, "alice@example.org");
    assert_true(out.checked);
    assert_false(out.machine);
    assert_true(stamp_has_recipient(keys, &out, "+15551234567@SMS.example.org"));
    assert_true(stamp_has_recipient(keys, &out, "bob@example.com"));
    assert_false(stamp_has_recipient(keys, &out, "+15551234568@sms.example.org"));
    assert_null(strstr(text, "15551234567"));

    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++)
        assert_true(strlen(lines[i]) <= 77 && (i == 0 || lines[i][0] == ' '));
}

static void test_results(void **state)
{
    g_autoptr(stamp_keys_t) keys = stamp_keys_from_secret("k1", "secret", 6);
    g_autoptr(stamp_keys_t) other_id = stamp_keys_from_secret("k2", "secret", 6);
    g_autoptr(stamp_keys_t) other_key = stamp_keys_from_secret("k1", "Secret", 6);
    struct stamp stamp = sample();
    struct stamp_expect expect = expectation();
    g_auto(stamp_t) out = {0};
    g_autofree char *text = stamp_sign(keys, &stamp, RECIPIENTS);

    assert_int_equal(stamp_verify(keys, NULL, 0, &expect, &out), STAMP_MISSING);
    assert_int_equal(verify(keys, "", &expect), STAMP_MALFORMED);
    assert_int_equal(verify(keys, "v=1", &expect), STAMP_MALFORMED);
    assert_int_equal(verify(other_id, text, &expect), STAMP_UNKNOWN_KEY);
    assert_int_equal(verify(other_key, text, &expect), STAMP_BAD_MAC);
    expect.now = 1700000000 + 86401;
    assert_int_equal(verify(keys, text, &expect), STAMP_EXPIRED);
    expect.now = 1700000000 - 301;
    assert_int_equal(verify(keys, text, &expect), STAMP_FUTURE);
    expect = expectation();
    expect.sender = "bob@example.org";
    assert_int_equal(verify(keys, text, &expect), STAMP_OTHER_SENDER);
    expect = expectation();
    expect.from = "Alice@example.org";
    assert_int_equal(verify(keys, text, &expect), STAMP_OTHER_FROM);
    expect = expectation();
    expect.message_id = "<2@example.org>";
    assert_int_equal(verify(keys, text, &expect), STAMP_OTHER_MESSAGE);
    expect = expectation();
    expect.sender = expect.from = expect.message_id = NULL;
    assert_int_equal(verify(keys, text, &expect), STAMP_OK);
    expect.extra = "x";
    assert_int_equal(verify(keys, text, &expect), STAMP_BAD_MAC);
}

/* Each character of the field counts, but for the tokens, which are MACs of their own. */
static void test_every_character_counts(void **state)
{
    g_autoptr(stamp_keys_t) keys = stamp_keys_from_secret("k1", "secret", 6);
    struct stamp stamp = sample();
    struct stamp_expect expect = expectation();
    g_autofree char *text = stamp_sign(keys, &stamp, NULL);

    expect.sender = expect.from = expect.message_id = NULL;
    for (size_t i = 0; text[i] != '\0'; i++) {
        char kept = text[i];
        if (g_ascii_isspace(kept))
            continue;
        text[i] = kept == '1' ? '2' : '1';
        assert_int_not_equal(verify(keys, text, &expect), STAMP_OK);
        text[i] = kept;
    }
}

/* A token of one mail does not work in another, nor does a milter's stamp become a bridge's. */
static void test_tokens_are_bound(void **state)
{
    g_autoptr(stamp_keys_t) keys = stamp_keys_from_secret("k1", "secret", 6);
    struct stamp stamp = sample();
    struct stamp_expect expect = expectation();
    g_auto(stamp_t) out = {0};
    g_autofree char *text = stamp_sign(keys, &stamp, RECIPIENTS);

    assert_int_equal(stamp_verify(keys, text, strlen(text), &expect, &out), STAMP_OK);
    out.txn[0] = '1';
    assert_false(stamp_has_recipient(keys, &out, RECIPIENTS[0]));
    out.txn[0] = '0';
    out.kind = STAMP_BRIDGE;
    assert_false(stamp_has_recipient(keys, &out, RECIPIENTS[0]));
}

static void test_bridge(void **state)
{
    g_autoptr(stamp_keys_t) keys = stamp_keys_from_secret("k1", "secret", 6);
    g_autofree char *extra = stamp_extra("v=1,\r\n id=\"x\"", "conv"), *same = stamp_extra("v=1, id=\"x\"", "conv");
    struct stamp stamp = sample();
    struct stamp_expect expect = expectation();
    g_auto(stamp_t) out = {0};

    assert_string_equal(extra, same);
    stamp.kind = STAMP_BRIDGE;
    stamp.sender = TEXT("");
    stamp.extra = extra;
    g_autofree char *text = stamp_sign(keys, &stamp, RECIPIENTS);
    expect.sender = "";
    expect.extra = same;
    assert_int_equal(stamp_verify(keys, text, strlen(text), &expect, &out), STAMP_OK);
    assert_int_equal(out.kind, STAMP_BRIDGE);
    expect.extra = "v=1, id=\"y\"\nconv";
    assert_int_equal(verify(keys, text, &expect), STAMP_BAD_MAC);
}

static void test_unicode_and_many(void **state)
{
    g_autoptr(stamp_keys_t) keys = stamp_keys_from_secret("k1", "secret", 6);
    struct stamp stamp = sample();
    struct stamp_expect expect = expectation();
    g_auto(stamp_t) out = {0};
    g_auto(GStrv) many = g_new0(char *, 1001);

    for (int i = 0; i < 1000; i++)
        many[i] = g_strdup_printf("+1555%07d@sms.example.org", i);
    stamp.login = TEXT("j\xc3\xb6rg\"\\");
    stamp.machine = true;
    stamp.checked = false;
    g_autofree char *text = stamp_sign(keys, &stamp, (const char *const *)many);
    assert_true(strlen(text) < 32768);
    assert_int_equal(stamp_verify(keys, text, strlen(text), &expect, &out), STAMP_OK);
    assert_string_equal(out.login, stamp.login);
    assert_true(out.machine && !out.checked);
    assert_true(stamp_has_recipient(keys, &out, many[999]));
}

static void test_speed(void **state)
{
    g_autoptr(stamp_keys_t) keys = stamp_keys_from_secret("k1", "secret", 6);
    struct stamp stamp = sample();
    struct stamp_expect expect = expectation();
    const int rounds = 20000;
    gint64 start = ump_clock_mono_us(), middle;
    g_autofree char *text = stamp_sign(keys, &stamp, RECIPIENTS);

    for (int i = 0; i < rounds; i++) {
        g_autofree char *again = stamp_sign(keys, &stamp, RECIPIENTS);
        assert_non_null(again);
    }
    middle = ump_clock_mono_us();
    for (int i = 0; i < rounds; i++) {
        g_auto(stamp_t) out = {0};
        assert_int_equal(stamp_verify(keys, text, strlen(text), &expect, &out), STAMP_OK);
        assert_true(stamp_has_recipient(keys, &out, RECIPIENTS[0]));
    }
    print_message("sign %.1f us, verify %.1f us\n", (double)(middle - start) / rounds,
                  (double)(ump_clock_mono_us() - middle) / rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign_and_verify),        cmocka_unit_test(test_results),
        cmocka_unit_test(test_every_character_counts), cmocka_unit_test(test_tokens_are_bound),
        cmocka_unit_test(test_bridge),                 cmocka_unit_test(test_unicode_and_many),
        cmocka_unit_test(test_speed),
    };

    return cmocka_run_group_tests_name("stamp", tests, NULL, NULL);
}
