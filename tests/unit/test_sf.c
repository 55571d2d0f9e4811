/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sf.h"

#include "unit.h"

struct pair {
    const char *text, *canonical; /* canonical NULL: malformed */
};

static void check_dictionary(const struct pair *pair)
{
    g_auto(sf_t) sf = {0};
    bool good = sf_parse_dictionary(pair->text, strlen(pair->text), &sf);

    if (good != (pair->canonical != NULL))
        fail_msg("dictionary %s", pair->text);
    if (!good)
        return;
    g_autofree char *again = sf_serialise_dictionary(&sf);
    assert_string_equal(again, pair->canonical);
}

/* After the test suite of the HTTP working group. */
static void test_dictionaries(void **state)
{
    static const struct pair cases[] = {
        {"", ""},
        {"  ", ""},
        {"en=\"Applepie\", da=:w4ZibGV0w6ZydGUK:", "en=\"Applepie\", da=:w4ZibGV0w6ZydGUK:"},
        {"a=?0, b, c; foo=bar", "a=?0, b, c;foo=bar"},
        {"rating=1.5, feelings=(joy sadness)", "rating=1.5, feelings=(joy sadness)"},
        {"a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid", "a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid"},
        {"a=1,b=2,a=3", "a=3, b=2"},
        {"a=1 \t, \tb=2", "a=1, b=2"},
        {"a=1,", NULL},
        {"a=1,,b=2", NULL},
        {"a=1 b=2", NULL},
        {"A=1", NULL},
        {"a=", NULL},
        {"=1", NULL},
        {"\ta=1", NULL},
        {"*a-._9=1", "*a-._9=1"},
        {"a=\"x\ty\"", NULL},
        {"a=\"\xc3\xbc\"", NULL},
        {"a=@1659578233", "a=@1659578233"},
        {"a=@1659578233.5", NULL},
        {"a=%\"f%c3%bc%c3%bc\"", "a=%\"f%c3%bc%c3%bc\""},
        {"a=%\"f%C3%BC\"", NULL},
        {"a=%\"f%c3\"", NULL},
        {"a=%\"f%c\"", NULL},
        {"a=%\"f%00\"", NULL},
        {"a=%\"f", NULL},
        {"a=%f", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check_dictionary(&cases[i]);
}

static void test_lists(void **state)
{
    static const struct pair cases[] = {
        {"", ""},
        {"1, 42", "1, 42"},
        {"a , b", "a, b"},
        {"(\"foo\" \"bar\"), (\"baz\"), (\"bat\" \"one\"), ()", "(\"foo\" \"bar\"), (\"baz\"), (\"bat\" \"one\"), ()"},
        {"(\"foo\"; a=1;b=2);lvl=5, (\"bar\" \"baz\");lvl=1", "(\"foo\";a=1;b=2);lvl=5, (\"bar\" \"baz\");lvl=1"},
        {"abc;a=1;b=2; cde_456, (ghi;jk=4 l);q=\"9\";r=w", "abc;a=1;b=2;cde_456, (ghi;jk=4 l);q=\"9\";r=w"},
        {"( 1  2 )", "(1 2)"},
        {"(1 2", NULL},
        {"(1,2)", NULL},
        {"(1\t2)", NULL},
        {"-0", "0"},
        {"00", "0"},
        {"-15", "-15"},
        {"999999999999999", "999999999999999"},
        {"9999999999999999", NULL},
        {"1.0", "1.0"},
        {"1.250", "1.25"},
        {"-0.5", "-0.5"},
        {"1.", NULL},
        {"1.2345", NULL},
        {"1234567890123.1", NULL},
        {"--1", NULL},
        {"?1", "?1"},
        {"?T", NULL},
        {":aGVsbG8=:", ":aGVsbG8=:"},
        {":aGVsbG8:", ":aGVsbG8=:"},
        {":aGVsb G8=:", NULL},
        {":aGVsbG8=", NULL},
        {"::", "::"},
        {"\"b\\\"a\\\\r\"", "\"b\\\"a\\\\r\""},
        {"\"\\x\"", NULL},
        {"\"open", NULL},
        {"*foo:bar/baz", "*foo:bar/baz"},
        {"3d", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(sf_t) sf = {0};
        bool good = sf_parse_list(cases[i].text, strlen(cases[i].text), &sf);
        if (good != (cases[i].canonical != NULL))
            fail_msg("list %s", cases[i].text);
        if (!good)
            continue;
        g_autofree char *again = sf_serialise_list(&sf);
        assert_string_equal(again, cases[i].canonical);
    }
}

static void test_item(void **state)
{
    g_auto(sf_t) sf = {0};

    assert_true(sf_parse_item(" text;a ", 8, &sf));
    assert_string_equal(sf_member(&sf, 0)->value.text, "text");
    assert_false(sf_parse_item("a b", 3, &sf));
    assert_false(sf_parse_item("", 0, &sf));
}

static void test_look_up(void **state)
{
    g_auto(sf_t) sf = {0};
    const char *text = "a=1, b=\"x\", c=tok, d=%\"%c3%bc\", e, f=1.5";

    assert_true(sf_parse_dictionary(text, strlen(text), &sf));
    assert_int_equal(sf_count(&sf), 6);
    assert_int_equal(sf_get_integer(&sf, "a", 9), 1);
    assert_int_equal(sf_get_integer(&sf, "b", 9), 9);
    assert_int_equal(sf_get_integer(&sf, "f", 9), 9);
    assert_string_equal(sf_get_text(&sf, "b"), "x");
    assert_string_equal(sf_get_text(&sf, "c"), "tok");
    assert_string_equal(sf_get_text(&sf, "d"), "\xc3\xbc");
    assert_null(sf_get_text(&sf, "a"));
    assert_null(sf_get_text(&sf, "z"));
    assert_true(sf_get_boolean(&sf, "e", false));
    assert_null(sf_member(&sf, 6));
}

static void test_builder(void **state)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(sf_t) sf = {0};

    sf_put_key(out, "v");
    sf_put_integer(out, -5);
    sf_put_key(out, "s");
    sf_put_text(out, "say \"hi\" \\");
    sf_put_key(out, "d");
    sf_put_text(out, "100% \xc3\xbc\xff");
    sf_put_key(out, "t");
    sf_put_token(out, "sms");
    sf_put_key(out, "n");
    sf_put_token(out, "12 34");
    sf_put_key(out, "b");
    sf_put_boolean(out, false);
    sf_put_key(out, "x");
    sf_put_bytes(out, "\0\1\2\3", 4);
    assert_string_equal(out->str, "v=-5, s=\"say \\\"hi\\\" \\\\\", d=%\"100%25 %c3%bc%ef%bf%bd\", t=sms, n=\"12 34\", b=?0, "
                                  "x=:AAECAw==:");
    assert_true(sf_parse_dictionary(out->str, out->len, &sf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dictionaries), cmocka_unit_test(test_lists),   cmocka_unit_test(test_item),
        cmocka_unit_test(test_look_up),      cmocka_unit_test(test_builder),
    };

    return cmocka_run_group_tests_name("sf", tests, NULL, NULL);
}
