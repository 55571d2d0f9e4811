/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDv7 (RFC 9562), Message-IDs and tokens. */
#include "core/ids.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/hmac.h"
#include "core/keyfile.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#define MAC_BYTES 16
#define TOKEN_MAX (1 + 4 + IDS_SUBJECT_MAX + MAC_BYTES)

struct ids_keys {
    guint count;
    struct hmac_key uuid; /* of the last key of the file */
    struct {
        struct hmac_key purpose[IDS_PURPOSES];
    } keys[KEYFILE_MAX_KEYS];
};

static const char *const PURPOSE_LABELS[IDS_PURPOSES] = {
    [IDS_NOTICE] = "ump notice address",
    [IDS_MEDIA] = "ump media url",
    [IDS_CALLBACK] = "ump callback",
    [IDS_VERIFY] = "ump verification",
};

static void add_key(struct ids_keys *keys, const void *secret, size_t length)
{
    for (int i = 0; i < IDS_PURPOSES; i++)
        hmac_key_derive(&keys->keys[keys->count].purpose[i], secret, length, PURPOSE_LABELS[i]);
    hmac_key_derive(&keys->uuid, secret, length, "ump uuid");
    keys->count++;
}

struct ids_keys *ids_keys_load(const char *path, GError **error)
{
    g_autoptr(keyfile_t) file = keyfile_load(path, error);

    if (file == NULL)
        return NULL;
    struct ids_keys *keys = g_new0(struct ids_keys, 1);
    for (guint i = 0; i < file->count; i++)
        add_key(keys, file->keys[i].key, KEYFILE_KEY_SIZE);
    return keys;
}

struct ids_keys *ids_keys_from_secret(const void *secret, size_t length)
{
    struct ids_keys *keys = g_new0(struct ids_keys, 1);

    add_key(keys, secret, length);
    return keys;
}

void ids_keys_free(struct ids_keys *keys)
{
    if (keys != NULL)
        OPENSSL_cleanse(keys, sizeof *keys);
    g_free(keys);
}

/* --- UUIDv7 --- */

static void put_time(ids_uuid *uuid, gint64 unix_us)
{
    uint64_t ms = unix_us > 0 ? (uint64_t)unix_us / 1000 : 0;

    for (int i = 0; i < 6; i++)
        uuid->bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    uuid->bytes[6] = (uuid->bytes[6] & 0x0f) | 0x70;
    uuid->bytes[8] = (uuid->bytes[8] & 0x3f) | 0x80;
}

void ids_uuid_random_at(ids_uuid *out, gint64 unix_us)
{
    /* Without random bytes ids could repeat, and a repeated id loses a message. */
    if (RAND_bytes(out->bytes, sizeof out->bytes) != 1)
        g_error("no random bytes");
    put_time(out, unix_us);
}

void ids_uuid_random(ids_uuid *out)
{
    ids_uuid_random_at(out, ump_clock_now_us());
}

void ids_uuid_derive(ids_uuid *out, const struct ids_keys *keys, gint64 unix_us, const char *account,
                     const char *endpoint, const char *provider_id)
{
    const char *texts[] = {account, endpoint, provider_id};
    struct hmac_part parts[G_N_ELEMENTS(texts)];
    uint8_t mac[HMAC_SIZE];

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        parts[i] = (struct hmac_part){texts[i], texts[i] != NULL ? strlen(texts[i]) : 0};
    hmac_sign_parts(&keys->uuid, parts, G_N_ELEMENTS(parts), mac);
    memcpy(out->bytes, mac, sizeof out->bytes);
    put_time(out, unix_us);
}

gint64 ids_uuid_time_us(const ids_uuid *uuid)
{
    gint64 ms = 0;

    for (int i = 0; i < 6; i++)
        ms = ms << 8 | uuid->bytes[i];
    return ms * 1000;
}

const char *ids_uuid_format(const ids_uuid *uuid, char text[static IDS_UUID_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    char *p = text;

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = hex[uuid->bytes[i] >> 4];
        *p++ = hex[uuid->bytes[i] & 15];
    }
    *p = '\0';
    return text;
}

char *ids_uuid_text(const ids_uuid *uuid)
{
    char *text = g_malloc(IDS_UUID_TEXT);

    ids_uuid_format(uuid, text);
    return text;
}

bool ids_uuid_parse(const char *text, size_t length, ids_uuid *out)
{
    ids_uuid uuid;

    if (length != IDS_UUID_TEXT - 1)
        return false;
    for (int i = 0, at = 0; i < 16; i++, at += 2) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            if (text[at++] != '-')
                return false;
        int high = g_ascii_xdigit_value(text[at]), low = g_ascii_xdigit_value(text[at + 1]);
        if (high < 0 || low < 0)
            return false;
        uuid.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *out = uuid;
    return true;
}

char *ids_new(void)
{
    ids_uuid uuid;

    ids_uuid_random(&uuid);
    return ids_uuid_text(&uuid);
}

char *ids_show(const char *kind, const char *uuid_text)
{
    return g_strconcat("ump:", kind, ":", uuid_text, NULL);
}

bool ids_parse_shown(const char *text, const char **kind, ids_uuid *out)
{
    static const char *const kinds[] = {"msg", "conv", "user", "contact", "endpoint", "delivery", "media", "account"};
    const char *found = NULL;

    if (g_str_has_prefix(text, "ump:")) {
        text += strlen("ump:");
        for (size_t i = 0; i < G_N_ELEMENTS(kinds) && found == NULL; i++) {
            size_t n = strlen(kinds[i]);
            if (strncmp(text, kinds[i], n) == 0 && text[n] == ':') {
                found = kinds[i];
                text += n + 1;
            }
        }
        if (found == NULL)
            return false;
    }
    if (!ids_uuid_parse(text, strlen(text), out))
        return false;
    *kind = found;
    return true;
}

/* --- Message-ID --- */

char *ids_message_id(const char *uuid_text, const char *domain)
{
    return g_strconcat("<ump.", uuid_text, "@", domain, ">", NULL);
}

static bool domain_among(const char *domain, size_t length, const char *const *domains)
{
    if (domains == NULL)
        return length > 0;
    for (; *domains != NULL; domains++)
        if (strlen(*domains) == length && g_ascii_strncasecmp(*domains, domain, length) == 0)
            return true;
    return false;
}

bool ids_message_id_parse(const char *message_id, const char *const *domains, ids_uuid *out)
{
    const char *p = message_id;
    size_t length = strlen(p);
    const size_t head = strlen("ump."), uuid = IDS_UUID_TEXT - 1;

    if (length >= 2 && p[0] == '<' && p[length - 1] == '>') {
        p++;
        length -= 2;
    }
    if (length < head + uuid + 2 || g_ascii_strncasecmp(p, "ump.", head) != 0 || p[head + uuid] != '@')
        return false;
    if (!domain_among(p + head + uuid + 1, length - head - uuid - 1, domains))
        return false;
    return ids_uuid_parse(p + head, uuid, out);
}

/* --- Tokens --- */

static void token_mac(const struct ids_keys *keys, guint key, enum ids_purpose purpose,
                      const uint8_t *data, size_t length, uint8_t out[static MAC_BYTES])
{
    uint8_t mac[HMAC_SIZE];

    hmac_sign(&keys->keys[key].purpose[purpose], data, length, mac);
    memcpy(out, mac, MAC_BYTES);
}

char *ids_token_make(const struct ids_keys *keys, enum ids_purpose purpose, const struct ids_token *token)
{
    uint8_t bytes[TOKEN_MAX];
    uint32_t expires = GUINT32_TO_BE((uint32_t)CLAMP(token->expires, 0, (gint64)G_MAXUINT32));

    g_assert(token->subject_length <= IDS_SUBJECT_MAX);
    bytes[0] = token->kind;
    memcpy(bytes + 1, &expires, 4);
    memcpy(bytes + 5, token->subject, token->subject_length);
    size_t n = 5 + token->subject_length;
    token_mac(keys, 0, purpose, bytes, n, bytes + n);
    n += MAC_BYTES;
    return purpose == IDS_NOTICE ? hmac_base32(bytes, n) : hmac_base64url(bytes, n);
}

static bool mac_fits(const struct ids_keys *keys, enum ids_purpose purpose, const uint8_t *bytes, size_t n)
{
    uint8_t mac[MAC_BYTES];

    for (guint i = 0; i < keys->count; i++) {
        token_mac(keys, i, purpose, bytes, n, mac);
        if (hmac_equal(mac, bytes + n, MAC_BYTES))
            return true;
    }
    return false;
}

enum ids_token_result ids_token_verify(const struct ids_keys *keys, enum ids_purpose purpose,
                                       const char *text, size_t length, gint64 now_us,
                                       struct ids_token *out)
{
    uint8_t bytes[TOKEN_MAX];
    size_t size = sizeof bytes;
    uint32_t expires;

    bool read = purpose == IDS_NOTICE ? hmac_unbase32(text, length, bytes, &size)
                                      : hmac_unbase64url(text, length, bytes, &size);
    if (!read || size < 5 + MAC_BYTES)
        return IDS_TOKEN_INVALID;
    size_t n = size - MAC_BYTES;
    if (!mac_fits(keys, purpose, bytes, n))
        return IDS_TOKEN_INVALID;
    memcpy(&expires, bytes + 1, 4);
    memset(out, 0, sizeof *out);
    out->kind = bytes[0];
    out->expires = GUINT32_FROM_BE(expires);
    out->subject_length = n - 5;
    memcpy(out->subject, bytes + 5, out->subject_length);
    if (out->expires != 0 && now_us >= out->expires * CLOCK_SECOND)
        return IDS_TOKEN_EXPIRED;
    return IDS_TOKEN_OK;
}

char *ids_callback_token(const struct ids_keys *keys, const ids_uuid *attempt)
{
    struct ids_token token = {.subject_length = sizeof attempt->bytes};

    memcpy(token.subject, attempt->bytes, sizeof attempt->bytes);
    return ids_token_make(keys, IDS_CALLBACK, &token);
}

bool ids_callback_verify(const struct ids_keys *keys, const char *text, size_t length, ids_uuid *attempt)
{
    struct ids_token token;

    if (ids_token_verify(keys, IDS_CALLBACK, text, length, 0, &token) != IDS_TOKEN_OK ||
        token.subject_length != sizeof attempt->bytes)
        return false;
    memcpy(attempt->bytes, token.subject, sizeof attempt->bytes);
    return true;
}
