/* SPDX-License-Identifier: Apache-2.0 */
/* The words are data: one line per language would hide which are the same, so one list per meaning. */
#include "lmtp/answer_words.h"

#include <stdbool.h>
#include <string.h>

#define LONGEST 60 /* characters; what is longer is no command */

static const char *const send_words[] = {
    "send", "send it", "send this", "please send", "please send it", "send please", "yes send", "yes send it", "ok send",
    "send as is", "send it as it is", "send it as it stands",
    "senden", "absenden", "abschicken", "sende", "schicken", "bitte senden", "ja senden",
    "envoyer", "envoie", "envoyez", "oui envoyer", "enviar", "envía", "envia", "envíalo", "envie", "sí enviar",
    "invia", "inviare", "spedisci", "verzenden", "verzend", "versturen", "verstuur", "stuur",
    "skicka", "sänd", "lähetä", "saada", "sūtīt", "siųsti", "wyślij", "wyslij", "odeslat", "odešli", "odoslať", "pošli",
    "pošalji", "pošlji", "пошаљи", "küld", "küldd", "küldés", "trimite", "изпрати",
    "отправить", "отправь", "отправляй", "надіслати", "відправити", "αποστολή", "στείλε", "gönder",
    "إرسال", "أرسل", "ارسال", "שלח", "שלחי", "भेजें", "भेजो", "পাঠান", "ส่ง", "gửi", "kirim", "hantar",
    "送信", "送る", "发送", "發送", "傳送", "寄出", "보내기", "전송", NULL};

static const char *const cancel_words[] = {
    "cancel", "cancel it", "please cancel", "cancel please", "do not send", "don't send", "don't send it", "discard",
    "abbrechen", "verwerfen", "stornieren", "nicht senden", "annuler", "cancelar", "annulla", "annullare", "annuleren",
    "annuleer", "avbryt", "annuller", "annullér", "peruuta", "peru", "anuluj", "zrušit", "zruš", "zrušiť", "mégse",
    "otkaži", "откажи", "anulează", "anuleaza", "отмена", "отменить", "отмени", "скасувати", "ακύρωση", "iptal", "إلغاء",
    "لغو", "בטל", "ביטול", "रद्द करें", "বাতিল", "ยกเลิก", "hủy", "batal", "キャンセル", "取消", "取り消し", "취소", NULL};

static const char *const resend_words[] = {
    "resend", "resend it", "please resend", "send again", "send it again", "erneut senden", "nochmal senden",
    "nochmals senden", "renvoyer", "reenviar", "reinvia", "opnieuw verzenden", "opnieuw sturen", "skicka igen",
    "send igjen", "send igen", "lähetä uudelleen", "wyślij ponownie", "odeslat znovu", "отправить снова",
    "отправить повторно", "надіслати знову", "tekrar gönder", "إعادة الإرسال", "再送信", "再送", "重新发送", "重新發送",
    "重发", "다시 보내기", "재전송", NULL};

static const char *const consent_words[] = {
    "yes", "yes please", "y", "yep", "ok", "okay", "k", "go", "go ahead", "confirm", "confirmed", "fine", "sure", "no", "n",
    "nope", "stop", "ja", "ja bitte", "nein", "bestätigt", "oui", "non", "d'accord", "si", "sí", "sì", "sim", "não", "nao",
    "nee", "nej", "nei", "joo", "kyllä", "ei", "tak", "nie", "ano", "ne", "igen", "nem", "da", "nu", "да", "нет", "так",
    "ні", "ναι", "όχι", "evet", "hayır", "tamam", "نعم", "لا", "כן", "לא", "हाँ", "नहीं", "はい", "いいえ", "是", "好", "好的",
    "不", "네", "예", "아니요", NULL};

static bool is_part(gunichar c)
{
    return g_unichar_isalnum(c) || g_unichar_ismark(c);
}

/* Folded; without what is no letter at both ends; runs of blanks and marks between words are one blank, an apostrophe
 * stays.  NULL: too long. */
static char *squeeze(const char *text)
{
    g_autofree char *normal = g_utf8_normalize(text, -1, G_NORMALIZE_NFKC);
    g_autofree char *folded = normal ? g_utf8_casefold(normal, -1) : NULL;
    GString *out = g_string_new(NULL);
    bool gap = false;
    glong n = 0;

    for (const char *p = folded ? folded : ""; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == 0x2019)
            c = '\'';
        if (!is_part(c) && !(c == '\'' && out->len > 0 && !gap)) {
            gap = true;
            continue;
        }
        if (gap && out->len > 0)
            g_string_append_c(out, ' ');
        gap = false;
        g_string_append_unichar(out, c);
        if (++n > LONGEST) {
            g_string_free(out, TRUE);
            return NULL;
        }
    }
    while (out->len > 0 && (out->str[out->len - 1] == '\'' || out->str[out->len - 1] == ' '))
        g_string_truncate(out, out->len - 1);
    return g_string_free(out, FALSE);
}

static bool has_word(const char *const *words, const char *key)
{
    for (; *words; words++) {
        g_autofree char *word = squeeze(*words);
        if (g_strcmp0(word, key) == 0)
            return true;
    }
    return false;
}

static enum answer_word look_up(const char *text)
{
    static const struct {
        const char *const *words;
        enum answer_word meaning;
    } lists[] = {{send_words, ANSWER_SEND}, {cancel_words, ANSWER_CANCEL}, {resend_words, ANSWER_RESEND},
                 {consent_words, ANSWER_CONSENT}};
    g_autofree char *key = squeeze(text);

    if (!key)
        return ANSWER_TEXT;
    if (*key == '\0')
        return ANSWER_CONSENT; /* emoji alone */
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        if (has_word(lists[i].words, key))
            return lists[i].meaning;
    return ANSWER_TEXT;
}

enum answer_word answer_word_of(const char *text)
{
    g_autofree char *clean = g_strstrip(g_strdup(text));
    enum answer_word whole = look_up(clean);
    char *end = strchr(clean, '\n');

    if (whole != ANSWER_TEXT || !end)
        return whole;
    *end = '\0';
    return look_up(clean) < ANSWER_CONSENT ? ANSWER_CONSENT : ANSWER_TEXT;
}
