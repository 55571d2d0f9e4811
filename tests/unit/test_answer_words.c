/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/answer_words.h"

#include "unit.h"

static const struct {
    const char *text;
    enum answer_word meaning;
} cases[] = {
    {"send", ANSWER_SEND}, {"SEND", ANSWER_SEND}, {"Send.", ANSWER_SEND}, {" send \n", ANSWER_SEND}, {"\"send\"", ANSWER_SEND},
    {"»Send«", ANSWER_SEND}, {"Send!!! 👍", ANSWER_SEND}, {"*send*", ANSWER_SEND}, {"ｓｅｎｄ", ANSWER_SEND},
    {"\xc2\xa0Send\xc2\xa0", ANSWER_SEND}, {"Yes, send it.", ANSWER_SEND}, {"Please send", ANSWER_SEND}, {"Senden", ANSWER_SEND},
    {"ABSCHICKEN!", ANSWER_SEND}, {"Envoyer", ANSWER_SEND}, {"Envía", ANSWER_SEND}, {"ENVI\xcc\x81" "A", ANSWER_SEND},
    {"Отправить", ANSWER_SEND}, {"GÖNDER", ANSWER_SEND}, {"送信", ANSWER_SEND}, {"发送。", ANSWER_SEND}, {"إرسال", ANSWER_SEND},
    {"שלח", ANSWER_SEND}, {"भेजें", ANSWER_SEND},
    {"cancel", ANSWER_CANCEL}, {"Cancel.", ANSWER_CANCEL}, {"Don’t send", ANSWER_CANCEL}, {"don't send!", ANSWER_CANCEL},
    {"Abbrechen", ANSWER_CANCEL}, {"Отмена", ANSWER_CANCEL}, {"取消", ANSWER_CANCEL}, {"do not send", ANSWER_CANCEL},
    {"RESEND", ANSWER_RESEND}, {"Send again.", ANSWER_RESEND}, {"renvoyer", ANSWER_RESEND},
    {"ok", ANSWER_CONSENT}, {"Yes!", ANSWER_CONSENT}, {"ja", ANSWER_CONSENT}, {"👍", ANSWER_CONSENT}, {"No.", ANSWER_CONSENT},
    {"send\n\nAlice", ANSWER_CONSENT}, {"Send.\nHello Bob", ANSWER_CONSENT}, {"cancel\n\nHello", ANSWER_CONSENT},
    {"Hello Bob", ANSWER_TEXT}, {"send me the file", ANSWER_TEXT}, {"Hello\nsend", ANSWER_TEXT}, {"sending", ANSWER_TEXT},
    {"yes\nsee you at noon", ANSWER_TEXT}, {"ok, see you", ANSWER_TEXT}, {"sen d", ANSWER_TEXT}, {"send2", ANSWER_TEXT},
    {"I would like you to cancel it because it makes no sense to me at all, thanks", ANSWER_TEXT},
};

static void test_words(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        if (answer_word_of(cases[i].text) != cases[i].meaning)
            fail_msg("\"%s\" is read as %d", cases[i].text, answer_word_of(cases[i].text));
    g_autofree char *endless = g_strnfill(1000000, 's');
    assert_int_equal(answer_word_of(endless), ANSWER_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words)};

    return cmocka_run_group_tests_name("answer_words", tests, NULL, NULL);
}
