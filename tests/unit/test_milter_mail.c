/* SPDX-License-Identifier: Apache-2.0 */
/* What the milter notes of a mail, and which fields it takes out in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "milter/mail.h"

static const char *const domains[] = {"example.org", NULL};

static void test_concerns_gateway(void **state)
{
    static const struct {
        const char *address;
        bool gateway;
    } cases[] = {
        {"+15551234567@sms.example.org", true},
        {"+15551234567@SMS.Example.ORG", true},
        {"+15551234567@sms.example.org.", true},
        {"r.token@notice.example.org", true},
        {"x@any.example.org", true},
        {"alice@example.org", false},
        {"alice@mail.example.org", false},
        {"alice@sms.example.com", false},
        {"alice@xsms.example.org", false},
        {"+1555%sms.example.org@example.org", true},
        {"sms.example.org!+1555@example.org", true},
        {"\"+1555@sms.example.org\"@example.org", true},
        {"+1555@sms.example.org@example.org", true},
        {"100%cotton@example.org", false},
        {"a%b%sms.example.org@example.com", true},
        {"postmaster", false},
        {"", false},
    };
    const struct address_space space = {domains, NULL, "US"};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        if (mail_concerns_gateway(cases[i].address, &space) != cases[i].gateway)
            fail_msg("%s", cases[i].address);
}

static void test_brackets(void **state)
{
    static const char *const cases[][2] = {
        {"<a@b>", "a@b"}, {"a@b", "a@b"}, {"<>", ""}, {"", ""}, {"<@x,@y:a@b>", "a@b"},
        {"<\"a>b\"@c>", "\"a>b\"@c"}, {"<a@b", "a@b"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *bare = mail_strip_brackets(cases[i][0]);
        assert_string_equal(bare, cases[i][1]);
    }
}

/* Postfix's own rule: the nth field of that name, case ignored, counted anew after each removal. */
static void remove_field(GPtrArray *names, const struct mail_strip *strip)
{
    int seen = 0;
    for (guint i = 0; i < names->len; i++)
        if (g_ascii_strcasecmp(g_ptr_array_index(names, i), strip->name) == 0 && ++seen == strip->index) {
            g_ptr_array_remove_index(names, i);
            return;
        }
    fail_msg("no %s number %d", strip->name, strip->index);
}

static bool is_choice(const char *name)
{
    return g_ascii_strcasecmp(name, "UMP-From") == 0 || g_ascii_strcasecmp(name, "UMP-Template") == 0;
}

static void strip_random(GRand *dice)
{
    static const char *const pool[] = {"UMP-Stamp", "ump-stamp", "Ump-STAMP", "UMP-Header", "UMP-From", "ump-FROM",
                                       "UMP-Template", "UMP-", "UMP-\xc3\xa9", "ump-conversation-id", "Subject", "X-UMP-Y"};
    bool login = g_rand_boolean(dice);
    g_autoptr(mail_t) mail = mail_new("203.0.113.1", false, login ? "alice@example.org" : NULL, "a@b", NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    int count = g_rand_int_range(dice, 0, 65);
    for (int i = 0; i < count; i++) {
        const char *name = pool[g_rand_int_range(dice, 0, G_N_ELEMENTS(pool))];
        mail_add_field(mail, name, "x");
        g_ptr_array_add(names, (gpointer)name);
    }
    g_autoptr(GArray) strips = mail_stripped_fields(mail);
    for (guint i = 0; i < strips->len; i++)
        remove_field(names, &g_array_index(strips, struct mail_strip, i));
    int kept_from = 0;
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        if (g_ascii_strncasecmp(name, "UMP-", 4) != 0)
            continue;
        assert_true(login && is_choice(name));
        kept_from += g_ascii_strcasecmp(name, "UMP-From") == 0;
    }
    assert_true(kept_from <= 1);
}

static void test_strip(void **state)
{
    g_autoptr(GRand) dice = g_rand_new_with_seed(20261120);
    for (int i = 0; i < 10000; i++)
        strip_random(dice);
}

static void test_references(void **state)
{
    g_autoptr(mail_t) mail = mail_new(NULL, false, NULL, "", NULL);
    mail_add_field(mail, "References", "<1@a>\n <2@a> <3@a>");
    mail_add_field(mail, "In-Reply-To", " <3@a> ");
    g_auto(GStrv) ids = mail_references(mail);
    g_autofree char *joined = g_strjoinv(" ", ids);
    assert_string_equal(joined, "<3@a> <2@a> <1@a>");
}

static void test_source(void **state)
{
    g_autoptr(mail_t) mail = mail_new(NULL, false, NULL, "", NULL);
    mail_add_field(mail, "Subject", "a\n b");
    mail_add_body(mail, "text\r\n", 6);
    g_autoptr(GString) source = mail_source(mail);
    assert_string_equal(source->str, "Subject: a\r\n b\r\n\r\ntext\r\n");
    g_autofree char *big = g_malloc0(MAIL_BODY_KEPT);
    assert_false(mail->cut);
    mail_add_body(mail, big, MAIL_BODY_KEPT);
    assert_true(mail->cut);
    assert_int_equal(mail->body->len, MAIL_BODY_KEPT);
    assert_true(mail->size > MAIL_BODY_KEPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_concerns_gateway), cmocka_unit_test(test_brackets), cmocka_unit_test(test_strip),
        cmocka_unit_test(test_references),       cmocka_unit_test(test_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
