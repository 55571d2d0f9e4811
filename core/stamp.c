/* SPDX-License-Identifier: Apache-2.0 */
/* UMP-Stamp: the MAC that carries trust from the milter, and from the bridge, to ump-lmtp. */
#include "core/stamp.h"

#include "core/hmac.h"
#include "core/ids.h"
#include "core/keyfile.h"
#include "core/sf.h"
#include "core/ump_header.h"

#include <openssl/crypto.h>
#include <string.h>

#define MAC_BYTES 16
#define TOKEN_BYTES 12
#define FUTURE_SECONDS 300
#define STAMP_MAX_LENGTH 65536

struct stamp_key {
    char id[17];
    struct hmac_key stamp;
    struct hmac_key recipient;
};

struct stamp_keys {
    guint count;
    struct stamp_key keys[KEYFILE_MAX_KEYS];
};

static const char *const KINDS[] = {[STAMP_MILTER] = "milter", [STAMP_BRIDGE] = "bridge"};

static void add_key(struct stamp_keys *keys, const char *id, const void *secret, size_t length)
{
    struct stamp_key *key = &keys->keys[keys->count++];

    g_strlcpy(key->id, id, sizeof key->id);
    hmac_key_derive(&key->stamp, secret, length, "ump stamp");
    hmac_key_derive(&key->recipient, secret, length, "ump stamp recipient");
}

struct stamp_keys *stamp_keys_load(const char *path, GError **error)
{
    g_autoptr(keyfile_t) file = keyfile_load(path, error);

    if (file == NULL)
        return NULL;
    struct stamp_keys *keys = g_new0(struct stamp_keys, 1);
    for (guint i = 0; i < file->count; i++)
        add_key(keys, file->keys[i].id, file->keys[i].key, KEYFILE_KEY_SIZE);
    return keys;
}

struct stamp_keys *stamp_keys_from_secret(const char *key_id, const void *secret, size_t length)
{
    struct stamp_keys *keys = g_new0(struct stamp_keys, 1);

    add_key(keys, key_id, secret, length);
    return keys;
}

void stamp_keys_free(struct stamp_keys *keys)
{
    if (keys != NULL)
        OPENSSL_cleanse(keys, sizeof *keys);
    g_free(keys);
}

static const struct stamp_key *find_key(const struct stamp_keys *keys, const char *id)
{
    for (guint i = 0; i < keys->count; i++)
        if (strcmp(keys->keys[i].id, id) == 0)
            return &keys->keys[i];
    return NULL;
}

void stamp_clear(struct stamp *stamp)
{
    g_free(stamp->txn);
    g_free(stamp->login);
    g_free(stamp->sender);
    g_free(stamp->from);
    g_free(stamp->message_id);
    g_clear_pointer(&stamp->tokens, g_bytes_unref);
    memset(stamp, 0, sizeof *stamp);
}

/* --- What is MACed --- */

static struct hmac_part part(const char *text)
{
    return (struct hmac_part){text, text != NULL ? strlen(text) : 0};
}

static void stamp_mac(const struct stamp_key *key, const struct stamp *stamp, const char *extra,
                      uint8_t out[static HMAC_SIZE])
{
    char flags[48];

    g_snprintf(flags, sizeof flags, "1 %d %d %" G_GINT64_FORMAT, stamp->machine, stamp->checked, stamp->time);
    const struct hmac_part parts[] = {
        part(KINDS[stamp->kind]), part(flags),       part(stamp->txn),        part(stamp->login),
        part(stamp->sender),      part(stamp->from), part(stamp->message_id), part(extra),
    };
    hmac_sign_parts(&key->stamp, parts, G_N_ELEMENTS(parts), out);
}

static void recipient_token(const struct stamp_key *key, const struct stamp *stamp, const char *recipient,
                            uint8_t out[static HMAC_SIZE])
{
    g_autofree char *lower = g_ascii_strdown(recipient, -1);
    const struct hmac_part parts[] = {part(KINDS[stamp->kind]), part(stamp->txn), part(lower)};

    hmac_sign_parts(&key->recipient, parts, G_N_ELEMENTS(parts), out);
}

/* --- Signing --- */

static void put_text(GString *out, const char *key, const char *text)
{
    sf_put_key(out, key);
    sf_put_text(out, text != NULL ? text : "");
}

char *stamp_sign(const struct stamp_keys *keys, const struct stamp *stamp, const char *const *recipients)
{
    const struct stamp_key *key = &keys->keys[0];
    uint8_t mac[HMAC_SIZE];
    g_autoptr(GString) out = g_string_sized_new(512);

    g_string_append_printf(out, "v=1, k=\"%s\", kind=%s", key->id, KINDS[stamp->kind]);
    put_text(out, "txn", stamp->txn);
    sf_put_key(out, "t");
    sf_put_integer(out, stamp->time);
    put_text(out, "l", stamp->login);
    if (stamp->machine)
        g_string_append(out, ", machine");
    put_text(out, "s", stamp->sender);
    put_text(out, "f", stamp->from);
    put_text(out, "m", stamp->message_id);
    sf_put_key(out, "c");
    sf_put_integer(out, stamp->checked);
    if (recipients != NULL && recipients[0] != NULL) {
        sf_put_key(out, "r");
        for (size_t i = 0; recipients[i] != NULL; i++) {
            g_string_append_c(out, i == 0 ? '(' : ' ');
            recipient_token(key, stamp, recipients[i], mac);
            sf_put_bytes(out, mac, TOKEN_BYTES);
        }
        g_string_append_c(out, ')');
    }
    stamp_mac(key, stamp, stamp->extra, mac);
    sf_put_key(out, "h");
    sf_put_bytes(out, mac, MAC_BYTES);
    return ump_header_fold(out->str, strlen(STAMP_FIELD ": "));
}

/* --- Verifying --- */

static bool take_text(const struct sf *field, const char *key, char **out)
{
    const char *text = sf_get_text(field, key);

    *out = g_strdup(text);
    return text != NULL;
}

static bool take_kind(const struct sf *field, enum stamp_kind *out)
{
    const char *kind = sf_get_text(field, "kind");

    for (size_t i = 0; kind != NULL && i < G_N_ELEMENTS(KINDS); i++)
        if (strcmp(kind, KINDS[i]) == 0) {
            *out = (enum stamp_kind)i;
            return true;
        }
    return false;
}

/* The tokens, one after the other; false when one is no token. */
static bool take_tokens(const struct sf *field, GBytes **out)
{
    const struct sf_item *list = sf_get(field, "r");
    g_autoptr(GByteArray) tokens = g_byte_array_new();

    for (guint i = 0; list != NULL && list->items != NULL && i < list->items->len; i++) {
        const struct sf_value *value = &g_array_index(list->items, struct sf_item, i).value;
        if (value->type != SF_BYTES || value->length != TOKEN_BYTES)
            return false;
        g_byte_array_append(tokens, (const guint8 *)value->text, TOKEN_BYTES);
    }
    if (list != NULL && list->items == NULL)
        return false;
    *out = g_byte_array_free_to_bytes(g_steal_pointer(&tokens));
    return true;
}

static bool take_stamp(const struct sf *field, struct stamp *out)
{
    if (sf_get_integer(field, "v", 0) != 1 || !take_kind(field, &out->kind))
        return false;
    out->time = sf_get_integer(field, "t", -1);
    out->machine = sf_get_boolean(field, "machine", false);
    out->checked = sf_get_integer(field, "c", 0) == 1;
    ids_uuid uuid;
    return take_text(field, "txn", &out->txn) && ids_uuid_parse(out->txn, strlen(out->txn), &uuid) &&
           take_text(field, "l", &out->login) && take_text(field, "s", &out->sender) &&
           take_text(field, "f", &out->from) && take_text(field, "m", &out->message_id) &&
           take_tokens(field, &out->tokens) && out->time >= 0;
}

/* Local parts exactly, domains without case. */
static bool same_address(const char *a, const char *b)
{
    const char *at_a = strrchr(a, '@'), *at_b = strrchr(b, '@');

    if (at_a == NULL || at_b == NULL)
        return strcmp(a, b) == 0;
    return at_a - a == at_b - b && strncmp(a, b, (size_t)(at_a - a)) == 0 &&
           g_ascii_strcasecmp(at_a, at_b) == 0;
}

static enum stamp_result compare(const struct stamp *stamp, const struct stamp_expect *expect)
{
    if (stamp->time > expect->now + FUTURE_SECONDS)
        return STAMP_FUTURE;
    if (expect->now - stamp->time > expect->max_age)
        return STAMP_EXPIRED;
    if (expect->sender != NULL && !same_address(stamp->sender, expect->sender))
        return STAMP_OTHER_SENDER;
    if (expect->from != NULL && !same_address(stamp->from, expect->from))
        return STAMP_OTHER_FROM;
    if (expect->message_id != NULL && strcmp(stamp->message_id, expect->message_id) != 0)
        return STAMP_OTHER_MESSAGE;
    return STAMP_OK;
}

static enum stamp_result check_mac(const struct stamp_keys *keys, const struct sf *field,
                                   const struct stamp *stamp, const char *extra)
{
    const char *key_id = sf_get_text(field, "k");
    const struct sf_item *mac = sf_get(field, "h");
    uint8_t expected[HMAC_SIZE];

    if (key_id == NULL || mac == NULL || mac->value.type != SF_BYTES || mac->value.length != MAC_BYTES)
        return STAMP_MALFORMED;
    const struct stamp_key *key = find_key(keys, key_id);
    if (key == NULL)
        return STAMP_UNKNOWN_KEY;
    stamp_mac(key, stamp, extra, expected);
    return hmac_equal(expected, mac->value.text, MAC_BYTES) ? STAMP_OK : STAMP_BAD_MAC;
}

enum stamp_result stamp_verify(const struct stamp_keys *keys, const char *value, size_t length,
                               const struct stamp_expect *expect, struct stamp *out)
{
    g_auto(sf_t) field = {0};
    g_auto(stamp_t) stamp = {0};

    if (value == NULL)
        return STAMP_MISSING;
    if (length > STAMP_MAX_LENGTH)
        return STAMP_MALFORMED;
    g_autofree char *unfolded = ump_header_unfold(value, length);
    if (!sf_parse_dictionary(unfolded, strlen(unfolded), &field) || !take_stamp(&field, &stamp))
        return STAMP_MALFORMED;
    enum stamp_result result = check_mac(keys, &field, &stamp, expect->extra);
    if (result != STAMP_OK)
        return result;
    result = compare(&stamp, expect);
    *out = stamp;
    memset(&stamp, 0, sizeof stamp);
    return result;
}

/* Every key is tried, since the stamp keeps no key id once it is verified: a few at most. */
bool stamp_has_recipient(const struct stamp_keys *keys, const struct stamp *stamp, const char *recipient)
{
    uint8_t token[HMAC_SIZE];
    gsize size = 0;
    const uint8_t *tokens = stamp->tokens != NULL ? g_bytes_get_data(stamp->tokens, &size) : NULL;
    bool found = false;

    for (guint k = 0; k < keys->count && size > 0; k++) {
        recipient_token(&keys->keys[k], stamp, recipient, token);
        for (gsize at = 0; at + TOKEN_BYTES <= size; at += TOKEN_BYTES)
            found |= hmac_equal(token, tokens + at, TOKEN_BYTES);
    }
    return found;
}

char *stamp_extra(const char *ump_header, const char *conversation_id)
{
    g_autofree char *header = ump_header_unfold(ump_header != NULL ? ump_header : "",
                                                ump_header != NULL ? strlen(ump_header) : 0);

    return g_strconcat(header, "\n", conversation_id != NULL ? conversation_id : "", NULL);
}

const char *stamp_result_text(enum stamp_result result)
{
    switch (result) {
    case STAMP_OK:
        return "valid";
    case STAMP_MISSING:
        return "missing";
    case STAMP_MALFORMED:
        return "malformed";
    case STAMP_UNKNOWN_KEY:
        return "made with an unknown key";
    case STAMP_BAD_MAC:
        return "forged or altered";
    case STAMP_EXPIRED:
        return "too old";
    case STAMP_FUTURE:
        return "from the future";
    case STAMP_OTHER_SENDER:
        return "made for another envelope sender";
    case STAMP_OTHER_FROM:
        return "made for another From";
    case STAMP_OTHER_MESSAGE:
        return "made for another message";
    }
    return "unknown";
}
