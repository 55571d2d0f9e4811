/* SPDX-License-Identifier: Apache-2.0 */
/* How much of an HTML text may be given to the tree builder, see html_guard.h. */
#include "core/html_guard.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum {
    BYTES_MAX = 1048576,
    DEPTH_MAX = 400,
    FORMATTING_MAX = 60,
    ATTRIBUTES_MAX = 100,
    TAGS_MAX = 60000,
    NAME_MAX_LEN = 15,
    BUCKETS = 256
};

/* Elements that the parser opens again in every new block until they are closed. */
static const char *const formatting[] = {"a",    "b", "big",   "code",   "em",     "font", "i",
                     "nobr", "s", "small", "strike", "strong", "tt",   "u"};
/* Elements that never nest by themselves: void ones, and those that the next of their kind closes. */
static const char *const flat[] = {"br",   "img",  "hr",    "meta",  "link",  "input", "area",  "base",   "col",    "wbr",
                   "p",    "li",   "td",    "th",    "tr",    "dt",    "dd",    "option", "tbody",  "thead",
                   "html", "head", "body",  "param", "track", "embed", "source", "tfoot", "colgroup"};

struct guard {
    const char *html;
    size_t len;
    size_t open[BUCKETS]; /* by hash of the name; a collision only counts too much */
    size_t depth, formatting, tags;
};

static bool listed(const char *const *list, size_t n, const char *name, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(list[i]) == len && strncasecmp(list[i], name, len) == 0)
            return true;
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '/';
}

/* From behind the name to behind '>'; counts attributes, steps over quoted values. */
static size_t skip_attributes(const struct guard *guard, size_t i, size_t *attributes)
{
    *attributes = 0;
    while (i < guard->len && guard->html[i] != '>') {
        char c = guard->html[i];
        if (is_space(c)) {
            i++;
            continue;
        }
        if (c == '=') {
            i++;
            while (i < guard->len && is_space(guard->html[i]))
                i++;
            char quote = i < guard->len ? guard->html[i] : '\0';
            if (quote == '"' || quote == '\'') {
                const char *end = memchr(guard->html + i + 1, quote, guard->len - i - 1);
                i = end ? (size_t)(end - guard->html) + 1 : guard->len;
                continue;
            }
        } else {
            ++*attributes;
        }
        while (i < guard->len && !is_space(guard->html[i]) && guard->html[i] != '>' && guard->html[i] != '=')
            i++;
    }
    return i < guard->len ? i + 1 : i;
}

static size_t bucket(const char *name, size_t len)
{
    size_t hash = len;
    for (size_t i = 0; i < len; i++)
        hash = hash * 31 + (size_t)(name[i] | 32);
    return hash % BUCKETS;
}

static bool start_tag(struct guard *guard, const char *name, size_t len)
{
    if (listed(flat, sizeof flat / sizeof flat[0], name, len))
        return true;
    bool format = listed(formatting, sizeof formatting / sizeof formatting[0], name, len);
    guard->open[bucket(name, len)]++;
    guard->depth++;
    guard->formatting += format;
    return guard->depth <= DEPTH_MAX && guard->formatting <= FORMATTING_MAX;
}

static void end_tag(struct guard *guard, const char *name, size_t len)
{
    size_t *open = &guard->open[bucket(name, len)];
    if (*open == 0 || listed(flat, sizeof flat / sizeof flat[0], name, len))
        return;
    --*open;
    guard->depth--;
    if (guard->formatting > 0 && listed(formatting, sizeof formatting / sizeof formatting[0], name, len))
        guard->formatting--;
}

size_t html_guard(const char *html, size_t len)
{
    struct guard guard = {.html = html, .len = len < BYTES_MAX ? len : BYTES_MAX};
    for (size_t i = 0; i < guard.len;) {
        const char *tag = memchr(html + i, '<', guard.len - i);
        if (!tag)
            break;
        size_t at = (size_t)(tag - html), name = at + 1;
        bool closing = name < guard.len && html[name] == '/';
        name += closing;
        if (name >= guard.len || !is_letter(html[name])) {
            i = at + 1;
            continue;
        }
        size_t end = name;
        while (end < guard.len && !is_space(html[end]) && html[end] != '>')
            end++;
        size_t name_len = end - name < NAME_MAX_LEN ? end - name : NAME_MAX_LEN, attributes;
        i = skip_attributes(&guard, end, &attributes);
        if (++guard.tags > TAGS_MAX || attributes > ATTRIBUTES_MAX)
            return at;
        if (closing)
            end_tag(&guard, html + name, name_len);
        else if (!start_tag(&guard, html + name, name_len))
            return at;
    }
    return guard.len;
}
