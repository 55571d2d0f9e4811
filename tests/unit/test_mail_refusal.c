/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mail_refusal.h"

#include "unit.h"

#define HEAD "From: a@msgs.test\r\nTo: b@sms.msgs.test\r\nMIME-Version: 1.0\r\n"
#define MIXED HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n"

static const struct {
    const char *name, *mail;
    bool has_text;
    enum mail_refusal refusal;
} cases[] = {
    {"plain", HEAD "\r\nhello\r\n", true, MAIL_REFUSAL_NONE},
    {"PGP/MIME",
     HEAD "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=x\r\n\r\n--x\r\n"
          "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--x\r\nContent-Type: application/octet-stream\r\n\r\n"
          "-----BEGIN PGP MESSAGE-----\r\n--x--\r\n", false, MAIL_REFUSAL_ENCRYPTED},
    {"S/MIME", HEAD "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\r\nMIIB\r\n", false,
     MAIL_REFUSAL_ENCRYPTED},
    {"inline PGP", HEAD "\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n-----END PGP MESSAGE-----\r\n", true,
     MAIL_REFUSAL_ENCRYPTED},
    {"quoted inline PGP", HEAD "\r\nhello\r\n\r\n> -----BEGIN PGP MESSAGE-----\r\n> hQEM\r\n", true, MAIL_REFUSAL_NONE},
    {"invitation", MIXED "When: noon\r\n--x\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n"
                         "METHOD:REQUEST\r\nEND:VCALENDAR\r\n--x--\r\n", true, MAIL_REFUSAL_INVITATION},
    {"answer to an invitation", MIXED "Accepted\r\n--x\r\nContent-Type: text/calendar\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                                      "QkVHSU46VkNBTEVOREFSDQpNRVRIT0Q6UkVQTFkNCkVORDpWQ0FMRU5EQVINCg==\r\n--x--\r\n", true,
     MAIL_REFUSAL_INVITATION},
    {"a calendar file", MIXED "See the date\r\n--x\r\nContent-Type: text/calendar\r\nContent-Disposition: attachment; filename=a.ics\r\n"
                              "\r\nBEGIN:VCALENDAR\r\nX-METHOD:REQUEST\r\nEND:VCALENDAR\r\n--x--\r\n", true, MAIL_REFUSAL_NONE},
    {"winmail.dat alone", HEAD "Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nx\r\n", false, MAIL_REFUSAL_WINMAIL},
    {"winmail.dat beside text", MIXED "hello\r\n--x\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n\r\nx\r\n--x--\r\n", true,
     MAIL_REFUSAL_NONE},
};

static void test_refusals(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(parsed_mail) mail = NULL;
        assert_int_equal(mail_parse(cases[i].mail, strlen(cases[i].mail), NULL, &mail, NULL), 0);
        if (mail_refusal_of(mail, cases[i].has_text) != cases[i].refusal)
            fail_msg("%s: %d", cases[i].name, mail_refusal_of(mail, cases[i].has_text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refusals)};

    return cmocka_run_group_tests_name("mail_refusal", tests, NULL, NULL);
}
