/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/make_event.h"

#include <glib.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TEXT "%s%d is the token of this message, which goes on for a while as messages do"

static char *text_of(const struct make_event *from)
{
    return g_strdup_printf(TEXT, from->prefix, from->number);
}

/* ---- Telnyx ---- */

static EVP_PKEY *load_seed(const char *hex)
{
    unsigned char seed[32];
    for (int i = 0; i < 32; i++)
        seed[i] = (unsigned char)(g_ascii_xdigit_value(hex[2 * i]) * 16 + g_ascii_xdigit_value(hex[2 * i + 1]));
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
}

static char *sign_ed25519(const char *seed, const char *text)
{
    unsigned char signature[64];
    size_t length = sizeof signature;
    EVP_PKEY *key = load_seed(seed);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, NULL, NULL, NULL, key);
    EVP_DigestSign(context, signature, &length, (const unsigned char *)text, strlen(text));
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return g_base64_encode(signature, length);
}

static void make_telnyx(const struct make_event *from, char **fields, char **body)
{
    g_autofree char *id = g_uuid_string_random();
    g_autofree char *message = g_uuid_string_random();
    g_autofree char *text = text_of(from);
    long now = (long)time(NULL);
    struct tm tm;
    char at[40];
    strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S.000+00:00", gmtime_r(&now, &tm));
    *body = g_strdup_printf(
        "{\"data\":{\"event_type\":\"message.received\",\"id\":\"%s\",\"occurred_at\":\"%s\",\"payload\":{\"cc\":[],"
        "\"completed_at\":null,\"cost\":null,\"direction\":\"inbound\",\"encoding\":\"GSM-7\",\"errors\":[],"
        "\"from\":{\"carrier\":\"\",\"line_type\":\"\",\"phone_number\":\"+1312555%04d\"},\"id\":\"%s\",\"media\":[],"
        "\"parts\":1,\"received_at\":\"%s\",\"record_type\":\"message\",\"sent_at\":null,\"subject\":\"\",\"tags\":[],"
        "\"text\":\"%s\",\"to\":[{\"carrier\":\"\",\"line_type\":\"\",\"phone_number\":\"%s\",\"status\":\"webhook_delivered\"}],"
        "\"type\":\"SMS\",\"valid_until\":null},\"record_type\":\"event\"},\"meta\":{\"attempt\":1}}",
        id, at, from->sender, message, at, text, from->to);
    g_autofree char *signed_text = g_strdup_printf("%ld|%s", now, *body);
    g_autofree char *signature = sign_ed25519(from->key, signed_text);
    *fields = g_strdup_printf("Content-Type: application/json\r\ntelnyx-signature-ed25519: %s\r\ntelnyx-timestamp: %ld\r\n", signature, now);
}

/* ---- Twilio ---- */

static void make_twilio(const struct make_event *from, char **fields, char **body)
{
    g_autofree char *uuid = g_uuid_string_random();
    g_auto(GStrv) parts = g_strsplit(uuid, "-", -1);
    g_autofree char *hex = g_strjoinv("", parts);
    g_autofree char *sid = g_strconcat("SM", hex, NULL);
    g_autofree char *sender = g_strdup_printf("+1312555%04d", from->sender);
    g_autofree char *text = text_of(from);
    const struct {
        const char *name, *value;
    } form[] = { /* by name, as they are signed */
        {"AccountSid", "AC55555555555555555555555555555555"}, {"ApiVersion", "2010-04-01"}, {"Body", text}, {"From", sender},
        {"FromCity", ""}, {"FromCountry", "US"}, {"FromState", ""}, {"FromZip", ""}, {"MessageSid", sid}, {"NumMedia", "0"},
        {"NumSegments", "1"}, {"SmsMessageSid", sid}, {"SmsSid", sid}, {"SmsStatus", "received"}, {"To", from->to}, {"ToCity", ""},
        {"ToCountry", "US"}, {"ToState", "NY"}, {"ToZip", ""},
    };
    g_autoptr(GString) signed_text = g_string_new(from->url);
    GString *out = g_string_new(NULL);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned length;
    for (gsize i = 0; i < G_N_ELEMENTS(form); i++) {
        g_string_append_printf(signed_text, "%s%s", form[i].name, form[i].value);
        g_string_append_printf(out, "%s%s=", i > 0 ? "&" : "", form[i].name);
        g_string_append_uri_escaped(out, form[i].value, NULL, FALSE);
    }
    *body = g_string_free(out, FALSE);
    HMAC(EVP_sha1(), from->key, (int)strlen(from->key), (const unsigned char *)signed_text->str, signed_text->len, mac, &length);
    g_autofree char *signature = g_base64_encode(mac, length);
    *fields = g_strdup_printf("Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nX-Twilio-Signature: %s\r\n"
                              "I-Twilio-Idempotency-Token: %s\r\n", signature, uuid);
}

/* ---- WhatsApp ---- */

static void make_whatsapp(const struct make_event *from, char **fields, char **body)
{
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *text = text_of(from);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned length;
    *body = g_strdup_printf(
        "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"102290129340398\",\"changes\":[{\"value\":{"
        "\"messaging_product\":\"whatsapp\",\"metadata\":{\"display_phone_number\":\"%s\",\"phone_number_id\":\"10654%s\"},"
        "\"contacts\":[{\"profile\":{\"name\":\"Bob Jones\"},\"wa_id\":\"1312555%04d\"}],\"messages\":[{\"from\":\"1312555%04d\","
        "\"id\":\"wamid.%s\",\"timestamp\":\"%ld\",\"type\":\"text\",\"text\":{\"body\":\"%s\"}}]},\"field\":\"messages\"}]}]}",
        from->to + 1, from->to + 1, from->sender, from->sender, uuid, (long)time(NULL), text);
    HMAC(EVP_sha256(), from->key, (int)strlen(from->key), (const unsigned char *)*body, strlen(*body), mac, &length);
    GString *out = g_string_new("Content-Type: application/json\r\nX-Hub-Signature-256: sha256=");
    for (unsigned i = 0; i < length; i++)
        g_string_append_printf(out, "%02x", mac[i]);
    *fields = g_string_free(g_string_append(out, "\r\n"), FALSE);
}

void make_webhook(const char *kind, const struct make_event *from, char **fields, char **body)
{
    if (strcmp(kind, "telnyx") == 0)
        make_telnyx(from, fields, body);
    else if (strcmp(kind, "twilio") == 0)
        make_twilio(from, fields, body);
    else if (strcmp(kind, "whatsapp_cloud") == 0)
        make_whatsapp(from, fields, body);
    else
        g_error("no such kind of webhook: %s", kind);
}

/* ---- Signal ---- */

char *make_signal(const struct make_event *from, int64_t stamp)
{
    g_autofree char *text = text_of(from);

    return g_strdup_printf(
        "{\"envelope\":{\"source\":\"+1312555%04d\",\"sourceNumber\":\"+1312555%04d\",\"sourceUuid\":\"5ca1ab1e-0000-4000-8000-01312555%04d\","
        "\"sourceName\":\"Bob Jones\",\"sourceDevice\":1,\"timestamp\":%" PRId64 ",\"serverReceivedTimestamp\":%" PRId64 ","
        "\"serverDeliveredTimestamp\":%" PRId64 ",\"dataMessage\":{\"timestamp\":%" PRId64 ",\"message\":\"%s\",\"expiresInSeconds\":0,"
        "\"isExpirationUpdate\":false,\"viewOnce\":false}},\"account\":\"%s\"}",
        from->sender, from->sender, from->sender, stamp, stamp + 5, stamp + 9, stamp, text, from->to);
}
