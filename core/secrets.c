/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets at rest: AES-256-GCM. */
#include "core/secrets.h"

#include "core/cleanup.h"
#include "core/error.h"
#include "core/hmac.h"
#include "core/keyfile.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#define VERSION "v1:"
#define NONCE_SIZE 12
#define TAG_SIZE 16
#define SECRET_MAX (1024 * 1024)

struct secrets {
    struct keyfile *keys;
};

struct secrets *secrets_load(const char *path, GError **error)
{
    struct keyfile *keys = keyfile_load(path, error);

    if (keys == NULL)
        return NULL;
    struct secrets *secrets = g_new0(struct secrets, 1);
    secrets->keys = keys;
    return secrets;
}

void secrets_free(struct secrets *secrets)
{
    if (secrets != NULL)
        keyfile_free(secrets->keys);
    g_free(secrets);
}

void secrets_wipe(char *text)
{
    if (text != NULL)
        OPENSSL_cleanse(text, strlen(text));
    g_free(text);
}

/* Version, key id and context, so that none of them can be exchanged. */
static bool add_context(EVP_CIPHER_CTX *ctx, const char *key_id, const char *context)
{
    g_autofree char *text = g_strconcat(VERSION, key_id, ":", context, NULL);
    int n;

    return EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)text, (int)strlen(text)) == 1;
}

static bool begin(EVP_CIPHER_CTX *ctx, const struct keyfile_key *key, const uint8_t *nonce, const char *context,
                  int encrypt)
{
    return EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->key, nonce, encrypt) == 1 &&
           add_context(ctx, key->id, context);
}

static bool encrypt(const struct keyfile_key *key, const void *plain, int length, const char *context,
                    uint8_t *out)
{
    g_autoptr(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    int n, rest;

    return RAND_bytes(out, NONCE_SIZE) == 1 && begin(ctx, key, out, context, 1) &&
           EVP_CipherUpdate(ctx, out + NONCE_SIZE, &n, plain, length) == 1 &&
           EVP_CipherFinal_ex(ctx, out + NONCE_SIZE + n, &rest) == 1 && n + rest == length &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, out + NONCE_SIZE + length) == 1;
}

char *secrets_seal(const struct secrets *secrets, const void *plain, size_t length, const char *context,
                   GError **error)
{
    const struct keyfile_key *key = &secrets->keys->keys[0];

    if (length > SECRET_MAX) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_LIMIT, "the secret is too long");
        return NULL;
    }
    size_t size = NONCE_SIZE + length + TAG_SIZE;
    g_autofree uint8_t *bytes = g_malloc(size);
    if (!encrypt(key, plain, (int)length, context, bytes)) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_FAILED, "cannot encrypt");
        return NULL;
    }
    g_autofree char *text = hmac_base64url(bytes, size);
    return g_strconcat(VERSION, key->id, ":", text, NULL);
}

/* The key's id in a sealed value, and what follows; NULL: no sealed value. */
static const char *split_sealed(const char *sealed, const char **id, size_t *id_length)
{
    if (!g_str_has_prefix(sealed, VERSION))
        return NULL;
    *id = sealed + strlen(VERSION);
    const char *colon = strchr(*id, ':');
    if (colon == NULL)
        return NULL;
    *id_length = (size_t)(colon - *id);
    return colon + 1;
}

static char *invalid(GError **error)
{
    g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "the stored secret is damaged or not meant for this place");
    return NULL;
}

static char *decrypt(const struct keyfile_key *key, uint8_t *bytes, size_t size, const char *context, size_t *length)
{
    g_autoptr(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    size_t plain = size - NONCE_SIZE - TAG_SIZE;
    char *out = g_malloc0(plain + 1);
    int n = 0, rest = 0;

    if (begin(ctx, key, bytes, context, 0) &&
        EVP_CipherUpdate(ctx, (uint8_t *)out, &n, bytes + NONCE_SIZE, (int)plain) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, bytes + NONCE_SIZE + plain) == 1 &&
        EVP_CipherFinal_ex(ctx, (uint8_t *)out + n, &rest) == 1) {
        if (length != NULL)
            *length = plain;
        return out;
    }
    OPENSSL_cleanse(out, plain);
    g_free(out);
    return NULL;
}

char *secrets_open(const struct secrets *secrets, const char *sealed, const char *context, size_t *length,
                   GError **error)
{
    const char *id;
    size_t id_length;
    const char *text = split_sealed(sealed, &id, &id_length);

    if (text == NULL)
        return invalid(error);
    const struct keyfile_key *key = keyfile_find(secrets->keys, id, id_length);
    if (key == NULL) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_NOT_FOUND, "its key %.*s is not in the key file",
                    (int)MIN(id_length, 16), id);
        return NULL;
    }
    size_t size = strlen(text);
    if (size > 2 * (size_t)SECRET_MAX)
        return invalid(error);
    g_autofree uint8_t *bytes = g_malloc(size + 1);
    if (!hmac_unbase64url(text, size, bytes, &size) || size < NONCE_SIZE + TAG_SIZE)
        return invalid(error);
    char *plain = decrypt(key, bytes, size, context, length);
    return plain != NULL ? plain : invalid(error);
}

bool secrets_is_stale(const struct secrets *secrets, const char *sealed)
{
    const char *id;
    size_t id_length;

    if (split_sealed(sealed, &id, &id_length) == NULL)
        return true;
    return keyfile_find(secrets->keys, id, id_length) != &secrets->keys->keys[0];
}
