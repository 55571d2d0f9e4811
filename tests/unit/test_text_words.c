/* SPDX-License-Identifier: Apache-2.0 */
/* The words of every language do what they are for: read from core/words, put into the place where mail programs put
 * them, and the answer must come out alone and certain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "core/text_extract.h"

enum { LANGUAGES_MIN = 25 };

struct words {
    GHashTable *kinds; /* "from" → GPtrArray of phrases */
};

static GPtrArray *phrases(const struct words *words, const char *kind)
{
    GPtrArray *list = g_hash_table_lookup(words->kinds, kind);
    if (!list) {
        list = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(words->kinds, g_strdup(kind), list);
    }
    return list;
}

static void read_words(const char *path, struct words *words)
{
    g_autofree char *text = NULL;
    words->kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        lines[i][strcspn(lines[i], "#")] = '\0';
        char *colon = strchr(lines[i], ':');
        if (!colon)
            continue;
        *colon = '\0';
        g_auto(GStrv) list = g_strsplit(colon + 1, " | ", -1);
        for (guint k = 0; list[k]; k++)
            g_ptr_array_add(phrases(words, lines[i]), g_strdup(g_strstrip(list[k])));
    }
}

static const char *first(const struct words *words, const char *kind)
{
    GPtrArray *list = phrases(words, kind);
    return list->len > 0 ? list->pdata[0] : NULL;
}

static guint expect(const char *path, const char *below)
{
    g_autofree char *text = g_strconcat("ok, one two\n\n", below, NULL);
    struct extracted_text out;
    text_extract_plain(text, &out);
    bool good = out.certainty == TEXT_CERTAIN && strcmp(out.text, "ok, one two") == 0;
    if (!good)
        print_error("%s: \"%s\" → %d (%s) \"%s\"\n", path, below, out.certainty, out.reason ? out.reason : "", out.text);
    extracted_text_clear(&out);
    return !good;
}

/* form: one %s for the phrase. */
static guint each(const char *path, const struct words *words, const char *kind, const char *form)
{
    GPtrArray *list = phrases(words, kind);
    g_auto(GStrv) halves = g_strsplit(form, "%s", 2);
    guint bad = 0;
    for (guint i = 0; i < list->len; i++) {
        g_auto(GStrv) around = g_strsplit(list->pdata[i], "*", 2);
        g_autofree char *phrase = g_strjoinv("iPhone", around);
        bool bare = strcmp(kind, "footer") == 0 && !around[1]; /* goes on with a name */
        g_autofree char *text = g_strconcat(halves[0], phrase, bare ? " iPhone" : "", halves[1], NULL);
        bad += expect(path, text);
    }
    return bad;
}

static guint language(const char *path)
{
    struct words words;
    guint bad = 0;
    read_words(path, &words);
    for (guint i = 0; i < phrases(&words, "date")->len; i++) {
        g_autofree char *header = g_strdup_printf("%s: Bob <bob@x.org>\n%s: 14.08.2019 11:32\n%s: me\n%s: hm\n\nold\n", first(&words, "from"),
                                                  (const char *)phrases(&words, "date")->pdata[i], first(&words, "to"), first(&words, "subject"));
        bad += expect(path, header);
    }
    bad += each(path, &words, "footer", "%s\n\n-- \nBob\n");
    bad += each(path, &words, "original", "-----%s-----\nold\n");
    bad += each(path, &words, "forwarded", "---------- %s ---------\nold\n");
    bad += each(path, &words, "verb", "Bob <bob@x.org> %s:\n\n> old\n");
    bad += each(path, &words, "marker", "--- %s ---\n\nold\n");
    g_hash_table_destroy(words.kinds);
    return bad;
}

static void languages(void **state)
{
    const char *source = g_getenv("UMP_SOURCE_DIR");
    g_autofree char *folder = g_build_filename(source ? source : ".", "core", "words", NULL);
    GDir *dir = g_dir_open(folder, 0, NULL);
    guint n = 0, bad = 0;
    assert_non_null(dir);
    for (const char *name; (name = g_dir_read_name(dir));) {
        if (!g_str_has_suffix(name, ".txt") || strcmp(name, "any.txt") == 0)
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        bad += language(path);
        n++;
    }
    g_dir_close(dir);
    assert_true(n >= LANGUAGES_MIN);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
