/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row a language.  Only words that a person sends alone to be left alone: what may as well be an answer
 * ("no", "cancel" of an appointment) does not belong here.
 */
#include "bridge/channels/opt_words.h"

#include <stddef.h>

const struct opt_words opt_words[] = {
    /* French; ARRET and AIDE are demanded in Canada */
    {"FR BE CA CH LU MC SN CI CM MA DZ TN", "arrêt|arrêter|arrêtez|stop sms|désabonner|désinscription", "démarrer|reprendre", "aide"},
    /* Spanish */
    {"ES MX US PR AR BO CL CO CR CU DO EC GT HN NI PA PE PY SV UY VE", "alto|parar|baja|dar de baja|detener", "alta|iniciar|empezar", "ayuda"},
    /* Portuguese */
    {"PT BR AO MZ CV", "parar|pare|sair|descadastrar|remover", "iniciar|voltar|começar", "ajuda"},
    /* German */
    {"DE AT CH LI LU BE", "stopp|abmelden|abbestellen|abmeldung", "anmelden|anmeldung", "hilfe"},
    /* Italian */
    {"IT CH SM VA", "ferma|fermare|basta|disiscrivi|disiscrivimi", "inizia|riprendi", "aiuto"},
    /* Dutch */
    {"NL BE SR", "stoppen|afmelden|uitschrijven", "aanmelden|starten", "hulp|help mij"},
    /* Danish, Norwegian, Swedish, Finnish */
    {"DK", "stop sms|afmeld|frameld", "tilmeld", "hjælp"},
    {"NO", "stopp|avslutt|avmeld|meld av", "påmeld|meld på", "hjelp"},
    {"SE FI", "stopp|stoppa|sluta|avsluta|avregistrera", "starta|börja", "hjälp"},
    {"FI", "lopeta|seis|peruuta tilaus", "aloita", "apua|ohje"},
    /* Polish, Czech, Slovak, Hungarian, Romanian */
    {"PL", "zatrzymaj|wypisz|rezygnuję|wyrejestruj", "wznów|zapisz", "pomoc"},
    {"CZ", "ukončit|odhlásit|zastavit", "přihlásit|začít", "pomoc"},
    {"SK", "ukončiť|odhlásiť|zastaviť", "prihlásiť|začať", "pomoc"},
    {"HU", "leállít|leiratkozás|leiratkozom|állj", "feliratkozás|indít", "segítség"},
    {"RO MD", "oprește|dezabonare|dezabonează", "abonare|pornește", "ajutor"},
    /* Greek, Turkish */
    {"GR CY", "στοπ|διακοπή|διαγραφή", "έναρξη|εγγραφή", "βοήθεια"},
    {"TR CY", "dur|ret|durdur|iptal et", "başla|başlat|onay", "yardım|yardim"},
    /* Russian, Ukrainian, Bulgarian, Serbian and Croatian */
    {"RU BY KZ KG UA MD", "стоп|отписаться|отписка|отпишите", "старт|подписаться", "помощь"},
    {"UA", "стоп|відписатися|відписка|зупинити", "старт|підписатися", "допомога"},
    {"BG", "стоп|спри|отписване", "старт|започни", "помощ"},
    {"RS ME BA HR SI", "стоп|одјава|odjava|odjavi", "старт|prijava|пријава", "помоћ|pomoć|pomoč"},
    /* Hebrew, Arabic, Persian */
    {"IL", "הסר|הסרה|עצור|הפסק", "התחל|הצטרף", "עזרה"},
    {"SA AE EG MA DZ TN JO LB IQ KW QA BH OM YE SY LY SD PS", "توقف|قف|إيقاف|الغاء الاشتراك", "ابدأ|اشتراك", "مساعدة"},
    {"IR AF", "توقف|لغو|قطع", "شروع", "کمک|راهنما"},
    /* Hindi */
    {"IN NP", "रोकें|रोको|बंद|बंद करो", "शुरू", "मदद|सहायता"},
    /* Chinese, Japanese, Korean */
    {"CN SG MY", "退订|停止|取消订阅", "订阅|开始", "帮助"},
    {"TW HK MO", "退訂|停止|取消訂閱", "訂閱|開始", "幫助|說明"},
    {"JP", "停止|配信停止|ストップ|解除", "再開|開始|スタート", "ヘルプ"},
    {"KR", "수신거부|중지|거부|그만", "수신동의|시작", "도움말|도움"},
    /* Vietnamese, Thai, Indonesian and Malay, Swahili */
    {"VN", "dừng|hủy đăng ký|từ chối", "bắt đầu|đăng ký", "trợ giúp|giúp"},
    {"TH", "หยุด|ยกเลิกการรับ", "เริ่ม", "ช่วยเหลือ"},
    {"ID MY BN", "berhenti|henti|batal langganan", "mula|mulai|langganan", "bantuan"},
    {"KE TZ UG", "acha|sitisha|simamisha", "anza", "msaada"},
    {NULL, NULL, NULL, NULL},
};
