/* SPDX-License-Identifier: Apache-2.0 */
/* Gateway addresses. */
#include "core/address.h"

#include <string.h>

#define NOTICE "notice"
#define NEW_GROUP "new-group"
#define ID_MAX 60
#define TOKEN_MAX 62

const char *const address_channels[] = {
    "sms",   "whatsapp", "signal", "telegram", "rcs",   "messenger", "instagram", "viber",   "line", "wechat",
    "apple", "matrix",   "xmpp",   "discord",  "slack", "teams",     "mastodon",  "bluesky", "any",  NULL,
};

void address_clear(struct address *address)
{
    g_free(address->id);
    g_free(address->channel);
    g_free(address->domain);
    g_free(address->written);
    g_free(address->template);
    g_free(address->at);
    memset(address, 0, sizeof *address);
}

/* --- The domain --- */

/* The mail domain that the text ends in, behind one label; NULL: none. */
static const char *behind_label(const char *text, size_t length, const char *const *domains)
{
    const char *dot = memchr(text, '.', length);

    if (dot == NULL || dot == text)
        return NULL;
    size_t rest = length - (size_t)(dot + 1 - text);
    for (; *domains != NULL; domains++)
        if (strlen(*domains) == rest && g_ascii_strncasecmp(dot + 1, *domains, rest) == 0)
            return *domains;
    return NULL;
}

static bool same_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && g_ascii_strncasecmp(text, word, length) == 0;
}

static const char *find_channel(const char *text, size_t length, const char *const *channels)
{
    for (; *channels != NULL; channels++)
        if (same_word(text, length, *channels))
            return *channels;
    return NULL;
}

/* A mail domain may itself lie below another one that is configured: it is no channel then. */
static bool is_mail_domain(const char *text, size_t length, const char *const *domains)
{
    for (; *domains != NULL; domains++)
        if (same_word(text, length, *domains))
            return true;
    return false;
}

/* The mail domain of a gateway domain and the length of its first label; NULL: an ordinary domain. */
static const char *gateway_domain(const char *host, size_t length, const struct address_space *space, size_t *label)
{
    const char *domain = behind_label(host, length, space->domains);

    if (domain == NULL || is_mail_domain(host, length, space->domains))
        return NULL;
    *label = (size_t)((const char *)memchr(host, '.', length) - host);
    bool own = space->channels != NULL && space->channels[0] != NULL;
    const char *const *channels = own ? space->channels : address_channels;
    bool known = find_channel(host, *label, channels) != NULL || same_word(host, *label, NOTICE);
    return known ? domain : NULL;
}

bool address_is_gateway_domain(const char *domain, size_t length, const struct address_space *space)
{
    size_t label;

    return gateway_domain(domain, length, space, &label) != NULL;
}

/* --- The local part --- */

bool address_id_is_safe(const char *id)
{
    char before = '.';
    size_t length = strlen(id);

    if (length < 1 || length > ID_MAX || id[length - 1] == '.')
        return false;
    for (; *id != '\0'; before = *id++) {
        if (!g_ascii_islower(*id) && !g_ascii_isdigit(*id) && strchr("._-", *id) == NULL)
            return false;
        if (*id == '.' && before == '.')
            return false;
    }
    return true;
}

static bool is_short_code(const char *id)
{
    size_t length = strlen(id);

    return length >= 3 && length <= 8 && strspn(id, "0123456789") == length;
}

static bool is_token(const char *id)
{
    size_t length = strlen(id);

    return length >= 8 && length <= TOKEN_MAX && strspn(id, "abcdefghijklmnopqrstuvwxyz234567") == length;
}

/* "20261201T0900", "20261201T090000", either with a Z. */
static bool is_time(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    if (digits != 8 || text[8] != 'T')
        return false;
    size_t clock = strspn(text + 9, "0123456789");
    return (clock == 4 || clock == 6) && (text[9 + clock] == '\0' || strcmp(text + 9 + clock, "Z") == 0);
}

static bool take_option(const char *text, struct address *out)
{
    if (g_ascii_strncasecmp(text, "at.", 3) == 0) {
        g_autofree char *time = g_ascii_strup(text + 3, -1);
        if (out->at != NULL || !is_time(time))
            return false;
        out->at = g_steal_pointer(&time);
        return true;
    }
    g_autofree char *name = g_ascii_strdown(text, -1);
    if (out->template != NULL || !address_id_is_safe(name))
        return false;
    out->template = g_steal_pointer(&name);
    return true;
}

static bool take_options(const char *text, struct address *out)
{
    g_auto(GStrv) options = g_strsplit(text, "+", -1);

    if (options[0] == NULL)
        return false;
    for (size_t i = 0; options[i] != NULL; i++)
        if (!take_option(options[i], out))
            return false;
    return true;
}

static enum address_result take_number(const struct address_space *space, struct address *out)
{
    out->kind = ADDRESS_NUMBER;
    if (phone_parse(out->written, strlen(out->written), space->region, &out->phone) != PHONE_OK)
        return ADDRESS_BAD_NUMBER;
    out->id = g_strdup(out->phone.e164);
    return ADDRESS_OK;
}

static enum address_result take_id(enum address_kind kind, const char *text, bool (*good)(const char *),
                                   struct address *out)
{
    g_autofree char *id = g_ascii_strdown(text, -1);

    out->kind = kind;
    if (!good(id))
        return ADDRESS_BAD_ID;
    out->id = g_steal_pointer(&id);
    return ADDRESS_OK;
}

static enum address_result take_notice(struct address *out)
{
    if (g_ascii_strncasecmp(out->written, "r.", 2) != 0)
        return ADDRESS_NO_ID;
    return take_id(ADDRESS_NOTICE, out->written + 2, is_token, out);
}

static bool begins_like_number(const char *text)
{
    return *text == '+' || *text == '(' || g_ascii_isdigit(*text);
}

static enum address_result take_local(const struct address_space *space, struct address *out)
{
    static const struct {
        char letter;
        enum address_kind kind;
        bool (*good)(const char *);
    } kinds[] = {
        {'s', ADDRESS_SHORT_CODE, is_short_code},
        {'g', ADDRESS_GROUP, address_id_is_safe},
        {'u', ADDRESS_OPAQUE, address_id_is_safe},
        {'a', ADDRESS_ALPHANUMERIC, address_id_is_safe},
    };
    const char *text = out->written;

    if (strcmp(out->channel, NOTICE) == 0)
        return take_notice(out);
    if (g_ascii_strcasecmp(text, NEW_GROUP) == 0) {
        out->kind = ADDRESS_NEW_GROUP;
        out->id = g_strdup(NEW_GROUP);
        return ADDRESS_OK;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_ascii_tolower(text[0]) == kinds[i].letter && text[1] == '.')
            return take_id(kinds[i].kind, text + 2, kinds[i].good, out);
    return begins_like_number(text) ? take_number(space, out) : ADDRESS_NO_ID;
}

enum address_result address_parse(const char *text, size_t length, const struct address_space *space,
                                  struct address *out)
{
    const char *at = memrchr(text, '@', length);
    size_t label;

    memset(out, 0, sizeof *out);
    if (at == NULL || at == text)
        return ADDRESS_NOT_GATEWAY;
    const char *host = at + 1;
    size_t host_length = length - (size_t)(host - text);
    const char *domain = gateway_domain(host, host_length, space, &label);
    if (domain == NULL)
        return ADDRESS_NOT_GATEWAY;
    out->channel = g_ascii_strdown(host, (gssize)label);
    out->domain = g_strdup(domain);

    /* Options begin at a '+' that is not the first character. */
    const char *plus = at - text > 1 ? memchr(text + 1, '+', (size_t)(at - text - 1)) : NULL;
    const char *end = plus != NULL ? plus : at;
    out->written = g_strndup(text, (size_t)(end - text));

    enum address_result result = take_local(space, out);
    if (result != ADDRESS_OK || plus == NULL)
        return result;
    g_autofree char *options = g_strndup(plus + 1, (size_t)(at - plus - 1));
    return take_options(options, out) ? ADDRESS_OK : ADDRESS_BAD_OPTION;
}

char *address_format(enum address_kind kind, const char *id, const char *channel, const char *domain)
{
    static const char *const prefixes[] = {
        [ADDRESS_NUMBER] = "",     [ADDRESS_SHORT_CODE] = "s.",   [ADDRESS_GROUP] = "g.",
        [ADDRESS_OPAQUE] = "u.",   [ADDRESS_ALPHANUMERIC] = "a.", [ADDRESS_NEW_GROUP] = "",
        [ADDRESS_NOTICE] = "r.",
    };
    g_autofree char *lower = g_ascii_strdown(id, -1);
    bool good = kind == ADDRESS_NUMBER       ? phone_is_e164(id, strlen(id))
                : kind == ADDRESS_SHORT_CODE ? is_short_code(id)
                : kind == ADDRESS_NOTICE     ? is_token(lower)
                : kind == ADDRESS_NEW_GROUP  ? strcmp(id, NEW_GROUP) == 0
                                             : address_id_is_safe(lower);

    if (!good)
        return NULL;
    return g_strconcat(prefixes[kind], lower, "@", channel, ".", domain, NULL);
}

enum address_kind address_kind_of_sender(const char *id)
{
    if (phone_is_e164(id, strlen(id)))
        return ADDRESS_NUMBER;
    return is_short_code(id) ? ADDRESS_SHORT_CODE : ADDRESS_ALPHANUMERIC;
}

enum address_kind address_kind_on(const char *channel, const char *id)
{
    static const char *const telephone[] = {"sms", "rcs", NULL}; /* short codes and names as senders */
    static const char *const named[] = {"whatsapp", NULL}; /* people's ids have digits or dots; a word is the network itself */

    if (g_strv_contains(telephone, channel))
        return address_kind_of_sender(id);
    if (g_strv_contains(named, channel) && !strpbrk(id, "0123456789."))
        return ADDRESS_ALPHANUMERIC;
    return phone_is_e164(id, strlen(id)) ? ADDRESS_NUMBER : ADDRESS_OPAQUE;
}

/* --- Words --- */

char *address_explain(enum address_result result, const struct address *address)
{
    switch (result) {
    case ADDRESS_BAD_NUMBER:
        return phone_explain(&address->phone, address->written);
    case ADDRESS_BAD_ID:
        return g_strdup("This is not a well-formed address of this gateway; check what stands before the @");
    case ADDRESS_BAD_OPTION:
        return g_strdup("What stands behind the + is neither a template's name nor a time like "
                        "at.20261201T0900");
    case ADDRESS_NO_ID:
        return g_strdup("This is not a phone number; write +<country><number> before the @");
    case ADDRESS_NOT_GATEWAY:
        return g_strdup("This is not an address of the gateway");
    case ADDRESS_OK:
        break;
    }
    return g_strdup("This address is good");
}

const char *address_status_code(enum address_result result)
{
    return result == ADDRESS_NOT_GATEWAY ? "5.1.2" : "5.1.3";
}
