/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inbound messages stored in the index (store_inbound) on few hot conversations, by threads over several
 * writers.  mode=group: group commit, each process-wide writer on its own connection; mode=single: one
 * commit per statement, one connection per thread.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/db.h"
#include "core/ids.h"
#include "tests/bench/bench.h"

static struct bench_option options[] = {
    {"uri", NULL, "of the database, as a role that may store (ump_bridge)"},
    {"account", "1", "its number"},
    {"endpoint", NULL, "id of an endpoint"},
    {"mode", "group", "group or single"},
    {"writers", "2", "writers of the group commit"},
    {"threads", "32", "callers"},
    {"messages", "20000", "how many"},
    {"contacts", "20", "different ones: hot conversations"},
    {NULL, NULL, NULL}};

static struct db *handles[16];
static atomic_int next_message, errors;
static int total, writers;
static bool grouped;

static struct db_params *make(int i, char *lock_key)
{
    struct db_params *p = db_params_new();
    g_autofree char *id = ids_new();
    g_autofree char *mail_id = ids_message_id(id, "msgs.test");
    snprintf(lock_key, 32, "+1646555%04d", i % bench_int(options, "contacts"));
    const char *const none[] = {NULL};
    db_params_int(p, bench_int(options, "account"));
    db_params_uuid(p, bench_get(options, "endpoint"));
    db_params_uuid(p, id);
    db_params_text(p, "sms");
    db_params_text(p, lock_key);
    db_params_null(p); /* name */
    db_params_null(p); /* group */
    db_params_null(p);
    db_params_null(p);
    db_params_texts(p, none);
    db_params_text(p, "text");
    db_params_text(p, "A message of the usual length, which says what such messages say.");
    db_params_text(p, "{}");
    db_params_text(p, id);
    db_params_null(p); /* reply */
    db_params_time(p, ump_clock_now_us());
    db_params_text(p, mail_id);
    db_params_text(p, "30 days");
    db_params_int(p, 100);
    db_params_text(p, "7 days");
    db_params_text(p, "inbound");
    return p;
}

static void *work(void *data)
{
    struct bench_latency *latency = data;
    int i;
    while ((i = atomic_fetch_add(&next_message, 1)) < total) {
        char lock_key[32];
        struct db_params *params = make(i, lock_key);
        g_autoptr(GError) error = NULL;
        int64_t begin = bench_now();
        struct db *db = handles[grouped ? i % writers : 0];
        int status = grouped ? db_write(db, DB_STMT_STORE_INBOUND, params, lock_key, NULL, &error)
                             : db_query_once(db, DB_STMT_STORE_INBOUND, params, 60000, NULL, &error);
        if (status == 0)
            bench_latency_add(latency, bench_now() - begin);
        else if (atomic_fetch_add(&errors, 1) < 3)
            fprintf(stderr, "error: %s\n", error->message);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    bench_options(options, argc, argv);
    int threads = bench_int(options, "threads");
    total = bench_int(options, "messages");
    grouped = strcmp(bench_get(options, "mode"), "group") == 0;
    writers = grouped ? bench_int(options, "writers") : 1;
    g_autoptr(GError) error = NULL;
    for (int w = 0; w < writers; w++) {
        struct db_options db = {.uri = bench_get(options, "uri"), .application = "bench", .pool_size = (unsigned)threads,
                                .no_writer = !grouped};
        if ((handles[w] = db_open(&db, &error)) == NULL || (grouped && db_wait_up(handles[w], 10000, &error) != 0))
            g_error("%s", error->message);
    }
    pthread_t *ids = g_new0(pthread_t, threads);
    struct bench_latency *latencies = g_new0(struct bench_latency, threads), all = {0};
    int64_t begin = bench_now();
    for (int i = 0; i < threads; i++)
        pthread_create(&ids[i], NULL, work, &latencies[i]);
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        bench_latency_merge(&all, &latencies[i]);
    }
    bench_report(&all, bench_now() - begin, (unsigned)atomic_load(&errors));
    for (int w = 0; w < writers; w++)
        db_close(handles[w], 1000);
    return atomic_load(&errors) > 0;
}
