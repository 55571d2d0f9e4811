/* SPDX-License-Identifier: Apache-2.0 */
/* STOP, START and HELP: words that a person sends to be left alone, or to hear from us again. */
#include <string.h>

#include "bridge/channels/channel_common.h"
#include "bridge/channels/opt_words.h"
#include "core/phone.h"

/* Longer than any keyword with courtesy around it, and than any text that is one, in bytes. */
#define KEYWORD_MAX 100
#define TEXT_MAX 400

/*
 * Letters of any script without their case and accents, words separated by one space; anything else is a
 * separator ("opt-out" is two words).  NULL when it is longer than any keyword, or has a digit in it.
 * *accented: there were accents.
 */
static char *squeeze(const char *text, gssize length, bool *accented)
{
    g_autofree char *folded = g_utf8_casefold(text, length);
    g_autofree char *normal = g_utf8_normalize(folded, -1, G_NORMALIZE_NFKD); /* fullwidth, bold … letters too */
    GString *out = g_string_new(NULL);
    bool gap = false;

    *accented = false;
    for (const char *p = normal ? normal : ""; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (g_unichar_ismark(c)) {
            *accented = *accented || (c >= 0x300 && c <= 0x36f);
            continue;
        }
        if (g_unichar_isdigit(c) || out->len > KEYWORD_MAX) {
            g_string_free(out, TRUE);
            return NULL;
        }
        if (!g_unichar_isalpha(c)) {
            gap = true;
            continue;
        }
        if (gap && out->len > 0)
            g_string_append_c(out, ' ');
        gap = false;
        g_string_append_unichar(out, g_unichar_tolower(c));
    }
    return g_string_free(out, FALSE);
}

/* "please stop", "stop thank you" → "stop", in place; true: there was courtesy. */
static bool drop_courtesy(char *key)
{
    static const char *const before[] = {"please ", "pls ", "plz "};
    static const char *const behind[] = {" thanks", " thank you", " thx", " please", " pls", " plz"};
    gsize length = strlen(key);
    bool found = false;

    for (size_t i = 0; i < G_N_ELEMENTS(before); i++)
        if (g_str_has_prefix(key, before[i])) {
            length -= strlen(before[i]);
            memmove(key, key + strlen(before[i]), length + 1);
            found = true;
        }
    for (size_t i = 0; i < G_N_ELEMENTS(behind); i++)
        if (g_str_has_suffix(key, behind[i])) {
            key[strlen(key) - strlen(behind[i])] = '\0';
            found = true;
        }
    return found;
}

/* The provider's own list, and the words that the FCC counts by themselves (47 CFR 64.1200); with a "please" to
 * them those that can mean nothing else ("please cancel" may be about an appointment). */
static enum channel_opt in_english(const char *key, bool courtesy)
{
    static const struct {
        const char *word;
        enum channel_opt opt;
        bool courteous;
    } words[] = {
        {"stop", CHANNEL_OPT_STOP, true},        {"stopall", CHANNEL_OPT_STOP, true},
        {"stop all", CHANNEL_OPT_STOP, true},    {"unsubscribe", CHANNEL_OPT_STOP, true},
        {"revoke", CHANNEL_OPT_STOP, true},      {"opt out", CHANNEL_OPT_STOP, true},
        {"optout", CHANNEL_OPT_STOP, true},      {"quit", CHANNEL_OPT_STOP, true},
        {"end", CHANNEL_OPT_STOP, false},        {"cancel", CHANNEL_OPT_STOP, false},
        {"start", CHANNEL_OPT_START, false},     {"unstop", CHANNEL_OPT_START, false},
        {"help", CHANNEL_OPT_HELP, false},       {"info", CHANNEL_OPT_HELP, false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i].word, key) == 0)
            return courtesy && !words[i].courteous ? CHANNEL_OPT_NONE : words[i].opt;
    return CHANNEL_OPT_NONE;
}

static bool is_among(const char *words, const char *key)
{
    for (const char *word = words; *word;) {
        size_t length = strcspn(word, "|");
        bool accented;
        g_autofree char *squeezed = squeeze(word, (gssize)length, &accented);
        if (g_strcmp0(squeezed, key) == 0)
            return true;
        word += length + (word[length] == '|');
    }
    return false;
}

/* Whether the endpoint writes to one of them: its setting countries, else the country of its own number. */
static bool is_for(const struct channel_endpoint *endpoint, const char *own, const char *countries)
{
    const json_t *list = json_object_get(endpoint->settings, "countries"), *country;
    size_t i;

    if (json_array_size(list) == 0)
        return own && strstr(countries, own) != NULL;
    json_array_foreach(list, i, country) {
        const char *name = json_string_value(country);
        if (name && (strcmp(name, "*") == 0 || (strlen(name) == 2 && strstr(countries, name))))
            return true;
    }
    return false;
}

static enum channel_opt in_its_languages(const struct channel_endpoint *endpoint, const char *key)
{
    struct phone phone = {0};
    const char *own = endpoint->region;

    if (*endpoint->address == '+' && phone_parse(endpoint->address, strlen(endpoint->address), NULL, &phone) == PHONE_OK &&
        strlen(phone.region) == 2)
        own = phone.region;
    for (const struct opt_words *w = opt_words; w->countries; w++) {
        if (!is_for(endpoint, own, w->countries))
            continue;
        if (is_among(w->stop, key))
            return CHANNEL_OPT_STOP;
        if (is_among(w->start, key))
            return CHANNEL_OPT_START;
        if (is_among(w->help, key))
            return CHANNEL_OPT_HELP;
    }
    return CHANNEL_OPT_NONE;
}

enum channel_opt channel_opt_keyword(const struct channel_endpoint *endpoint, const char *text)
{
    bool accented = false;
    g_autofree char *key =
        text && strlen(text) <= TEXT_MAX && g_utf8_validate(text, -1, NULL) ? squeeze(text, -1, &accented) : NULL;
    g_autofree char *plain = accented ? NULL : g_strdup(key);
    bool courtesy = plain && drop_courtesy(plain);
    enum channel_opt opt = plain ? in_english(plain, courtesy) : CHANNEL_OPT_NONE;

    return opt != CHANNEL_OPT_NONE || !key || !*key || !endpoint ? opt : in_its_languages(endpoint, key);
}
