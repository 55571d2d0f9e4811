/* SPDX-License-Identifier: Apache-2.0 */
/* Known text as hashes, see text_known.h. */
#include "core/text_known.h"

#include <stdbool.h>
#include <string.h>

enum {
    RUN = 4,            /* words whose sequence is recognised wherever the line is broken */
    EVIDENCE_WORDS = 3, /* fewer, or fewer letters, may be written twice by chance */
    EVIDENCE_LETTERS = 12,
    PREFIX_MAX = 40, /* bytes of "[28.05.2026 10:15] Bob Jones: " */
    PREFIXES = 4,
    TEXT_MAX = 262144,
    HASHES_MAX = 1000000
};

struct text_known {
    GHashTable *hashes; /* guint64 * → itself, owned */
};

/* The words of a text, one after the other; each letter of a script without blanks is a word. */
struct words {
    const char *p, *end;
    guint letters; /* of the last word; one that is a word by itself says as much as two */
};

static bool stands_alone(gunichar c)
{
    return g_unichar_iswide(c);
}

static gunichar take(const char *p, const char *end, const char **next)
{
    gunichar c = g_utf8_get_char_validated(p, end - p);
    bool good = c != (gunichar)-1 && c != (gunichar)-2;
    *next = good ? g_utf8_next_char(p) : p + 1;
    return good ? c : ' ';
}

/* FNV-1a over the folded letters; 0: no word left. */
static guint64 next_word(struct words *words)
{
    guint64 hash = 14695981039346656037u;
    words->letters = 0;
    while (words->p < words->end) {
        const char *next;
        gunichar c = take(words->p, words->end, &next);
        bool letter = g_unichar_isalnum(c), alone = letter && stands_alone(c);
        if (words->letters > 0 && (alone || (!letter && !g_unichar_ismark(c))))
            return hash | 1;
        words->p = next;
        if (!letter)
            continue;
        hash = (hash ^ g_unichar_tolower(c)) * 1099511628211u;
        words->letters += alone ? 2 : 1;
        if (alone)
            return hash | 1;
    }
    return words->letters > 0 ? hash | 1 : 0;
}

static guint64 mix(guint64 a, guint64 b)
{
    a = (a ^ (b + 0x9E3779B97F4A7C15u + (a << 6) + (a >> 2))) * 0xBF58476D1CE4E5B9u;
    return a ^ (a >> 29);
}

struct text_known *text_known_new(void)
{
    struct text_known *known = g_new(struct text_known, 1);
    known->hashes = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    return known;
}

static void add(struct text_known *known, guint64 hash)
{
    if (g_hash_table_size(known->hashes) < HASHES_MAX)
        g_hash_table_add(known->hashes, g_memdup2(&hash, sizeof hash));
}

static bool has(const struct text_known *known, guint64 hash)
{
    return g_hash_table_contains(known->hashes, &hash);
}

/* Runs of RUN words end at each word: shift the window, hash it. */
static guint64 push(guint64 window[RUN], guint64 word)
{
    guint64 hash = 0;
    memmove(window, window + 1, (RUN - 1) * sizeof *window);
    window[RUN - 1] = word;
    for (guint i = 0; i < RUN; i++)
        hash = mix(hash, window[i]);
    return hash;
}

static void add_lines(struct text_known *known, const char *text, gsize len)
{
    for (const char *p = text, *end = text + len; p < end;) {
        const char *nl = memchr(p, '\n', (gsize)(end - p));
        struct words words = {.p = p, .end = nl ? nl : end};
        guint64 line = 0;
        for (guint64 word = next_word(&words); word != 0; word = next_word(&words))
            line = mix(line, word);
        if (line != 0)
            add(known, line);
        p = nl ? nl + 1 : end;
    }
}

void text_known_add(struct text_known *known, const char *text)
{
    gsize len = MIN(strlen(text), (gsize)TEXT_MAX);
    guint64 window[RUN] = {0};
    struct words words = {.p = text, .end = text + len};
    guint n = 0;
    add_lines(known, text, len);
    for (guint64 word = next_word(&words); word != 0; word = next_word(&words)) {
        guint64 run = push(window, word);
        if (++n >= RUN)
            add(known, run);
    }
}

guint text_known_size(const struct text_known *known)
{
    return known ? g_hash_table_size(known->hashes) : 0;
}

static enum text_known_verdict look_up(const struct text_known *known, const char *line, gsize len)
{
    struct words words = {.p = line, .end = line + len};
    guint64 window[RUN] = {0}, whole = 0;
    guint n = 0, letters = 0;
    bool runs = true;
    for (guint64 word = next_word(&words); word != 0; word = next_word(&words)) {
        guint64 run = push(window, word);
        whole = mix(whole, word);
        letters += words.letters;
        if (++n >= RUN)
            runs = runs && has(known, run);
    }
    bool evidence = n >= EVIDENCE_WORDS && letters >= EVIDENCE_LETTERS;
    if (n == 0 || !(has(known, whole) || (n >= RUN && runs)))
        return TEXT_KNOWN_NOT;
    return evidence ? TEXT_KNOWN_LINE : TEXT_KNOWN_SHORT;
}

enum text_known_verdict text_known_line(const struct text_known *known, const char *line, gsize len)
{
    if (text_known_size(known) == 0)
        return TEXT_KNOWN_NOT;
    enum text_known_verdict verdict = look_up(known, line, len);
    guint prefixes = 0;
    for (gsize i = 0; verdict == TEXT_KNOWN_NOT && i < MIN(len, (gsize)PREFIX_MAX) && prefixes < PREFIXES; i++) {
        if (!strchr(":>|])", line[i]) || line[i] == '\0')
            continue;
        prefixes++;
        verdict = look_up(known, line + i + 1, len - i - 1);
        if (verdict == TEXT_KNOWN_SHORT)
            verdict = TEXT_KNOWN_PREFIXED;
    }
    return verdict;
}

void text_known_free(struct text_known *known)
{
    if (!known)
        return;
    g_hash_table_destroy(known->hashes);
    g_free(known);
}
