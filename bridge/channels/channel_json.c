/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of the network: limits first (FAILURES T23), then jansson. */
#include "bridge/channels/channel.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"
#include "core/utf8_text.h"

#define MAX_DEPTH 32
#define MAX_TOKENS 20000
#define MAX_STRING (64 * 1024)

/* The end of the string that begins behind body[at] == '"': the index of its closing quote, or length. */
static size_t string_end(const char *body, size_t length, size_t at)
{
    for (at++; at < length && body[at] != '"'; at++)
        if (body[at] == '\\')
            at++;
    return MIN(at, length);
}

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == ':' || c == '[' || c == ']' ||
           c == '{' || c == '}' || c == '"';
}

/* max_string 0: as long as they are. */
static enum channel_parse scan(const char *body, size_t length, size_t max_tokens, size_t max_string, const char **why)
{
    size_t depth = 0, tokens = 0;

    for (size_t i = 0; i < length; i++) {
        char c = body[i];
        if (c == '"') {
            size_t end = string_end(body, length, i);
            if (max_string > 0 && end - i > max_string) {
                *why = "a string is longer than 64 KiB";
                return CHANNEL_OVER_LIMIT;
            }
            i = end;
            tokens++;
        } else if (c == '{' || c == '[') {
            tokens++;
            if (++depth > MAX_DEPTH) {
                *why = "nested deeper than 32";
                return CHANNEL_OVER_LIMIT;
            }
        } else if (c == '}' || c == ']') {
            if (depth > 0)
                depth--;
        } else if (!is_separator(c)) {
            while (i + 1 < length && !is_separator(body[i + 1]))
                i++;
            tokens++;
        }
        if (tokens > max_tokens) {
            *why = "too many values";
            return CHANNEL_OVER_LIMIT;
        }
    }
    return CHANNEL_PARSED;
}

enum channel_parse channel_json_scan(const char *body, size_t length, const char **why)
{
    return scan(body, length, MAX_TOKENS, MAX_STRING, why);
}

/* The code unit of the \uXXXX at text[at], or −1. */
static gint32 unit_at(const char *text, size_t length, size_t at)
{
    gint32 unit = 0;

    if (at + 6 > length || text[at] != '\\' || text[at + 1] != 'u')
        return -1;
    for (size_t i = at + 2; i < at + 6; i++) {
        if (!g_ascii_isxdigit(text[i]))
            return -1;
        unit = unit * 16 + g_ascii_xdigit_value(text[i]);
    }
    return unit;
}

static bool is_high(gint32 unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(gint32 unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

/*
 * A copy in which U+FFFD stands for what JSON can write and no UTF-8 string hold: half a surrogate pair (a carrier
 * cut an emoji in two), NUL, bytes that are no UTF-8.  jansson refuses the whole document for one of them.
 */
static char *replace_characters(const char *body, size_t length)
{
    char *text = utf8_valid(body, (gssize)length);

    length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        gint32 unit = unit_at(text, length, i);
        if (text[i] != '\\')
            continue;
        if (is_high(unit) && is_low(unit_at(text, length, i + 6)))
            i += 11;
        else if (unit == 0 || is_high(unit) || is_low(unit))
            memcpy(text + i, "\\ufffd", 6);
        else
            i++;
    }
    return text;
}

static json_t *load(const char *body, size_t length, json_error_t *problem)
{
    json_t *root = json_loadb(body, length, JSON_REJECT_DUPLICATES, problem);
    json_error_t again;

    if (!root) {
        g_autofree char *text = replace_characters(body, length);
        root = json_loadb(text, strlen(text), JSON_REJECT_DUPLICATES, &again);
    }
    return root;
}

static enum channel_parse load_within(const char *body, size_t length, size_t max_values, size_t max_string, json_t **root,
                                      GError **error)
{
    const char *why = NULL;
    json_error_t problem;
    json_t *loaded;

    if (scan(body, length, max_values, max_string, &why) != CHANNEL_PARSED) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_LIMIT, "JSON: %s", why);
        return CHANNEL_OVER_LIMIT;
    }
    loaded = max_string > 0 ? load(body, length, &problem) : json_loadb(body, length, JSON_REJECT_DUPLICATES, &problem);
    if (!loaded) {
        /* the text of jansson quotes the input: only where it is goes into the log */
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "JSON: error %d at byte %d",
                    (int)json_error_code(&problem), problem.position);
        return CHANNEL_MALFORMED;
    }
    *root = loaded;
    return CHANNEL_PARSED;
}

enum channel_parse channel_json_load(const char *body, size_t length, json_t **root, GError **error)
{
    return load_within(body, length, MAX_TOKENS, MAX_STRING, root, error);
}

enum channel_parse channel_json_load_batch(const char *body, size_t length, size_t max_values, json_t **root,
                                           GError **error)
{
    return load_within(body, length, max_values, MAX_STRING, root, error);
}

json_t *channel_json_load_content(const char *body, size_t length)
{
    json_t *root = NULL;

    return load_within(body, length, MAX_TOKENS, 0, &root, NULL) == CHANNEL_PARSED ? root : NULL;
}
