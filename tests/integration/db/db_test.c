/* SPDX-License-Identifier: Apache-2.0 */
/* The database layer against a real PostgreSQL (DB_TEST_URI): every rule of the group commit. */
#include "tests/integration/db/db_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* after those that it needs */
#include <cmocka.h>

static struct db_params *params(unsigned n, ...)
{
    struct db_params *p = db_params_new();
    va_list list;
    va_start(list, n);
    while (n--)
        db_params_text(p, va_arg(list, const char *));
    va_end(list);
    return p;
}

static void assert_sql(const char *sql, const char *expected)
{
    g_autofree char *value = test_sql(sql);
    assert_string_equal(value ? value : "(none)", expected);
}

/* ---- collecting asynchronous results ---- */

struct box {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned ok, failed, expected;
    int last_code;
    char sqlstate[8];
    int64_t last_value;
    bool disordered;
};

static void box_init(struct box *box, unsigned expected)
{
    memset(box, 0, sizeof *box);
    pthread_mutex_init(&box->lock, NULL);
    pthread_cond_init(&box->cond, NULL);
    box->expected = expected;
}

static void into_box(void *data, struct db_rows *rows, const GError *error)
{
    struct box *box = data;
    pthread_mutex_lock(&box->lock);
    if (error) {
        box->failed++;
        box->last_code = error->code;
        g_strlcpy(box->sqlstate, db_error_sqlstate(error), sizeof box->sqlstate);
    } else {
        int64_t value = db_rows_int(rows, 0, 0);
        box->disordered |= value < box->last_value;
        box->last_value = value;
        box->ok++;
    }
    pthread_cond_signal(&box->cond);
    pthread_mutex_unlock(&box->lock);
    db_rows_free(rows);
}

static void box_wait(struct box *box)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&box->lock);
    while (box->ok + box->failed < box->expected && !pthread_cond_timedwait(&box->cond, &box->lock, &until))
        ;
    unsigned got = box->ok + box->failed;
    pthread_mutex_unlock(&box->lock);
    assert_int_equal(got, box->expected);
    pthread_mutex_destroy(&box->lock);
    pthread_cond_destroy(&box->cond);
}

static void async(struct db *db, unsigned stmt, struct db_params *p, const char *key, struct box *box)
{
    GError *error = NULL;
    assert_int_equal(db_write_async(db, stmt, p, key, 0, into_box, box, &error), 0);
}

/* T_SLEEP, and the server is at it: what is given to the writer from now on waits. */
static void sleep_there(struct db *db, const char *seconds, struct box *box)
{
    async(db, T_SLEEP, params(1, seconds), NULL, box);
    for (int i = 0; i < 5000; i++) {
        g_autofree char *sleeping = test_sql("SELECT count(*) FROM pg_stat_activity"
                                             " WHERE application_name = 'db_test' AND wait_event = 'PgSleep'");
        if (strcmp(sleeping, "0") != 0)
            return;
        g_usleep(1000);
    }
    fail_msg("the server never came to sleep");
}

/* Keeps the writer busy, so that what comes next is gathered into one batch. */
static void occupy(struct db *db, struct box *box)
{
    sleep_there(db, "0.5", box);
}

/* ---- tests ---- */

static void test_types(void **state)
{
    struct db *db = *state;
    const char *texts[] = { "plain", "with \"quotes\" \\ and, comma", "", "NULL", "é", NULL };
    int64_t ints[] = { -1, 5000000000 };
    struct db_params *p = db_params_new();
    db_params_textn(p, "a\0b\xff", 4);
    db_params_int(p, INT64_MIN);
    db_params_bool(p, true);
    db_params_uuid(p, "018f2f00-0000-7000-8000-000000000001");
    db_params_bytea(p, "\0\1\xff'\\", 5);
    db_params_time(p, 1795000000123456);
    db_params_texts(p, texts);
    db_params_ints(p, ints, 2);
    db_params_double(p, 0.1);
    db_params_interval(p, 1500000);
    g_autoptr(db_rows) rows = NULL;
    GError *error = NULL;
    assert_int_equal(db_write(db, T_TYPES, p, NULL, &rows, &error), 0);
    assert_string_equal(db_rows_text(rows, 0, 0), "a\xef\xbf\xbd" "b\xef\xbf\xbd");
    assert_true(db_rows_int(rows, 0, 1) == INT64_MIN);
    assert_true(db_rows_bool(rows, 0, 2));
    assert_string_equal(db_rows_text(rows, 0, 3), "018f2f00-0000-7000-8000-000000000001");
    g_autoptr(GBytes) bytes = db_rows_bytea(rows, 0, 4);
    assert_int_equal(g_bytes_get_size(bytes), 5);
    assert_memory_equal(g_bytes_get_data(bytes, NULL), "\0\1\xff'\\", 5);
    assert_true(db_rows_time(rows, 0, 5) == 1795000000123456);
    g_auto(GStrv) back = db_rows_texts(rows, 0, 6);
    assert_true(g_strv_equal((const char *const *)back, texts));
    assert_string_equal(db_rows_text(rows, 0, 7), "{-1,5000000000}");
    assert_true(db_rows_double(rows, 0, 8) == 0.1);
    assert_true(db_rows_bool_of(rows, 0, "same"));
    assert_null(db_rows_text_of(rows, 0, "no_such_column"));
}

static void test_nulls(void **state)
{
    struct db_params *p = db_params_new();
    for (int i = 0; i < 10; i++)
        db_params_null(p);
    g_autoptr(db_rows) rows = NULL;
    assert_int_equal(db_query_once(*state, T_TYPES, p, 0, &rows, NULL), 0);
    for (unsigned i = 0; i < 9; i++)
        assert_true(db_rows_is_null(rows, 0, i));
    assert_null(db_rows_texts(rows, 0, 6));
}

static void test_poison_among_good(void **state)
{
    struct db *db = *state;
    struct box good, bad, busy;
    struct db_stats before, after;
    box_init(&good, 63);
    box_init(&bad, 1);
    box_init(&busy, 1);
    occupy(db, &busy);
    db_get_stats(db, &before);
    for (int i = 0; i < 63; i++) {
        g_autofree char *id = g_strdup_printf("poison%d", i);
        if (i == 30)
            async(db, T_RAISE, params(1, "no, thanks"), "poison3", &bad);
        async(db, T_PUT, params(2, id, "v"), NULL, &good);
    }
    box_wait(&good);
    box_wait(&bad);
    box_wait(&busy);
    assert_int_equal(good.ok, 63);
    assert_int_equal(bad.last_code, DB_ERROR_RAISED);
    assert_string_equal(bad.sqlstate, "UM042");
    assert_sql("SELECT count(*) FROM t WHERE id LIKE 'poison%'", "63");
    db_get_stats(db, &after);
    assert_true(after.batches - before.batches <= 3); /* not one by one */
}

static void test_several_poisons(void **state)
{
    struct db *db = *state;
    struct box good, bad, busy;
    box_init(&good, 49);
    box_init(&bad, 15); /* 8 raise, 7 cannot be prepared */
    box_init(&busy, 1);
    occupy(db, &busy);
    for (int i = 0; i < 64; i++) {
        g_autofree char *id = g_strdup_printf("many%02d", i);
        if (i % 9 == 0)
            async(db, T_RAISE, params(1, id), id, &bad);
        else if (i % 9 == 4 && i < 60)
            async(db, T_BROKEN, db_params_new(), id, &bad);
        else
            async(db, T_PUT, params(2, id, "v"), NULL, &good);
    }
    box_wait(&busy);
    box_wait(&bad);
    box_wait(&good);
    assert_sql("SELECT count(*) FROM t WHERE id LIKE 'many%'", "49");
}

static void test_commit_time_error(void **state)
{
    struct db *db = *state;
    struct box good, bad, busy;
    box_init(&good, 20);
    box_init(&bad, 1);
    box_init(&busy, 1);
    occupy(db, &busy);
    for (int i = 1; i <= 20; i++) {
        g_autofree char *id = g_strdup_printf("%d", i);
        async(db, T_DEFERRED, params(1, id), NULL, &good);
        if (i == 7)
            async(db, T_DEFERRED, params(1, "-1"), NULL, &bad);
    }
    box_wait(&good);
    box_wait(&bad);
    box_wait(&busy);
    assert_int_equal(good.ok, 20);
    assert_int_equal(bad.last_code, DB_ERROR_CONSTRAINT);
    assert_sql("SELECT count(*) FROM d", "20");
}

static void test_unique(void **state)
{
    GError *error = NULL;
    assert_int_equal(db_write(*state, T_UNIQUE, params(1, "twice"), NULL, NULL, &error), 0);
    assert_int_equal(db_write(*state, T_UNIQUE, params(1, "twice"), NULL, NULL, &error), -1);
    assert_true(g_error_matches(error, DB_ERROR, DB_ERROR_UNIQUE));
    assert_string_equal(db_error_constraint(error), "t_pkey");
    assert_false(db_error_is_temporary(error));
    g_clear_error(&error);
    assert_int_equal(db_write(*state, T_RAISE, params(1, "sorry"), NULL, NULL, &error), -1);
    assert_string_equal(error->message, "sorry");
    assert_string_equal(db_error_detail(error), "why");
    g_clear_error(&error);
}

static void test_order_within_key(void **state)
{
    struct db *db = *state;
    enum { KEYS = 7, EACH = 300 };
    struct box boxes[KEYS];
    for (int k = 0; k < KEYS; k++)
        box_init(&boxes[k], EACH);
    for (int i = 0; i < EACH; i++)
        for (int k = 0; k < KEYS; k++) {
            g_autofree char *id = g_strdup_printf("o%d-%d", k, i), *key = g_strdup_printf("key%d", k);
            async(db, T_APPEND, params(2, id, key), NULL, &boxes[k]);
        }
    for (int k = 0; k < KEYS; k++) {
        box_wait(&boxes[k]);
        assert_int_equal(boxes[k].ok, EACH);
        assert_false(boxes[k].disordered);
    }
}

static void test_lock_timeout_hits_one_only(void **state)
{
    struct db *db = *state;
    GError *error = NULL;
    struct box good, bad;
    struct db_lease *lease = db_lease(db, DB_READ_WRITE, 0, 0, &error);
    assert_int_equal(db_query(lease, T_BUMP, params(2, "held", "row05"), NULL, &error), 0);
    box_init(&good, 2);
    box_init(&bad, 1);
    async(db, T_BUMP, params(2, "free1", "row04"), NULL, &good);
    async(db, T_BUMP, params(2, "stuck", "row05"), NULL, &bad);
    async(db, T_BUMP, params(2, "free2", "row06"), NULL, &good);
    box_wait(&good);
    box_wait(&bad);
    db_release(lease);
    assert_int_equal(good.ok, 2);
    assert_int_equal(bad.last_code, DB_ERROR_BUSY);
    assert_sql("SELECT count(*) FROM bumps WHERE id IN ('held', 'stuck')", "0");
}

/* Two handles lock two rows in opposite order: deadlocks come, and end. */
static void test_deadlock(void **state)
{
    struct db *one = *state, *two = test_open(1);
    struct box box;
    struct db_stats a, b;
    box_init(&box, 80);
    for (int i = 0; i < 40; i++) {
        g_autofree char *x = g_strdup_printf("dx%d", i), *y = g_strdup_printf("dy%d", i);
        async(one, T_BUMP2, params(3, x, "row10", "row11"), NULL, &box);
        async(two, T_BUMP2, params(3, y, "row11", "row10"), NULL, &box);
    }
    box_wait(&box);
    db_get_stats(one, &a);
    db_get_stats(two, &b);
    assert_int_equal(box.ok, 80);
    assert_sql("SELECT string_agg(n::text, ',' ORDER BY id) FROM hot WHERE id IN ('row10', 'row11')", "80,80");
    assert_true(a.retries + b.retries > 0);
    db_close(two, 1000);
}

static void test_terminated_backend(void **state)
{
    struct db *db = *state;
    struct box box;
    enum { N = 2000 };
    box_init(&box, N);
    for (int i = 0; i < N; i++) {
        g_autofree char *id = g_strdup_printf("term%d", i);
        async(db, T_BUMP, params(2, id, "row15"), NULL, &box);
        if (i % 500 == 250)
            g_free(test_sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                            " WHERE application_name = 'db_test' AND pid <> pg_backend_pid()"));
    }
    box_wait(&box);
    assert_int_equal(box.ok, N);
    assert_sql("SELECT n FROM hot WHERE id = 'row15'", "2000");
}

/* A statement that takes the connection with it: the others get through, it is given up. */
static void test_statement_that_kills(void **state)
{
    struct db *db = *state;
    struct box good, bad, busy;
    box_init(&good, 63);
    box_init(&bad, 1);
    box_init(&busy, 1);
    occupy(db, &busy);
    for (int i = 0; i < 63; i++) {
        g_autofree char *id = g_strdup_printf("kills%d", i);
        if (i == 40)
            async(db, T_SUICIDE, NULL, "kills40", &bad);
        async(db, T_PUT, params(2, id, "v"), NULL, &good);
    }
    box_wait(&good);
    box_wait(&bad);
    box_wait(&busy);
    assert_int_equal(good.ok, 63);
    assert_int_equal(bad.last_code, DB_ERROR_TIMEOUT);
}

static void test_plan_changes(void **state)
{
    struct db *db = *state;
    g_autoptr(db_rows) one = NULL, two = NULL, three = NULL;
    GError *error = NULL;
    assert_int_equal(db_write(db, T_WIDE, NULL, NULL, &one, &error), 0);
    assert_int_equal(db_query_once(db, T_WIDE, NULL, 0, NULL, &error), 0);
    g_free(test_sql("ALTER TABLE wide ADD b int DEFAULT 2"));
    assert_int_equal(db_write(db, T_WIDE, NULL, NULL, &two, &error), 0);
    assert_int_equal(db_rows_int_of(two, 0, "b"), 2);
    assert_int_equal(db_query_once(db, T_WIDE, NULL, 0, &three, &error), 0);
    assert_int_equal(db_rows_int_of(three, 0, "b"), 2);
}

static void test_broken_statement(void **state)
{
    GError *error = NULL;
    assert_int_equal(db_write(*state, T_BROKEN, NULL, NULL, NULL, &error), -1);
    assert_true(g_error_matches(error, DB_ERROR, DB_ERROR_STATEMENT));
    assert_string_equal(db_error_sqlstate(error), "42P01");
    g_clear_error(&error);
    assert_int_equal(db_query_once(*state, T_BROKEN, NULL, 0, NULL, &error), -1);
    assert_string_equal(db_error_sqlstate(error), "42P01");
    g_clear_error(&error);
}

static void test_deadlines(void **state)
{
    struct db *db = *state;
    GError *error = NULL;
    struct box slow, soon;
    box_init(&slow, 1);
    box_init(&soon, 1);
    sleep_there(db, "1", &slow);
    int64_t start = g_get_monotonic_time();
    assert_int_equal(db_write_async(db, T_PUT, params(2, "late", "v"), NULL, 100, into_box, &soon, &error), 0);
    assert_int_equal(db_write_within(db, T_PUT, params(2, "late2", "v"), NULL, 200, NULL, &error), -1);
    assert_true(g_error_matches(error, DB_ERROR, DB_ERROR_TIMEOUT));
    g_clear_error(&error);
    box_wait(&soon);
    assert_int_equal(soon.last_code, DB_ERROR_TIMEOUT);
    assert_true(g_get_monotonic_time() - start < 600000);
    box_wait(&slow);
    assert_int_equal(slow.ok, 1);
    /* what was given up before it was sent is not sent afterwards */
    assert_int_equal(db_write(db, T_PUT, params(2, "barrier", "v"), NULL, NULL, NULL), 0);
    assert_sql("SELECT count(*) FROM t WHERE id LIKE 'late%'", "0");
}

static void test_big_batches(void **state)
{
    struct db *db = *state;
    struct box box;
    box_init(&box, 20);
    g_autofree char *big = g_malloc0(3 << 20);
    for (int i = 0; i < 20; i++) {
        struct db_params *p = db_params_new();
        db_params_bytea(p, big, 3 << 20);
        async(db, T_ECHO, p, NULL, &box);
    }
    box_wait(&box);
    assert_int_equal(box.ok, 20);
    assert_int_equal(box.last_value, 3 << 20);
}

static void test_lease(void **state)
{
    struct db *db = *state;
    GError *error = NULL;
    struct db_lease *read = db_lease(db, DB_READ, 7, 0, &error);
    assert_non_null(read);
    assert_int_equal(db_query(read, T_READONLY, NULL, NULL, &error), -1);
    assert_string_equal(db_error_sqlstate(error), "25006");
    g_clear_error(&error);
    db_release(read);
    struct db_lease *write = db_lease(db, DB_READ_WRITE, 0, 0, &error);
    assert_int_equal(db_query(write, T_UNIQUE, params(1, "leased"), NULL, &error), 0);
    db_release(write); /* not committed */
    assert_sql("SELECT count(*) FROM t WHERE id = 'leased'", "0");
    write = db_lease(db, DB_READ_WRITE, 0, 0, &error);
    assert_int_equal(db_query(write, T_UNIQUE, params(1, "leased"), NULL, &error), 0);
    assert_int_equal(db_commit(write, &error), 0);
    db_release(write);
    assert_sql("SELECT count(*) FROM t WHERE id = 'leased'", "1");
    write = db_lease(db, DB_READ_WRITE, 0, 0, &error);
    assert_int_equal(db_query(write, T_UNIQUE, params(1, "leased"), NULL, &error), -1);
    g_clear_error(&error);
    assert_int_equal(db_commit(write, &error), -1);
    g_clear_error(&error);
    db_release(write);
}

static void test_pool_limit(void **state)
{
    struct db *db = *state; /* two leases at a time */
    GError *error = NULL;
    struct db_lease *a = db_lease(db, DB_READ, 0, 0, &error), *b = db_lease(db, DB_READ, 0, 0, &error);
    assert_null(db_lease(db, DB_READ, 0, 100, &error));
    assert_true(g_error_matches(error, DB_ERROR, DB_ERROR_TIMEOUT));
    g_clear_error(&error);
    db_release(a);
    a = db_lease(db, DB_READ, 0, 100, &error);
    assert_non_null(a);
    db_release(a);
    db_release(b);
}

struct heard {
    atomic_uint connects, payloads;
};

static void hear(void *data, const char *channel, const char *payload)
{
    struct heard *heard = data;
    atomic_fetch_add(payload ? &heard->payloads : &heard->connects, 1);
}

static void wait_for(atomic_uint *value, unsigned at_least)
{
    for (int i = 0; i < 5000 && atomic_load(value) < at_least; i++)
        g_usleep(1000);
    assert_true(atomic_load(value) >= at_least);
}

static void test_listen(void **state)
{
    struct db *db = test_open(1);
    struct heard x = { 0 }, y = { 0 };
    db_listen(db, "ump_x", hear, &x);
    wait_for(&x.connects, 1);
    db_listen(db, "ump_y", hear, &y);
    wait_for(&y.connects, 1);
    assert_int_equal(db_write(db, T_NOTIFY, params(2, "ump_x", "hello"), NULL, NULL, NULL), 0);
    wait_for(&x.payloads, 1);
    g_free(test_sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE application_name = 'db_test' AND query LIKE 'LISTEN%'"));
    wait_for(&x.connects, 2);
    wait_for(&y.connects, 2);
    assert_int_equal(db_write(db, T_NOTIFY, params(2, "ump_y", ""), NULL, NULL, NULL), 0);
    wait_for(&y.payloads, 1);
    db_close(db, 1000);
}

/* Batches that one after the other take of writes that come one by one, after a crowd has been seen or not. */
static uint64_t batches_of_trickle(unsigned gap_us, unsigned crowd)
{
    struct db_options options = { .uri = test_uri(), .application = "db_test", .stmts = test_stmts, .batch_gap_us = gap_us };
    struct db_stats before, after;
    struct box first, box;
    GError *error = NULL;
    struct db *db = db_open(&options, &error);
    assert_int_equal(db_wait_up(db, 10000, &error), 0);
    box_init(&first, crowd + 1);
    occupy(db, &first);
    for (unsigned i = 0; i < crowd; i++)
        async(db, T_PUT, params(2, "crowd", "1"), NULL, &first);
    box_wait(&first);
    assert_int_equal(first.ok, crowd + 1);
    db_get_stats(db, &before);
    box_init(&box, 5);
    for (int i = 0; i < 5; i++) {
        async(db, T_PUT, params(2, "trickle", "1"), NULL, &box);
        g_usleep(100000);
    }
    box_wait(&box);
    assert_int_equal(box.ok, 5);
    db_get_stats(db, &after);
    db_close(db, 1000);
    return after.batches - before.batches;
}

static void test_batch_gap(void **state)
{
    (void)state;
    assert_int_equal(batches_of_trickle(0, 5), 5);
    assert_int_equal(batches_of_trickle(2000000, 1), 5); /* nobody writes beside: nobody is waited for */
    assert_int_equal(batches_of_trickle(2000000, 5), 1);
}

static void test_batch_gap_ends_with_close(void **state)
{
    (void)state;
    struct db_options options = { .uri = test_uri(), .application = "db_test", .stmts = test_stmts, .batch_gap_us = 30000000 };
    GError *error = NULL;
    struct box box, last;
    struct db *db = db_open(&options, &error);
    assert_int_equal(db_wait_up(db, 10000, &error), 0);
    box_init(&box, 6);
    occupy(db, &box);
    for (int i = 0; i < 5; i++)
        async(db, T_PUT, params(2, "crowd", "1"), NULL, &box);
    box_wait(&box);
    box_init(&last, 1);
    async(db, T_PUT, params(2, "last", "1"), NULL, &last);
    int64_t start = g_get_monotonic_time();
    db_close(db, 20000);
    assert_true(g_get_monotonic_time() - start < 10000000);
    box_wait(&last);
    assert_int_equal(last.ok, 1); /* written, not given up */
}

static void test_close_settles_everything(void **state)
{
    struct db *db = test_open(1);
    struct box box;
    box_init(&box, 101);
    sleep_there(db, "3", &box);
    for (int i = 0; i < 100; i++)
        async(db, T_PUT, params(2, "closing", "v"), NULL, &box);
    int64_t start = g_get_monotonic_time();
    db_close(db, 300);
    assert_true(g_get_monotonic_time() - start < 2000000);
    box_wait(&box);
    assert_int_equal(box.last_code, DB_ERROR_CLOSED);
}

static void test_unreachable(void **state)
{
    struct db_options options = { .uri = "host=/nonexistent", .stmts = test_stmts };
    GError *error = NULL;
    struct box box;
    box_init(&box, 1);
    struct db *db = db_open(&options, &error);
    assert_non_null(db);
    assert_int_equal(db_write_async(db, T_PUT, params(2, "x", "v"), NULL, 200, into_box, &box, &error), 0);
    assert_int_equal(db_write_within(db, T_PUT, params(2, "x", "v"), NULL, 300, NULL, &error), -1);
    assert_true(db_error_is_temporary(error));
    g_clear_error(&error);
    box_wait(&box);
    assert_int_equal(box.last_code, DB_ERROR_TIMEOUT);
    assert_null(db_lease(db, DB_READ, 0, 200, &error));
    assert_true(g_error_matches(error, DB_ERROR, DB_ERROR_CONNECTION));
    g_clear_error(&error);
    assert_false(db_is_up(db));
    db_close(db, 100);
    options.uri = "nonsense";
    assert_null(db_open(&options, &error));
    g_clear_error(&error);
}

/* The first host is not there: the next one is taken. */
static void test_several_hosts(void **state)
{
    const char *uri = test_uri(); /* host=DIR … */
    const char *rest = strchr(uri, ' ');
    g_autofree char *two = g_strdup_printf("host=/nonexistent,%.*s%s", (int)(rest - uri - 5), uri + 5, rest);
    struct db_options options = { .uri = two, .stmts = test_stmts, .application = "db_test" };
    GError *error = NULL;
    struct db *db = db_open(&options, &error);
    assert_int_equal(db_wait_up(db, 5000, &error), 0);
    assert_int_equal(db_write(db, T_PUT, params(2, "second host", "v"), NULL, NULL, &error), 0);
    db_close(db, 1000);
}

static int setup(void **state)
{
    test_schema();
    *state = test_open(2);
    return 0;
}

static int teardown(void **state)
{
    db_close(*state, 1000);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_nulls),
        cmocka_unit_test(test_poison_among_good),
        cmocka_unit_test(test_several_poisons),
        cmocka_unit_test(test_commit_time_error),
        cmocka_unit_test(test_unique),
        cmocka_unit_test(test_order_within_key),
        cmocka_unit_test(test_lock_timeout_hits_one_only),
        cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_terminated_backend),
        cmocka_unit_test(test_statement_that_kills),
        cmocka_unit_test(test_plan_changes),
        cmocka_unit_test(test_broken_statement),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_big_batches),
        cmocka_unit_test(test_batch_gap),
        cmocka_unit_test(test_batch_gap_ends_with_close),
        cmocka_unit_test(test_lease),
        cmocka_unit_test(test_pool_limit),
        cmocka_unit_test(test_listen),
        cmocka_unit_test(test_close_settles_everything),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_several_hosts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
