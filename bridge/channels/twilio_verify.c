/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Twilio's webhook signature: X-Twilio-Signature is base64 of HMAC-SHA1, keyed with the auth token,
 * over the URL and the fields of the form sorted by name, each name followed by its value, untrimmed.
 * A body that is no form is signed by its hash: the query carries bodySHA256, and the URL alone is
 * MACed.  The URL is the one that Twilio was given, which we know from our configuration: what Host
 * and X-Forwarded-* say is of no account (FAILURES T22).  Twilio's machines differ in whether they
 * sign the port that the scheme implies, and whether an escaped form; its SDKs try all of them.
 */
#include "bridge/channels/twilio.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "core/error.h"
#include "core/hmac.h"

#define SIGNATURE_BYTES 20

struct twilio_tokens {
    char *tokens[TWILIO_MAX_TOKENS];
    guint count;
};

/* ---- Tokens ---- */

void twilio_dispose(void *prepared)
{
    struct twilio_tokens *tokens = prepared;

    if (!tokens)
        return;
    for (guint i = 0; i < tokens->count; i++)
        g_free(tokens->tokens[i]);
    g_free(tokens);
}

void *twilio_prepare(const struct channel_endpoint *endpoint, GError **error)
{
    static const char *const names[] = {"auth_token", "auth_token_previous", NULL};
    struct twilio_tokens *tokens = g_new0(struct twilio_tokens, 1);
    const char *why = NULL;

    for (const char *const *name = names; *name; name++) {
        const char *value = channel_secret(endpoint, *name);
        g_auto(GStrv) words = g_strsplit_set(value ? value : "", ", \t\r\n", -1);
        for (char **word = words; *word; word++) {
            if (**word == '\0')
                continue;
            if (tokens->count == TWILIO_MAX_TOKENS)
                why = "there are more than 4 auth tokens";
            else
                tokens->tokens[tokens->count++] = g_strdup(*word);
        }
    }
    if (tokens->count == 0)
        why = "auth_token is not set: webhooks cannot be verified";
    if (!why)
        return tokens;
    twilio_dispose(tokens);
    g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG, why);
    return NULL;
}

/* ---- URLs ---- */

struct url_parts {
    char *scheme; /* with "://", and what stands before an '@' */
    char *host, *port; /* port with its colon, or "" */
    char *path, *query; /* query with its '?', or "" */
};

static void parts_clear(struct url_parts *parts)
{
    g_free(parts->scheme);
    g_free(parts->host);
    g_free(parts->port);
    g_free(parts->path);
    g_free(parts->query);
}

static bool parts_of(const char *url, struct url_parts *parts)
{
    const char *authority = strstr(url, "://"), *end, *host, *colon, *query;

    if (!authority)
        return false;
    authority += 3;
    end = authority + strcspn(authority, "/?");
    host = g_strrstr_len(authority, end - authority, "@");
    host = host ? host + 1 : authority;
    colon = g_strrstr_len(host, end - host, ":");
    if (colon && memchr(colon, ']', (size_t)(end - colon)))
        colon = NULL; /* within an IPv6 address */
    query = strchr(end, '?');
    parts->scheme = g_strndup(url, (gsize)(host - url));
    parts->host = g_strndup(host, (gsize)((colon ? colon : end) - host));
    parts->port = g_strndup(colon ? colon : end, (gsize)(colon ? end - colon : 0));
    parts->path = g_strndup(end, query ? (gsize)(query - end) : strlen(end));
    parts->query = g_strdup(query ? query : "");
    return true;
}

static const char *default_port(const struct url_parts *parts)
{
    return g_ascii_strncasecmp(parts->scheme, "https:", 6) == 0 ? ":443" : ":80";
}

/* Percent-escapes what a URL parser (WHATWG) escapes and a client need not. */
static char *escape(const char *text, const char *which)
{
    GString *out = g_string_new(NULL);

    for (const guchar *p = (const guchar *)text; *p; p++) {
        if (*p < 0x21 || *p > 0x7e || strchr(which, *p))
            g_string_append_printf(out, "%%%02X", *p);
        else
            g_string_append_c(out, (char)*p);
    }
    return g_string_free(out, FALSE);
}

static void normalise(struct url_parts *parts)
{
    char *host = g_ascii_strdown(parts->host, -1), *scheme = g_ascii_strdown(parts->scheme, -1);
    char *path = escape(*parts->path ? parts->path : "/", "\"<>`{}"), *query = escape(parts->query, "\"<>'");
    bool implied = strcmp(parts->port, default_port(parts)) == 0;
    struct url_parts normal = {scheme, host, g_strdup(implied ? "" : parts->port), path, query};

    parts_clear(parts);
    *parts = normal;
}

/* Decoded and written again, as Node's module "querystring" does it. */
static void rewrite_query(struct url_parts *parts)
{
    g_autoptr(GPtrArray) fields = NULL;
    GString *out = g_string_new("?");

    if (parts->query[0] == '\0' || parts->query[1] == '\0' ||
        channel_form_parse(parts->query + 1, strlen(parts->query) - 1, &fields, NULL) != CHANNEL_PARSED) {
        g_string_free(out, TRUE);
        return;
    }
    for (guint i = 0; i < fields->len; i++) {
        const struct channel_field *field = fields->pdata[i];
        if (i > 0)
            g_string_append_c(out, '&');
        g_string_append_uri_escaped(out, field->name, "!'()*", FALSE);
        g_string_append_c(out, '=');
        g_string_append_uri_escaped(out, field->value, "!'()*", FALSE);
    }
    g_free(parts->query);
    parts->query = g_string_free(out, FALSE);
}

static void add_url(GPtrArray *urls, const struct url_parts *parts, const char *port)
{
    char *url = g_strconcat(parts->scheme, parts->host, port, parts->path, parts->query, NULL);

    if (g_ptr_array_find_with_equal_func(urls, url, g_str_equal, NULL))
        g_free(url);
    else
        g_ptr_array_add(urls, url);
}

/* Without port, and with the one that is there or implied. */
static void add_both(GPtrArray *urls, const struct url_parts *parts)
{
    add_url(urls, parts, "");
    add_url(urls, parts, *parts->port ? parts->port : default_port(parts));
}

/* Each form of the URL that may have been signed: at most six, the likely first. */
static GPtrArray *urls_of(const char *url)
{
    GPtrArray *urls = g_ptr_array_new_with_free_func(g_free);
    struct url_parts parts = {0};

    if (!parts_of(url, &parts))
        return urls;
    add_both(urls, &parts);
    normalise(&parts);
    add_both(urls, &parts);
    rewrite_query(&parts);
    add_both(urls, &parts);
    parts_clear(&parts);
    return urls;
}

/* ---- Fields ---- */

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t both = MIN(a_length, b_length);
    int order = both > 0 ? memcmp(a, b, both) : 0; /* an empty array has no address */

    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    const struct channel_field *x = *(const struct channel_field *const *)a, *y = *(const struct channel_field *const *)b;

    return compare_bytes(x->name, x->name_length, y->name, y->name_length);
}

static int compare_fields(gconstpointer a, gconstpointer b)
{
    const struct channel_field *x = *(const struct channel_field *const *)a, *y = *(const struct channel_field *const *)b;
    int order = compare_names(a, b);

    return order ? order : compare_bytes(x->value, x->value_length, y->value, y->value_length);
}

/* Names and values, one behind the other.  What is there twice counts once when `once`. */
static GByteArray *signed_fields(const GPtrArray *fields, bool once)
{
    GByteArray *out = g_byte_array_new();

    for (guint i = 0; i < fields->len; i++) {
        const struct channel_field *field = fields->pdata[i];
        if (once && i > 0 && compare_fields(&fields->pdata[i - 1], &fields->pdata[i]) == 0)
            continue;
        g_byte_array_append(out, (const guint8 *)field->name, (guint)field->name_length);
        g_byte_array_append(out, (const guint8 *)field->value, (guint)field->value_length);
    }
    return out;
}

/* The two ways of repeated names: values sorted, equal ones once (the SDKs); all, as they were sent. */
static GPtrArray *texts_of(GPtrArray *fields)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    GByteArray *plain, *sorted;

    g_ptr_array_sort(fields, compare_names); /* stable */
    plain = signed_fields(fields, false);
    g_ptr_array_sort(fields, compare_fields);
    sorted = signed_fields(fields, true);
    g_ptr_array_add(texts, sorted);
    if (compare_bytes((const char *)plain->data, plain->len, (const char *)sorted->data, sorted->len) != 0)
        g_ptr_array_add(texts, plain);
    else
        g_byte_array_unref(plain);
    return texts;
}

/* ---- The signature ---- */

static bool verify_with(const char *token, const char *url, const GByteArray *text, const guint8 *signature)
{
    g_autoptr(GByteArray) message = g_byte_array_new();
    guint8 expected[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    g_byte_array_append(message, (const guint8 *)url, (guint)strlen(url));
    if (text && text->len > 0)
        g_byte_array_append(message, text->data, text->len);
    return HMAC(EVP_sha1(), token, (int)strlen(token), message->data, message->len, expected, &length) &&
           length == SIGNATURE_BYTES && hmac_equal(expected, signature, SIGNATURE_BYTES);
}

/* texts may be NULL: the URL alone. */
static bool verify_any(const struct twilio_tokens *tokens, const char *url, const GPtrArray *texts, const guint8 *signature)
{
    g_autoptr(GPtrArray) urls = urls_of(url);

    for (guint u = 0; u < urls->len; u++)
        for (guint t = 0; t < (texts ? texts->len : 1); t++)
            for (guint k = 0; k < tokens->count; k++)
                if (verify_with(tokens->tokens[k], urls->pdata[u], texts ? texts->pdata[t] : NULL, signature))
                    return true;
    return false;
}

/* The value of the query's bodySHA256; NULL when there is none. */
static char *body_hash(const char *url)
{
    const char *query = strchr(url, '?');
    g_autoptr(GPtrArray) fields = NULL;

    if (!query || channel_form_parse(query + 1, strlen(query + 1), &fields, NULL) != CHANNEL_PARSED)
        return NULL;
    return g_strdup(channel_form_get(fields, "bodySHA256"));
}

static bool is_hash_of(const char *hash, const struct channel_webhook *webhook)
{
    guint8 digest[32];

    hmac_sha256(webhook->body, webhook->length, digest);
    g_autofree char *hex = hmac_hex(digest, sizeof digest);
    return strlen(hash) == strlen(hex) && hmac_equal(hash, hex, strlen(hex));
}

static bool is_form(const struct channel_webhook *webhook)
{
    static const char form[] = "application/x-www-form-urlencoded";

    return !webhook->content_type || g_ascii_strncasecmp(webhook->content_type, form, sizeof form - 1) == 0;
}

enum channel_verify twilio_verify_webhook(const struct channel_webhook *webhook,
                                          const struct channel_endpoint *endpoint, gint64 now)
{
    const struct twilio_tokens *tokens = endpoint->prepared;
    const char *text = channel_webhook_header(webhook, "x-twilio-signature");
    g_autoptr(GPtrArray) fields = NULL, texts = NULL;
    guint8 signature[SIGNATURE_BYTES];

    if (!tokens || tokens->count == 0 || !webhook->url)
        return CHANNEL_UNVERIFIABLE;
    if (!text || !channel_base64(text, signature, sizeof signature))
        return CHANNEL_NO_SIGNATURE;
    g_autofree char *hash = body_hash(webhook->url);
    if (hash) {
        bool good = is_hash_of(hash, webhook);
        return verify_any(tokens, webhook->url, NULL, signature) && good ? CHANNEL_VERIFIED : CHANNEL_BAD_SIGNATURE;
    }
    /* a body that is neither a form nor hashed in the query is not covered by any signature */
    if (!is_form(webhook) || channel_form_parse(webhook->body, webhook->length, &fields, NULL) != CHANNEL_PARSED)
        return CHANNEL_BAD_SIGNATURE;
    texts = texts_of(fields);
    return verify_any(tokens, webhook->url, texts, signature) ? CHANNEL_VERIFIED : CHANNEL_BAD_SIGNATURE;
}
