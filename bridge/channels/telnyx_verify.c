/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telnyx's webhook signature: header telnyx-signature-ed25519 is base64 of 64 bytes, over
 * telnyx-timestamp (Unix seconds), "|" and the raw body.  The public key is the account's, base64 of
 * 32 bytes; several may be given while it is being changed.
 */
#include "bridge/channels/telnyx.h"

#include <openssl/err.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

#define KEY_BYTES 32
#define SIGNATURE_BYTES 64
#define WINDOW_S 300

struct telnyx_keys {
    EVP_PKEY *keys[TELNYX_MAX_KEYS];
    guint count;
};

void telnyx_dispose(void *prepared)
{
    struct telnyx_keys *keys = prepared;

    if (!keys)
        return;
    for (guint i = 0; i < keys->count; i++)
        EVP_PKEY_free(keys->keys[i]);
    g_free(keys);
}

static int add_key(struct telnyx_keys *keys, const char *text, GError **error)
{
    guint8 raw[KEY_BYTES];
    EVP_PKEY *key = NULL;

    if (keys->count == TELNYX_MAX_KEYS) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "more than %d public keys", TELNYX_MAX_KEYS);
        return -1;
    }
    if (channel_base64(text, raw, sizeof raw))
        key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, sizeof raw);
    if (!key) {
        ERR_clear_error();
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG,
                            "public_key is not the base64 form of an Ed25519 key; copy it from the portal "
                            "(Keys & Credentials, Public Key)");
        return -1;
    }
    keys->keys[keys->count++] = key;
    return 0;
}

void *telnyx_prepare(const struct channel_endpoint *endpoint, GError **error)
{
    static const char *const names[] = {"public_key", "public_key_previous", NULL};
    struct telnyx_keys *keys = g_new0(struct telnyx_keys, 1);

    for (const char *const *name = names; *name; name++) {
        const char *value = channel_secret(endpoint, *name);
        g_auto(GStrv) texts = g_strsplit_set(value ? value : "", ", \t\r\n", -1);
        for (char **text = texts; *text; text++) {
            if (**text && add_key(keys, *text, error) < 0) {
                telnyx_dispose(keys);
                return NULL;
            }
        }
    }
    if (keys->count == 0) {
        telnyx_dispose(keys);
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG, "public_key is not set: webhooks cannot be verified");
        return NULL;
    }
    return keys;
}

static bool parse_seconds(const char *text, gint64 *seconds)
{
    size_t length = strlen(text);

    if (length == 0 || length > 12)
        return false;
    *seconds = 0;
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isdigit(text[i]))
            return false;
        *seconds = *seconds * 10 + (text[i] - '0');
    }
    return true;
}

static bool verify_with(EVP_PKEY *key, const guint8 *signature, const guint8 *message, size_t length)
{
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    bool good = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, signature, SIGNATURE_BYTES, message, length) == 1;

    if (!good)
        ERR_clear_error();
    return good;
}

enum channel_verify telnyx_verify_webhook(const struct channel_webhook *webhook,
                                          const struct channel_endpoint *endpoint, gint64 now)
{
    const struct telnyx_keys *keys = endpoint->prepared;
    const char *signature_text = channel_webhook_header(webhook, "telnyx-signature-ed25519");
    const char *timestamp = channel_webhook_header(webhook, "telnyx-timestamp");
    guint8 signature[SIGNATURE_BYTES];
    gint64 seconds;
    bool good = false;

    if (!keys || keys->count == 0)
        return CHANNEL_UNVERIFIABLE;
    if (!signature_text || !timestamp || !parse_seconds(timestamp, &seconds) ||
        !channel_base64(signature_text, signature, sizeof signature))
        return CHANNEL_NO_SIGNATURE;
    g_autoptr(GByteArray) message = g_byte_array_sized_new((guint)(strlen(timestamp) + 1 + webhook->length));
    g_byte_array_append(message, (const guint8 *)timestamp, (guint)strlen(timestamp));
    g_byte_array_append(message, (const guint8 *)"|", 1);
    g_byte_array_append(message, (const guint8 *)webhook->body, (guint)webhook->length);
    for (guint i = 0; i < keys->count && !good; i++)
        good = verify_with(keys->keys[i], signature, message->data, message->len);
    if (!good)
        return CHANNEL_BAD_SIGNATURE;
    return seconds < now - WINDOW_S || seconds > now + WINDOW_S ? CHANNEL_TOO_OLD : CHANNEL_VERIFIED;
}
