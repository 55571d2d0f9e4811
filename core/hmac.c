/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HMAC-SHA256 on OpenSSL's plain SHA256_* functions: deprecated in 3.0, but without the look-up,
 * reference count and allocation that every EVP operation costs there; stamps and ids are made for
 * each recipient of each message.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/hmac.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

G_STATIC_ASSERT(sizeof(SHA256_CTX) <= sizeof(((struct hmac_key *)NULL)->state[0]));

#define BLOCK_SIZE 64

static void prepare_state(uint8_t state[static sizeof(SHA256_CTX)], const uint8_t secret[static BLOCK_SIZE], uint8_t pad)
{
    uint8_t block[BLOCK_SIZE];
    SHA256_CTX ctx;

    for (size_t i = 0; i < BLOCK_SIZE; i++)
        block[i] = secret[i] ^ pad;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, block, sizeof block);
    memcpy(state, &ctx, sizeof ctx);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(&ctx, sizeof ctx);
}

void hmac_key_init(struct hmac_key *key, const void *secret, size_t length)
{
    uint8_t block[BLOCK_SIZE] = {0};

    if (length > BLOCK_SIZE)
        hmac_sha256(secret, length, block);
    else if (length > 0)
        memcpy(block, secret, length);
    memset(key, 0, sizeof *key);
    prepare_state(key->state[0], block, 0x36);
    prepare_state(key->state[1], block, 0x5c);
    OPENSSL_cleanse(block, sizeof block);
}

static void finish(const struct hmac_key *key, SHA256_CTX *inner, uint8_t out[static HMAC_SIZE])
{
    SHA256_CTX outer;
    uint8_t digest[HMAC_SIZE];

    SHA256_Final(digest, inner);
    memcpy(&outer, key->state[1], sizeof outer);
    SHA256_Update(&outer, digest, sizeof digest);
    SHA256_Final(out, &outer);
}

void hmac_sign(const struct hmac_key *key, const void *data, size_t length, uint8_t out[static HMAC_SIZE])
{
    SHA256_CTX ctx;

    memcpy(&ctx, key->state[0], sizeof ctx);
    SHA256_Update(&ctx, data, length);
    finish(key, &ctx, out);
}

void hmac_sign_parts(const struct hmac_key *key, const struct hmac_part *parts, size_t count,
                     uint8_t out[static HMAC_SIZE])
{
    SHA256_CTX ctx;

    memcpy(&ctx, key->state[0], sizeof ctx);
    for (size_t i = 0; i < count; i++) {
        uint32_t length = GUINT32_TO_BE((uint32_t)parts[i].length);
        SHA256_Update(&ctx, &length, sizeof length);
        if (parts[i].length > 0)
            SHA256_Update(&ctx, parts[i].data, parts[i].length);
    }
    finish(key, &ctx, out);
}

void hmac_key_derive(struct hmac_key *key, const void *secret, size_t length, const char *label)
{
    struct hmac_key root;
    uint8_t derived[HMAC_SIZE];

    hmac_key_init(&root, secret, length);
    hmac_sign(&root, label, strlen(label), derived);
    hmac_key_init(key, derived, sizeof derived);
    OPENSSL_cleanse(derived, sizeof derived);
    OPENSSL_cleanse(&root, sizeof root);
}

bool hmac_equal(const void *a, const void *b, size_t length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}

void hmac_sha256(const void *data, size_t length, uint8_t out[static 32])
{
    SHA256(data, length, out);
}
