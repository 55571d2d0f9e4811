/* SPDX-License-Identifier: Apache-2.0 */
#include "core/smtp_path.h"

#include "unit.h"

static enum smtp_path_result parse(const char *text, guint flags, struct smtp_path *out)
{
    return smtp_path_parse(text, strlen(text), flags, out);
}

static void test_paths(void **state)
{
    static const struct {
        const char *text, *local, *domain, *address;
    } cases[] = {
        {"<alice@example.org>", "alice", "example.org", "alice@example.org"},
        {" <alice@Example.ORG>", "alice", "example.org", "alice@example.org"},
        {"<+15551234567@sms.example.org>", "+15551234567", "sms.example.org", "+15551234567@sms.example.org"},
        {"<a.b.c+x=y@example.org>", "a.b.c+x=y", "example.org", "a.b.c+x=y@example.org"},
        {"<\"a b\"@example.org>", "a b", "example.org", "\"a b\"@example.org"},
        {"<\"a\\\"b\\\\\"@example.org>", "a\"b\\", "example.org", "\"a\\\"b\\\\\"@example.org"},
        {"<\"alice\"@example.org>", "alice", "example.org", "alice@example.org"},
        {"<\"a@b\"@example.org>", "a@b", "example.org", "\"a@b\"@example.org"},
        {"<@a.org,@b.org:alice@example.org>", "alice", "example.org", "alice@example.org"},
        {"<alice@[192.0.2.1]>", "alice", "[192.0.2.1]", "alice@[192.0.2.1]"},
        {"<alice@[IPv6:2001:db8::1]>", "alice", "[IPv6:2001:db8::1]", "alice@[IPv6:2001:db8::1]"},
        {"<Postmaster>", "Postmaster", "", "Postmaster"},
        {"<!#$%&'*+-/=?^_`{|}~@x.org>", "!#$%&'*+-/=?^_`{|}~", "x.org", "!#$%&'*+-/=?^_`{|}~@x.org"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(smtp_path_t) path = {0};
        enum smtp_path_result result = parse(cases[i].text, SMTP_PATH_RCPT, &path);
        if (result != SMTP_PATH_OK)
            fail_msg("%s: %d", cases[i].text, result);
        assert_string_equal(path.local, cases[i].local);
        assert_string_equal(path.domain, cases[i].domain);
        assert_string_equal(path.address, cases[i].address);
        assert_int_equal(path.source_route, strchr(cases[i].text, ',') != NULL);
    }
}

static void test_bad_paths(void **state)
{
    static const char *const cases[] = {
        "", "<", ">", "alice@example.org", "<>", "<alice>", "<@example.org>", "<alice@>", "<\"\"@example.org>",
        "<\"\">", "<.a@example.org>", "<a.@example.org>", "<a..b@example.org>", "<a b@example.org>",
        "<a@b@example.org>", "<alice@exa mple.org>", "<alice@-x.org>", "<alice@x-.org>", "<alice@x..org>",
        "<alice@.org>", "<alice@example.org.>", "<alice@[1.2.3]>", "<alice@[IPv6:x]>", "<alice@[x]>",
        "<@a.org:>", "<@a.org alice@example.org>", "<a,b@example.org>", "<alice@example.org", "<<alice@example.org>>",
        "<alice@example.org>x", "<\"a\rb\"@example.org>", "<\"a@example.org>", "<a\\b@example.org>", "<(x)a@example.org>",
        "<a@example.org>\r\nRCPT TO:<b@example.org>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct smtp_path path = {0};
        enum smtp_path_result result = parse(cases[i], SMTP_PATH_RCPT | SMTP_PATH_ALLOW_UTF8, &path);
        if (result == SMTP_PATH_OK)
            fail_msg("%s", cases[i]);
        assert_null(path.address);
    }
    struct smtp_path path = {0};
    assert_int_not_equal(smtp_path_parse("<a\0b@x.org>", 11, SMTP_PATH_RCPT, &path), SMTP_PATH_OK);
}

static void test_lengths(void **state)
{
    g_autofree char *local = g_strnfill(64, 'a'), *label = g_strnfill(63, 'b'), *over = g_strnfill(65, 'a');
    g_autofree char *good = g_strdup_printf("<%s@%s.org>", local, label);
    g_autofree char *bad_local = g_strdup_printf("<%s@x.org>", over);
    g_autofree char *bad_domain = g_strdup_printf("<a@%s.%s.%s.%s.org>", label, label, label, label);
    g_autofree char *huge = g_strnfill(100000, 'a');
    g_auto(smtp_path_t) path = {0};

    assert_int_equal(parse(good, SMTP_PATH_RCPT, &path), SMTP_PATH_OK);
    assert_int_equal(parse(bad_local, SMTP_PATH_RCPT, &path), SMTP_PATH_TOO_LONG);
    assert_int_equal(parse(bad_domain, SMTP_PATH_RCPT, &path), SMTP_PATH_TOO_LONG);
    assert_int_equal(parse(huge, SMTP_PATH_RCPT, &path), SMTP_PATH_TOO_LONG);
}

static void test_mail_parameters(void **state)
{
    g_auto(smtp_path_t) path = {0}, null = {0};

    assert_int_equal(parse("<alice@x.org> SIZE=1234 body=8bitmime RET=HDRS ENVID=a+2Bb AUTH=<>", SMTP_PATH_MAIL, &path),
                     SMTP_PATH_OK);
    assert_int_equal(path.size, 1234);
    assert_int_equal(path.body, SMTP_BODY_8BITMIME);
    assert_int_equal(path.ret, SMTP_RET_HDRS);
    assert_string_equal(path.envid, "a+b");
    assert_int_equal(parse("<>", SMTP_PATH_MAIL, &null), SMTP_PATH_OK);
    assert_true(null.null);
    assert_int_equal(null.size, -1);
}

static void test_rcpt_parameters(void **state)
{
    g_auto(smtp_path_t) path = {0}, quoted = {0};

    assert_int_equal(parse("<bob@x.org> NOTIFY=SUCCESS,failure ORCPT=rfc822;+2B15551234567@sms.x.org", SMTP_PATH_RCPT, &path),
                     SMTP_PATH_OK);
    assert_int_equal(path.notify, SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE);
    assert_string_equal(path.orcpt_type, "rfc822");
    assert_string_equal(path.orcpt, "+15551234567@sms.x.org");
    assert_int_equal(parse("<bob@x.org> ORCPT=rfc822;\"a+20b\"@x.org", SMTP_PATH_RCPT, &quoted), SMTP_PATH_OK);
    assert_string_equal(quoted.orcpt, "\"a b\"@x.org");
}

static void test_bad_parameters(void **state)
{
    static const struct {
        const char *text;
        guint flags;
        enum smtp_path_result result;
    } cases[] = {
        {"<a@x.org> SIZE=", SMTP_PATH_MAIL, SMTP_PATH_PARAMETER},
        {"<a@x.org> SIZE=-1", SMTP_PATH_MAIL, SMTP_PATH_PARAMETER},
        {"<a@x.org> SIZE=123456789012345678901", SMTP_PATH_MAIL, SMTP_PATH_PARAMETER},
        {"<a@x.org> BODY=BINARYMIME", SMTP_PATH_MAIL, SMTP_PATH_PARAMETER},
        {"<a@x.org> SMTPUTF8=1", SMTP_PATH_MAIL, SMTP_PATH_PARAMETER},
        {"<a@x.org> FOO=1", SMTP_PATH_MAIL, SMTP_PATH_UNKNOWN},
        {"<a@x.org> NOTIFY=NEVER", SMTP_PATH_MAIL, SMTP_PATH_UNKNOWN},
        {"<a@x.org> SIZE=1", SMTP_PATH_RCPT, SMTP_PATH_UNKNOWN},
        {"<a@x.org> SIZE=1 SIZE=2", SMTP_PATH_MAIL, SMTP_PATH_TWICE},
        {"<a@x.org> SIZE=1SIZE=2", SMTP_PATH_MAIL, SMTP_PATH_PARAMETER},
        {"<a@x.org> NOTIFY=NEVER,SUCCESS", SMTP_PATH_RCPT, SMTP_PATH_PARAMETER},
        {"<a@x.org> NOTIFY=,", SMTP_PATH_RCPT, SMTP_PATH_PARAMETER},
        {"<a@x.org> ORCPT=foo", SMTP_PATH_RCPT, SMTP_PATH_PARAMETER},
        {"<a@x.org> ORCPT=rfc822;a+0Ab@x.org", SMTP_PATH_RCPT, SMTP_PATH_PARAMETER},
        {"<a@x.org> ORCPT=rfc822;a+2bb@x.org", SMTP_PATH_RCPT, SMTP_PATH_PARAMETER},
        {"<a@x.org> ENVID=+", SMTP_PATH_MAIL, SMTP_PATH_PARAMETER},
        {"<a@x.org> =x", SMTP_PATH_MAIL, SMTP_PATH_PARAMETER},
        {"<a@x.org>SIZE=1", SMTP_PATH_MAIL, SMTP_PATH_SYNTAX},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct smtp_path path = {0};
        enum smtp_path_result result = parse(cases[i].text, cases[i].flags, &path);
        if (result != cases[i].result)
            fail_msg("%s: %d", cases[i].text, result);
        assert_non_null(smtp_path_reply(result, cases[i].flags));
    }
    g_auto(smtp_path_t) big = {0};
    assert_int_equal(parse("<a@x.org> SIZE=99999999999999999999", SMTP_PATH_MAIL, &big), SMTP_PATH_OK);
    assert_int_equal(big.size, G_MAXINT64);
}

static void test_utf8(void **state)
{
    const char *text = "<j\xc3\xb6rg@b\xc3\xbc" "cher.example>";
    struct smtp_path none = {0};
    g_auto(smtp_path_t) mail = {0}, rcpt = {0};
    g_autofree char *with = g_strconcat(text, " SMTPUTF8", NULL);

    assert_int_equal(parse(text, SMTP_PATH_MAIL, &none), SMTP_PATH_UTF8);
    assert_int_equal(parse(with, SMTP_PATH_MAIL, &mail), SMTP_PATH_OK);
    assert_true(mail.utf8 && mail.smtputf8);
    assert_int_equal(parse(text, SMTP_PATH_RCPT, &none), SMTP_PATH_UTF8);
    assert_int_equal(parse(text, SMTP_PATH_RCPT | SMTP_PATH_ALLOW_UTF8, &rcpt), SMTP_PATH_OK);
    assert_int_equal(parse("<\xff@x.org>", SMTP_PATH_RCPT | SMTP_PATH_ALLOW_UTF8, &none), SMTP_PATH_SYNTAX);
}

static void test_bare_address(void **state)
{
    g_auto(smtp_path_t) path = {0};
    struct smtp_path none = {0};

    assert_int_equal(smtp_address_parse("a@x.org", 7, false, &path), SMTP_PATH_OK);
    assert_int_not_equal(smtp_address_parse("a@x.org b", 9, false, &none), SMTP_PATH_OK);
    assert_int_not_equal(smtp_address_parse("@y:a@x.org", 10, false, &none), SMTP_PATH_OK);
    assert_int_not_equal(smtp_address_parse("postmaster", 10, false, &none), SMTP_PATH_OK);
}

static void test_xtext(void **state)
{
    g_autofree char *text = smtp_xtext_encode("a+b=c d\xc3\xbc");
    g_autofree char *back = NULL;

    assert_string_equal(text, "a+2Bb+3Dc+20d+C3+BC");
    assert_true(smtp_xtext_decode(text, strlen(text), &back));
    assert_string_equal(back, "a+b=c d\xc3\xbc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),           cmocka_unit_test(test_bad_paths),
        cmocka_unit_test(test_lengths),         cmocka_unit_test(test_mail_parameters),
        cmocka_unit_test(test_rcpt_parameters), cmocka_unit_test(test_bad_parameters),
        cmocka_unit_test(test_utf8),            cmocka_unit_test(test_bare_address),
        cmocka_unit_test(test_xtext),
    };

    return cmocka_run_group_tests_name("smtp_path", tests, NULL, NULL);
}
