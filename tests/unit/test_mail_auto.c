/* SPDX-License-Identifier: Apache-2.0 */
/* Automatic mail (FAILURES T12): each header alone, and the From rule (T05). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "core/mail_auto.h"
#include "core/mail_from.h"

static void classes(void **state)
{
    static const struct {
        const char *name, *value;
        enum mail_auto_class class;
    } cases[] = {
        {"Subject", "Automatic for the people", MAIL_AUTO_NONE},
        {"Auto-Submitted", "no", MAIL_AUTO_NONE},
        {"Auto-Submitted", " No (really)", MAIL_AUTO_NONE},
        {"Auto-Submitted", "auto-generated", MAIL_AUTO_GENERATED},
        {"auto-submitted", "auto-replied; owner-email=\"a@b\"", MAIL_AUTO_REPLIED},
        {"Auto-Submitted", "\r\n auto-replied", MAIL_AUTO_REPLIED},
        {"Auto-Submitted", "auto-notified", MAIL_AUTO_GENERATED},
        {"Auto-Submitted", "", MAIL_AUTO_GENERATED},
        {"Precedence", "bulk", MAIL_AUTO_GENERATED},
        {"Precedence", "List", MAIL_AUTO_GENERATED},
        {"Precedence", "junk", MAIL_AUTO_GENERATED},
        {"Precedence", "auto_reply", MAIL_AUTO_REPLIED},
        {"Precedence", "first-class", MAIL_AUTO_NONE},
        {"List-Id", "<x.example.org>", MAIL_AUTO_GENERATED},
        {"LIST-UNSUBSCRIBE", "<mailto:x>", MAIL_AUTO_GENERATED},
        {"X-Auto-Response-Suppress", "All", MAIL_AUTO_GENERATED},
        {"X-Auto-Response-Suppress", "None", MAIL_AUTO_NONE},
        {"X-Autoreply", "yes", MAIL_AUTO_REPLIED},
        {"X-Autorespond", "vacation", MAIL_AUTO_REPLIED},
        {"X-Loop", "a@b", MAIL_AUTO_REPLIED},
        {"UMP-Loop", "gw.example.org", MAIL_AUTO_REPLIED},
        {"Return-Path", "<>", MAIL_AUTO_REPLIED},
        {"Return-Path", "<a@b>", MAIL_AUTO_NONE},
        {"Content-Type", "multipart/report; report-type=delivery-status", MAIL_AUTO_REPLIED},
        {"Content-Type", "text/plain", MAIL_AUTO_NONE},
        {"From", "Mail Delivery System <MAILER-DAEMON@mx.example.org>", MAIL_AUTO_REPLIED},
        {"From", "MAILER-DAEMON", MAIL_AUTO_REPLIED},
        {"From", "<no-reply@shop.example>", MAIL_AUTO_GENERATED},
        {"From", "\"No Reply\" <noreply+12@shop.example>", MAIL_AUTO_GENERATED},
        {"From", "nora@example.org", MAIL_AUTO_NONE},
        {"X-Failed-Recipients", "a@b", MAIL_AUTO_REPLIED},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct mail_auto a;
        mail_auto_init(&a, NULL);
        mail_auto_field(&a, "Received", "from x by y");
        mail_auto_field(&a, cases[i].name, cases[i].value);
        if (mail_auto_finish(&a) != cases[i].class)
            fail_msg("%s: %s is %s", cases[i].name, cases[i].value, mail_auto_class_name(a.class));
        assert_true((a.reason != NULL) == (a.class != MAIL_AUTO_NONE));
    }
}

static void envelope_and_loops(void **state)
{
    struct mail_auto a;
    mail_auto_init(&a, NULL);
    mail_auto_envelope(&a, "");
    assert_int_equal(mail_auto_finish(&a), MAIL_AUTO_REPLIED);
    mail_auto_init(&a, NULL);
    mail_auto_envelope(&a, "a@b");
    mail_auto_envelope(&a, NULL);
    assert_int_equal(mail_auto_finish(&a), MAIL_AUTO_NONE);
    for (int own = 2; own <= 3; own++) { /* more than 25 hops is a loop only when we are among them */
        mail_auto_init(&a, "gw.example.org");
        for (int i = 0; i < 26; i++)
            mail_auto_field(&a, "Received", i < own ? "from a (b [1.2.3.4])\r\n\tby gw.example.org (Postfix)" : "from x by gw.example.org.evil");
        assert_int_equal(mail_auto_finish(&a), own > 2 ? MAIL_AUTO_REPLIED : MAIL_AUTO_NONE);
    }
    /* the worst wins, in any order */
    mail_auto_init(&a, NULL);
    mail_auto_field(&a, "Auto-Submitted", "auto-replied");
    mail_auto_field(&a, "Precedence", "bulk");
    assert_int_equal(mail_auto_finish(&a), MAIL_AUTO_REPLIED);
    assert_string_equal(a.reason, "Auto-Submitted: auto-replied");
}

static void from_rule(void **state)
{
    static const struct {
        const char *value;
        enum mail_from_state state;
        const char *address;
    } cases[] = {
        {"a@example.org", MAIL_FROM_OK, "a@example.org"},
        {" <a@example.org> ", MAIL_FROM_OK, "a@example.org"},
        {"Alice <a@example.org>", MAIL_FROM_OK, "a@example.org"},
        {"\"Alice, the (first) <x>\" <a@example.org>", MAIL_FROM_OK, "a@example.org"},
        {"\"a@example.org\" <a@example.org>", MAIL_FROM_OK, "a@example.org"},
        {"=?utf-8?Q?J=C3=B6rg?= <joerg@example.org>", MAIL_FROM_OK, "joerg@example.org"},
        {"J\xc3\xb6rg <joerg@example.org>", MAIL_FROM_OK, "joerg@example.org"},
        {"a@example.org (Alice)", MAIL_FROM_OK, "a@example.org"},
        {"\"quoted local\"@example.org", MAIL_FROM_OK, "\"quoted local\"@example.org"},
        {"a.b+c@[192.0.2.1]", MAIL_FROM_OK, "a.b+c@[192.0.2.1]"},
        {"", MAIL_FROM_INVALID, NULL},
        {"<>", MAIL_FROM_INVALID, NULL},
        {"a@example.org, b@example.org", MAIL_FROM_MULTIPLE_ADDRESSES, NULL},
        {"<a@example.org> <b@example.org>", MAIL_FROM_MULTIPLE_ADDRESSES, NULL},
        {"a@example.org <b@example.org>", MAIL_FROM_INVALID, NULL},
        {"<a@example.org> b@example.org", MAIL_FROM_INVALID, NULL},
        {"a@example.org (b@example.net)", MAIL_FROM_INVALID, NULL},
        {"a@example.org (<b@example.net>)", MAIL_FROM_INVALID, NULL},
        {"team: a@example.org;", MAIL_FROM_GROUP, NULL},
        {"undisclosed-recipients:;", MAIL_FROM_GROUP, NULL},
        {"<@route:a@example.org>", MAIL_FROM_INVALID, NULL},
        {"<a@b@example.org>", MAIL_FROM_INVALID, NULL},
        {"=?utf-8?Q?a=40example.org?=", MAIL_FROM_INVALID, NULL},
        {"<=?utf-8?Q?a?=@example.org>", MAIL_FROM_INVALID, NULL},
        {"\xc3\xa4@example.org", MAIL_FROM_INVALID, NULL},
        {"a@ex ample.org", MAIL_FROM_INVALID, NULL},
        {"a@example..org", MAIL_FROM_INVALID, NULL},
        {".a@example.org", MAIL_FROM_INVALID, NULL},
        {"Alice <a@example.org", MAIL_FROM_INVALID, NULL},
        {"\"Alice <a@example.org>", MAIL_FROM_INVALID, NULL},
        {"(never closed a@example.org", MAIL_FROM_INVALID, NULL},
        {"Alice", MAIL_FROM_INVALID, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *address = NULL;
        enum mail_from_state got = mail_from_check(cases[i].value, 1, &address);
        if (got != cases[i].state || g_strcmp0(address, cases[i].address) != 0)
            fail_msg("\"%s\": %d %s", cases[i].value, got, address);
        assert_true((mail_from_sentence(got) == NULL) == (got == MAIL_FROM_OK));
    }
    char *none = NULL;
    assert_int_equal(mail_from_check("a@b", 2, &none), MAIL_FROM_MULTIPLE_FIELDS);
    assert_int_equal(mail_from_check(NULL, 0, &none), MAIL_FROM_MISSING);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),
        cmocka_unit_test(envelope_and_loops),
        cmocka_unit_test(from_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
