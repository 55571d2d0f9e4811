/* SPDX-License-Identifier: Apache-2.0 */
/* Load on the group commit writer, for the crash test and the benchmark.
 *   db_load put PREFIX THREADS COUNT    each id of PREFIX-thread-n once; prints every id that was acknowledged
 *   db_load hot PREFIX THREADS COUNT [alone]   bumps 20 hot rows; "alone": one commit per statement
 * prints rate and retries on stderr. */
#include "tests/integration/db/db_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct db *db;
    const char *prefix;
    unsigned thread, count;
    bool hot, alone;
    pthread_t id;
};

static atomic_uint failures;

static void one(struct job *job, unsigned n)
{
    g_autofree char *id = g_strdup_printf("%s-%u-%u", job->prefix, job->thread, n);
    g_autoptr(GError) error = NULL;
    struct db_params *p = db_params_new();
    db_params_text(p, id);
    if (job->hot) {
        g_autofree char *row = g_strdup_printf("row%02u", (job->thread * 7 + n * 13) % 20);
        db_params_text(p, row);
    } else {
        db_params_text(p, "v");
    }
    unsigned stmt = job->hot ? T_BUMP : T_PUT;
    int r = job->alone ? db_query_once(job->db, stmt, p, 60000, NULL, &error)
                       : db_write_within(job->db, stmt, p, NULL, 60000, NULL, &error);
    if (r == 0 && !job->hot)
        printf("%s\n", id);
    if (r < 0) {
        atomic_fetch_add(&failures, 1);
        fprintf(stderr, "%s: %s\n", id, error->message);
    }
}

static void *work(void *arg)
{
    struct job *job = arg;
    for (unsigned n = 0; n < job->count; n++)
        one(job, n);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 64;
    unsigned threads = (unsigned)atoi(argv[3]), count = (unsigned)atoi(argv[4]);
    struct db *db = test_open(threads);
    struct job *jobs = g_new0(struct job, threads);
    int64_t start = g_get_monotonic_time();
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned i = 0; i < threads; i++) {
        jobs[i] = (struct job){ db, argv[2], i, count, !strcmp(argv[1], "hot"), argc > 5, 0 };
        pthread_create(&jobs[i].id, NULL, work, &jobs[i]);
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(jobs[i].id, NULL);
    double seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    struct db_stats stats;
    db_get_stats(db, &stats);
    fprintf(stderr, "rate=%.0f batches=%lu retries=%lu failures=%u\n", threads * count / seconds,
            (unsigned long)stats.batches, (unsigned long)stats.retries, atomic_load(&failures));
    db_close(db, 1000);
    g_free(jobs);
    return atomic_load(&failures) != 0;
}
