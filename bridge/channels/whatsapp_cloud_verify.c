/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Hub-Signature-256: "sha256=" and the hex of HMAC-SHA256(app secret, raw body).  Nothing in it
 * says when it was made: replays are met by the dedupe keys.  And the question at GET by which Meta
 * checks the address: hub.mode, hub.verify_token, hub.challenge.
 */
#include "bridge/channels/whatsapp_cloud.h"

#include <string.h>

#include "core/error.h"
#include "core/hmac.h"

#define MAX_SECRETS 4
#define MAX_CHALLENGE 256
#define SCHEME "sha256="

struct whatsapp_keys {
    struct hmac_key keys[MAX_SECRETS];
    guint count;
};

void whatsapp_dispose(void *prepared)
{
    g_free(prepared);
}

static int add_secrets(struct whatsapp_keys *keys, const char *texts, GError **error)
{
    g_auto(GStrv) list = g_strsplit_set(texts ? texts : "", ", \t\r\n", -1);

    for (char **text = list; *text; text++) {
        if (**text == '\0')
            continue;
        if (keys->count == MAX_SECRETS) {
            g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "more than %d app secrets", MAX_SECRETS);
            return -1;
        }
        hmac_key_init(&keys->keys[keys->count++], *text, strlen(*text));
    }
    return 0;
}

void *whatsapp_prepare(const struct channel_endpoint *endpoint, GError **error)
{
    struct whatsapp_keys *keys = g_new0(struct whatsapp_keys, 1);

    if (add_secrets(keys, channel_secret(endpoint, "app_secret"), error) < 0 ||
        add_secrets(keys, channel_secret(endpoint, "app_secret_previous"), error) < 0) {
        g_free(keys);
        return NULL;
    }
    if (keys->count == 0) {
        g_free(keys);
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG, "app_secret is not set: webhooks cannot be verified");
        return NULL;
    }
    return keys;
}

enum channel_verify whatsapp_verify_webhook(const struct channel_webhook *webhook,
                                            const struct channel_endpoint *endpoint, gint64 now)
{
    const struct whatsapp_keys *keys = endpoint->prepared;
    const char *text = channel_webhook_header(webhook, "x-hub-signature-256");
    uint8_t claimed[HMAC_SIZE], made[HMAC_SIZE];
    size_t size = sizeof claimed;
    bool good = false;

    (void)now;
    if (!keys || keys->count == 0)
        return CHANNEL_UNVERIFIABLE;
    if (!text || !g_str_has_prefix(text, SCHEME) || strlen(text) != strlen(SCHEME) + 2 * sizeof claimed ||
        !hmac_unhex(text + strlen(SCHEME), 2 * sizeof claimed, claimed, &size) || size != sizeof claimed)
        return CHANNEL_NO_SIGNATURE;
    for (guint i = 0; i < keys->count; i++) {
        hmac_sign(&keys->keys[i], webhook->body, webhook->length, made);
        good = hmac_equal(made, claimed, sizeof made) || good;
    }
    return good ? CHANNEL_VERIFIED : CHANNEL_BAD_SIGNATURE;
}

/* NULL when it is missing or there twice. */
static const char *parameter(const struct channel_header *query, size_t count, const char *name)
{
    const struct channel_webhook list = {.headers = query, .header_count = count};

    return channel_webhook_header(&list, name);
}

static bool is_plain(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && !strchr("._-", text[i]))
            return false;
    return length > 0 && length <= MAX_CHALLENGE;
}

/* Hashes are compared, so that the time tells neither the token nor its length. */
static bool same_token(const char *a, const char *b)
{
    uint8_t left[32], right[32];

    hmac_sha256(a, strlen(a), left);
    hmac_sha256(b, strlen(b), right);
    return hmac_equal(left, right, sizeof left);
}

enum channel_verify whatsapp_verify_challenge(const struct channel_header *query, size_t count,
                                              const struct channel_endpoint *endpoint, char **answer)
{
    const char *own = channel_secret(endpoint, "verify_token");
    const char *mode = parameter(query, count, "hub.mode"), *token = parameter(query, count, "hub.verify_token");
    const char *challenge = parameter(query, count, "hub.challenge");

    if (!own)
        return CHANNEL_UNVERIFIABLE;
    if (!mode || strcmp(mode, "subscribe") != 0 || !token || !challenge || !is_plain(challenge))
        return CHANNEL_NO_SIGNATURE;
    if (!same_token(token, own))
        return CHANNEL_BAD_SIGNATURE;
    *answer = g_strdup(challenge);
    return CHANNEL_VERIFIED;
}
