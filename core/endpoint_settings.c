/* SPDX-License-Identifier: Apache-2.0 */
#include "core/endpoint_settings.h"

#include <math.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/config.h"
#include "core/error.h"
#include "core/gsm.h"
#include "core/phone.h"
#include "core/quiet.h"

const struct endpoint_setting endpoint_settings[] = {
    {"countries", ENDPOINT_SETTING_LIST, 0, 0, "US,CA,…",
     "Countries that may be written to; \"*\": all. Default: the country of the endpoint's own number."},
    {"max_segments", ENDPOINT_SETTING_INT, 1, 10, NULL, "How many SMS one mail may become. Default 6."},
    {"transliterate", ENDPOINT_SETTING_BOOL, 0, 0, NULL,
     "Replace typographic quotes, dashes and spaces, so that a text stays within GSM 03.38."},
    {"national_shift", ENDPOINT_SETTING_LIST, 0, 0, "tr,es,…",
     "Languages whose national shift tables (3GPP TS 23.038) the provider uses, as it charges by them: tr, es, pt, bn, "
     "gu, hi, kn, ml, or, pa, ta, te, ur. Default: none."},
    {"uncertain", ENDPOINT_SETTING_CHOICE, 0, 0, "hold|send",
     "When it is not certain which text is new: hold it and ask (default), or send the best reading unless that is "
     "empty."},
    {"on_unknown", ENDPOINT_SETTING_CHOICE, 0, 0, "ask|never|resend",
     "When the provider did not answer: report and ask (default), report as failed, or send again."},
    {"resend_absent", ENDPOINT_SETTING_BOOL, 0, 0, NULL,
     "When a provider that lists every message says twice that it has not got one: send it again (default), or go by "
     "on_unknown."},
    {"poll", ENDPOINT_SETTING_DURATION, 1, 86400, "5m",
     "How often the provider is asked for messages and statuses that its webhooks lost, where it can be. Default 0: "
     "never."},
    {"watch", ENDPOINT_SETTING_DURATION, 1, 604800, "15m",
     "How often the provider is asked whether the endpoint is well; when it is not, twice in a row, its owner and the "
     "administrators get a mail, and another when it is again. 0: never. Default 15m."},
    {"silent_after", ENDPOINT_SETTING_DURATION, 1, 31536000, "1d",
     "An endpoint that was told nothing by its provider for so long is held to be cut off, as with watch. Default 0: "
     "silence is no fault."},
    {"read_receipts", ENDPOINT_SETTING_BOOL, 0, 0, NULL,
     "Tell the network when a message was read in the mailbox, where it has read receipts and Dovecot's doveadm API may be "
     "asked ([dovecot] doveadm_url). Of what comes from then on. Default: no."},
    {"rate", ENDPOINT_SETTING_NUMBER, 0, 100000, "per second",
     "Messages a second; 0: as fast as it goes, also for the account. Default: the adapter's."},
    {"burst", ENDPOINT_SETTING_NUMBER, 1, 100000, NULL, "How many may leave at once after a pause. Default: rate."},
    {"pair_rate", ENDPOINT_SETTING_NUMBER, 0, 1000, "per second", "Messages a second to one contact; 0: no limit."},
    {"pair_burst", ENDPOINT_SETTING_NUMBER, 1, 1000, NULL, "How many to one contact at once. Default 1."},
    {"account_rate", ENDPOINT_SETTING_NUMBER, 0, 100000, "per second",
     "Messages a second from all endpoints of the tenant at this provider; 0: no limit. Default: the adapter's."},
    {"price_per_segment", ENDPOINT_SETTING_INT, 0, 100000000, "millionths",
     "For the account's spending cap, in millionths of its currency."},
    {"subject_first", ENDPOINT_SETTING_BOOL, 0, 0, NULL, "Send the Subject as first line of a new conversation."},
    {"send_expires", ENDPOINT_SETTING_INT, 60, 1209600, "seconds",
     "A message that could not be sent for this long expires. Default 86400."},
    {"media_links", ENDPOINT_SETTING_BOOL, 0, 0, NULL,
     "Send an attachment that the channel cannot carry as a signed link instead of refusing it."},
    {"quiet_hours", ENDPOINT_SETTING_HOURS, 0, 0, "21:00-08:00",
     "When it is night for a recipient: what a machine sender sends him then waits until they are over; a person's own mail "
     "never does. By the clock where his number is (in one of several time zones that this may be: while it is night in any "
     "of them); where that is not known, in the account's time_zone. Default: none."},
    {"quiet_urgent", ENDPOINT_SETTING_BOOL, 0, 0, NULL,
     "Mail that is marked as urgent (Importance: high, Priority: urgent, X-Priority: 1) is not held back by quiet_hours. "
     "Default: no."},
    {"digest", ENDPOINT_SETTING_BOOL, 0, 0, NULL,
     "Every day a mail to the owner: what was received, sent, delivered, failed and why, its cost and how long it took. "
     "About days on which something happened, in his time zone (user set --time-zone, else the account's time_zone), at "
     "[receipts] daily_at. Default: no."},
    {"caribbean", ENDPOINT_SETTING_BOOL, 0, 0, NULL, "Allow Caribbean numbers of the +1 zone. Default: no."},
    {NULL, 0, 0, 0, NULL, NULL}};

const struct endpoint_setting account_settings[] = {
    {"user_per_hour", ENDPOINT_SETTING_INT, 0, 1000000, NULL,
     "Messages that a user may send in an hour; 0: no limit. Default: [caps] user_per_hour."},
    {"range_per_hour", ENDPOINT_SETTING_INT, 0, 1000000, NULL,
     "First messages to numbers close to each other in an hour; 0: no limit. Default: [caps] range_per_hour."},
    {"spend_per_day", ENDPOINT_SETTING_INT, 0, 1e15, "millionths",
     "What may be spent in a day, in millionths of the currency of price_per_segment; 0: no limit."},
    {"rate", ENDPOINT_SETTING_NUMBER, 0, 100000, "per second", "Messages a second of the whole account; 0: no limit."},
    {"burst", ENDPOINT_SETTING_NUMBER, 1, 100000, NULL, "How many may leave at once after a pause. Default: rate."},
    {"opt_out_scope", ENDPOINT_SETTING_CHOICE, 0, 0, "account|endpoint",
     "Whether STOP holds for the account's endpoints of the channel (default) or for the one it was said to."},
    {"time_zone", ENDPOINT_SETTING_ZONE, 0, 0, "Europe/Berlin",
     "In which days begin and end, for statistics and digests, where a user has none of his own; and quiet hours of "
     "recipients whose own zone is not known. Default: UTC."},
    {NULL, 0, 0, 0, NULL, NULL}};

const struct endpoint_setting *endpoint_setting_find(const char *key)
{
    for (const struct endpoint_setting *s = endpoint_settings; s->key != NULL; s++)
        if (strcmp(s->key, key) == 0)
            return s;
    return NULL;
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"yes", "true", "on", "1", NULL};
    static const char *const no[] = {"no", "false", "off", "0", NULL};
    if (g_strv_contains(yes, text))
        *out = true;
    else if (g_strv_contains(no, text))
        *out = false;
    else
        return false;
    return true;
}

static bool is_choice(const char *words, const char *text)
{
    g_auto(GStrv) list = g_strsplit(words, "|", -1);
    return g_strv_contains((const char *const *)list, text);
}

static bool is_country(const char *word)
{
    return strcmp(word, "*") == 0 || phone_region_known(word);
}

static bool is_shift_language(const char *word)
{
    g_autofree char *code = g_ascii_strdown(word, -1);

    return gsm_language_find(code) != GSM_DEFAULT;
}

/* Which words a list takes; they are kept in upper case. */
static const struct list_rule {
    const char *key;
    bool (*takes)(const char *word);
    const char *what; /* that a wrong word is not */
} list_rules[] = {
    {"countries", is_country, "is no country (two letters, e.g. US) and not *"},
    {"national_shift", is_shift_language, "is no language with national shift tables (two letters, e.g. tr)"},
};

static const struct list_rule *list_rule_of(const char *key)
{
    for (size_t i = 0; i < G_N_ELEMENTS(list_rules); i++)
        if (strcmp(list_rules[i].key, key) == 0)
            return &list_rules[i];
    g_assert_not_reached();
}

static json_t *parse_list(const char *key, const char *text, GError **error)
{
    g_autoptr(json_t) list = json_array();
    g_auto(GStrv) words = g_strsplit_set(text, ", ", -1);
    const struct list_rule *rule = list_rule_of(key);
    for (char **w = words; *w != NULL; w++) {
        g_autofree char *word = g_ascii_strup(*w, -1);
        if (*word == '\0')
            continue;
        if (!rule->takes(word)) {
            g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "%s: \"%s\" %s", key, *w, rule->what);
            return NULL;
        }
        json_array_append_new(list, json_string(word));
    }
    return g_steal_pointer(&list);
}

static json_t *parse_number(const struct endpoint_setting *s, const char *text, GError **error)
{
    char *end = NULL;
    double value = g_ascii_strtod(text, &end);
    bool whole = s->type == ENDPOINT_SETTING_INT;
    if (*text == '\0' || *end != '\0' || !isfinite(value) || (whole && value != floor(value)) || value < s->min ||
        value > s->max) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "%s must be a %s from %g to %g, not \"%s\"", s->key,
                    whole ? "whole number" : "number", s->min, s->max, text);
        return NULL;
    }
    return whole ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *parse_duration(const struct endpoint_setting *s, const char *text, GError **error)
{
    gint64 us, second = G_USEC_PER_SEC;
    if (!config_parse_duration(text, &us) || us % second != 0 ||
        (us != 0 && ((double)us / (double)second < s->min || (double)us / (double)second > s->max))) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "%s must be 0 or a time from %gs to %gs, such as 5m, not \"%s\"",
                    s->key, s->min, s->max, text);
        return NULL;
    }
    return json_integer(us / second);
}

/* POSIX rules and offsets ("+01:00") are left out: they do not mean the same to everybody. */
bool endpoint_setting_zone_known(const char *name)
{
    if (!g_ascii_isalpha(*name))
        return false;
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(name);
    return zone != NULL;
}

static json_t *parse(const struct endpoint_setting *s, const char *key, const char *text, GError **error)
{
    struct quiet_hours hours;
    bool flag;
    json_t *value = NULL;
    switch (s != NULL ? s->type : ENDPOINT_SETTING_STRING) {
    case ENDPOINT_SETTING_INT:
    case ENDPOINT_SETTING_NUMBER:
        return parse_number(s, text, error);
    case ENDPOINT_SETTING_DURATION:
        return parse_duration(s, text, error);
    case ENDPOINT_SETTING_BOOL:
        if (parse_bool(text, &flag))
            return json_boolean(flag);
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "%s must be yes or no, not \"%s\"", key, text);
        return NULL;
    case ENDPOINT_SETTING_CHOICE:
        if (is_choice(s->words, text))
            return json_string(text);
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "%s must be one of %s, not \"%s\"", key, s->words, text);
        return NULL;
    case ENDPOINT_SETTING_ZONE:
        if (endpoint_setting_zone_known(text))
            return json_string(text);
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "%s must be a time zone, such as Europe/Berlin, not \"%s\"", key,
                    text);
        return NULL;
    case ENDPOINT_SETTING_HOURS:
        if (quiet_hours_parse(text, &hours))
            return json_string(text);
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "%s must be a part of the day, such as 21:00-08:00, not \"%s\"", key,
                    text);
        return NULL;
    case ENDPOINT_SETTING_LIST:
        return parse_list(key, text, error);
    case ENDPOINT_SETTING_STRING:
        value = json_string(text);
        if (value == NULL)
            g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "the value of %s is not UTF-8", key);
        return value;
    }
    g_assert_not_reached();
}

/* "https://host…", or plain http to a simulator or a daemon on this machine. */
static bool is_base_url(const char *text)
{
    const char *host = g_str_has_prefix(text, "https://") ? text + 8 : g_str_has_prefix(text, "http://") ? text + 7 : "";
    return *host != '\0' && *host != '/';
}

json_t *endpoint_setting_parse(const char *key, const char *text, GError **error)
{
    if (*text == '\0')
        return json_null();
    if (strcmp(key, "base_url") == 0 && !is_base_url(text)) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "base_url must begin with https://HOST or http://HOST, not \"%s\"",
                    text);
        return NULL;
    }
    return parse(endpoint_setting_find(key), key, text, error);
}

json_t *account_setting_parse(const char *key, const char *text, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (const struct endpoint_setting *s = account_settings; s->key != NULL; s++) {
        if (strcmp(s->key, key) == 0)
            return *text == '\0' ? json_null() : parse(s, key, text, error);
        g_string_append_printf(known, " %s", s->key);
    }
    g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "an account has no setting \"%s\"; it knows:%s", key, known->str);
    return NULL;
}

gint64 endpoint_setting_int(const json_t *settings, const char *key, gint64 fallback)
{
    const json_t *value = json_object_get(settings, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

double endpoint_setting_number(const json_t *settings, const char *key, double fallback)
{
    const json_t *value = json_object_get(settings, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

bool endpoint_setting_bool(const json_t *settings, const char *key, bool fallback)
{
    const json_t *value = json_object_get(settings, key);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

const char *endpoint_setting_string(const json_t *settings, const char *key, const char *fallback)
{
    const json_t *value = json_object_get(settings, key);
    return json_is_string(value) ? json_string_value(value) : fallback;
}
