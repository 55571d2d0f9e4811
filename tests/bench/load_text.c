/* SPDX-License-Identifier: Apache-2.0 */
/* How long the extraction takes: reads every mail under `mails` and extracts its text `rounds` times.  "parse": with
 * the reading of the MIME; each mail counts with the median of its rounds. */
#include <stdlib.h>
#include <string.h>

#include "core/mail_parse.h"
#include "core/text_extract.h"
#include "tests/bench/bench.h"

static void collect(const char *path, GPtrArray *mails)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL), *data = NULL;
        gsize len;
        if (g_file_test(child, G_FILE_TEST_IS_DIR))
            collect(child, mails);
        else if (g_str_has_suffix(name, ".eml") && g_file_get_contents(child, &data, &len, NULL))
            g_ptr_array_add(mails, g_bytes_new_take(g_steal_pointer(&data), len));
    }
    if (dir)
        g_dir_close(dir);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Nanoseconds; -1: no mail that we take. */
static int64_t once(GBytes *bytes, bool parse)
{
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    g_autoptr(parsed_mail) mail = NULL;
    int64_t start = bench_now();
    if (mail_parse(data, len, NULL, &mail, NULL) != 0)
        return -1;
    int64_t parsed = bench_now();
    struct extracted_text text;
    text_extract(mail, NULL, &text);
    int64_t end = bench_now();
    extracted_text_clear(&text);
    return end - (parse ? start : parsed);
}

int main(int argc, char **argv)
{
    struct bench_option options[] = {{"mails", NULL, "directory of .eml files"}, {"rounds", "21", "times each"},
                                     {"parse", "0", "1: with the reading of the MIME"}, {NULL, NULL, NULL}};
    bench_options(options, argc, argv);
    int rounds = MAX(1, bench_int(options, "rounds"));
    g_autoptr(GPtrArray) mails = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    collect(bench_get(options, "mails"), mails);
    g_autofree int64_t *taken = g_new(int64_t, rounds);
    struct bench_latency latency = {0};
    unsigned errors = 0;
    int64_t start = bench_now();
    for (guint i = 0; i < mails->len; i++) {
        for (int round = 0; round < rounds; round++)
            taken[round] = once(mails->pdata[i], bench_int(options, "parse") != 0);
        qsort(taken, (size_t)rounds, sizeof *taken, by_value);
        if (taken[0] < 0)
            errors++;
        else
            bench_latency_add(&latency, taken[rounds / 2]);
    }
    bench_report(&latency, bench_now() - start, errors);
    return 0;
}
