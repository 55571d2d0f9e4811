/* SPDX-License-Identifier: Apache-2.0 */
#include "core/journal.h"

#include "core/error.h"
#include "core/journal_format.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

/* --- Faults --- */

static _Atomic int writev_fault, sync_fault; /* errno for the next calls */
static _Atomic int writev_good;              /* so many calls succeed before that */

ssize_t __real_writev(int fd, const struct iovec *iov, int count);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int count);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

ssize_t __wrap_writev(int fd, const struct iovec *iov, int count)
{
    if (atomic_load(&writev_fault) != 0 && atomic_fetch_sub(&writev_good, 1) <= 0) {
        /* Half of it reaches the file first: what a full disk does. */
        if (iov->iov_len > 2 && write(fd, iov->iov_base, iov->iov_len / 2) < 0)
            return -1;
        errno = atomic_load(&writev_fault);
        if (errno == ENOSPC)
            atomic_store(&writev_fault, 0);
        return -1;
    }
    return __real_writev(fd, iov, count);
}

int __wrap_fdatasync(int fd)
{
    if (atomic_load(&sync_fault) != 0) {
        errno = atomic_load(&sync_fault);
        return -1;
    }
    return __real_fdatasync(fd);
}

/* --- A handler that remembers --- */

struct seen {
    GPtrArray *texts;
    guint fail_at; /* 1: at the first record; 0: never */
    guint flushes;
};

static int take_record(const struct journal_record *record, void *data, GError **error)
{
    struct seen *seen = data;

    if (seen->fail_at != 0 && seen->texts->len + 1 >= seen->fail_at) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "no");
        return -1;
    }
    assert_true(record->time_us > 0);
    g_ptr_array_add(seen->texts, g_strdup_printf("%u:%.*s", record->type, (int)record->length,
                                                 (const char *)record->payload));
    return 0;
}

static int flush(void *data, GError **error)
{
    ((struct seen *)data)->flushes++;
    return 0;
}

static struct seen new_seen(void)
{
    return (struct seen){.texts = g_ptr_array_new_with_free_func(g_free)};
}

static struct journal *open_journal(const char *dir, gint64 segment_size)
{
    const struct journal_options options = {.dir = dir, .segment_size = segment_size, .reserve_size = 65536};
    g_autoptr(GError) error = NULL;
    struct journal *journal = journal_open(&options, &error);

    if (journal == NULL)
        fail_msg("%s", error->message);
    return journal;
}

static char *replay(struct journal *journal)
{
    struct seen seen = new_seen();
    const struct journal_handler handler = {take_record, flush, &seen};
    guint64 count;

    assert_int_equal(journal_replay(journal, &handler, &count, NULL), 0);
    assert_int_equal(count, seen.texts->len);
    g_ptr_array_add(seen.texts, NULL);
    char *joined = g_strjoinv(" ", (char **)seen.texts->pdata);
    g_ptr_array_unref(seen.texts);
    return joined;
}

static void append(struct journal *journal, uint32_t type, const char *text)
{
    assert_int_equal(journal_append(journal, type, text, strlen(text), NULL), 0);
}

static int setup(void **state)
{
    *state = unit_new_dir();
    atomic_store(&writev_fault, 0);
    atomic_store(&sync_fault, 0);
    return 0;
}

static int teardown(void **state)
{
    unit_remove_dir(*state);
    return 0;
}

/* --- Tests --- */

static void test_append_and_replay(void **state)
{
    struct journal *journal = open_journal(*state, 0);
    struct journal_stats stats;

    append(journal, 1, "one");
    append(journal, 2, "");
    append(journal, 7, "three");
    g_autofree char *first = replay(journal);
    assert_string_equal(first, "1:one 2: 7:three");
    g_autofree char *again = replay(journal);
    assert_string_equal(again, "");
    append(journal, 1, "four");
    g_autofree char *second = replay(journal);
    assert_string_equal(second, "1:four");
    journal_stats(journal, &stats);
    assert_int_equal(stats.appended, 4);
    assert_int_equal(stats.replayed, 4);
    assert_int_equal(stats.segments, 0);
    assert_false(stats.reserve_released);
    journal_close(journal);
}

static void test_restart(void **state)
{
    for (int i = 0; i < 3; i++) {
        struct journal *journal = open_journal(*state, 0);
        g_autofree char *text = g_strdup_printf("run%d", i);
        append(journal, 1, text);
        journal_close(journal);
    }
    struct journal *journal = open_journal(*state, 0);
    append(journal, 1, "now");
    g_autofree char *all = replay(journal);
    assert_string_equal(all, "1:run0 1:run1 1:run2 1:now");
    journal_close(journal);
}

static void test_segments(void **state)
{
    struct journal *journal = open_journal(*state, 100);
    struct journal_stats stats;

    for (int i = 0; i < 10; i++)
        append(journal, 1, "some text that is forty bytes long, about");
    journal_stats(journal, &stats);
    assert_true(stats.segments >= 5);
    g_autofree char *all = replay(journal);
    assert_int_equal(strlen(all), 10 * 44 - 1);
    journal_close(journal);
}

static void test_handler_stops(void **state)
{
    struct journal *journal = open_journal(*state, 0);
    struct seen seen = new_seen();
    const struct journal_handler handler = {take_record, flush, &seen};
    g_autoptr(GError) error = NULL;

    append(journal, 1, "a");
    append(journal, 1, "b");
    seen.fail_at = 2;
    assert_int_equal(journal_replay(journal, &handler, NULL, &error), -1);
    assert_int_equal(error->code, UMP_ERROR_UNAVAILABLE);
    assert_int_equal(seen.flushes, 1);
    g_ptr_array_unref(seen.texts);
    append(journal, 1, "c");
    g_autofree char *all = replay(journal);
    assert_string_equal(all, "1:a 1:b 1:c");
    journal_close(journal);
}

static void test_one_process(void **state)
{
    struct journal *journal = open_journal(*state, 0);
    const struct journal_options options = {.dir = *state};
    g_autoptr(GError) error = NULL;

    assert_null(journal_open(&options, &error));
    assert_int_equal(error->code, UMP_ERROR_UNAVAILABLE);
    journal_close(journal);
}

/* The disk is full: the reserve is given back, the record is written none the less. */
static void test_reserve(void **state)
{
    struct journal *journal = open_journal(*state, 0);
    struct journal_stats stats;

    append(journal, 1, "before");
    atomic_store(&writev_fault, ENOSPC);
    append(journal, 1, "during");
    journal_stats(journal, &stats);
    assert_true(stats.reserve_released);
    g_autofree char *all = replay(journal);
    assert_string_equal(all, "1:before 1:during");
    journal_stats(journal, &stats);
    assert_false(stats.reserve_released);
    journal_close(journal);
}

/* An error is told to the caller, leaves no half record, and the next append works. */
static void test_write_error(void **state)
{
    struct journal *journal = open_journal(*state, 0);
    g_autoptr(GError) error = NULL;

    append(journal, 1, "a");
    atomic_store(&writev_fault, EIO);
    assert_int_equal(journal_append(journal, 1, "bad", 3, &error), -1);
    assert_int_equal(error->code, UMP_ERROR_IO);
    atomic_store(&writev_fault, 0);
    append(journal, 1, "b");
    atomic_store(&sync_fault, EIO);
    assert_int_equal(journal_append(journal, 1, "bad", 3, NULL), -1);
    atomic_store(&sync_fault, 0);
    append(journal, 1, "c");
    g_autofree char *all = replay(journal);
    assert_string_equal(all, "1:a 1:b 1:c");
    journal_close(journal);
}

static void test_limits(void **state)
{
    const struct journal_options options = {.dir = *state, .max_record = 100, .queue_bytes = 60};
    struct journal *journal = journal_open(&options, NULL);
    char payload[101] = {0};

    assert_int_equal(journal_append(journal, 1, payload, 101, NULL), -1);
    assert_int_equal(journal_append(journal, 1, payload, 50, NULL), -1); /* more than the queue holds */
    assert_int_equal(journal_append(journal, 1, payload, 10, NULL), 0);
    journal_close(journal);
}

/* --- Many threads --- */

static _Atomic int done_count;

static void count_done(bool ok, void *data)
{
    assert_true(ok);
    atomic_fetch_add(&done_count, 1);
}

static void *append_many(void *data)
{
    struct journal *journal = data;

    for (int i = 0; i < 100; i++)
        if (i % 2 == 0)
            g_assert_cmpint(journal_append(journal, 1, "sync", 4, NULL), ==, 0);
        else
            journal_append_async(journal, 1, "async", 5, count_done, NULL);
    return NULL;
}

static void test_threads(void **state)
{
    struct journal *journal = open_journal(*state, 4096);
    pthread_t threads[8];
    struct journal_stats stats;
    gsize replayed = 0;

    atomic_store(&done_count, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, journal), 0);
    for (int i = 0; i < 20; i++) {
        g_autofree char *part = replay(journal);
        g_auto(GStrv) words = g_strsplit(part, " ", -1);
        replayed += *part != '\0' ? g_strv_length(words) : 0;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    append(journal, 1, "last");
    g_autofree char *rest = replay(journal);
    g_auto(GStrv) words = g_strsplit(rest, " ", -1);
    replayed += g_strv_length(words);
    assert_int_equal(replayed, 801);
    assert_int_equal(atomic_load(&done_count), 400);
    journal_stats(journal, &stats);
    print_message("801 records, %u syncs\n", (guint)stats.syncs);
    journal_close(journal);
}

/* --- The reader --- */

static GByteArray *segment_of(const char *const *texts, guint count)
{
    GByteArray *bytes = g_byte_array_new();

    g_byte_array_append(bytes, (const guint8 *)JOURNAL_SEGMENT_MAGIC, JOURNAL_SEGMENT_MAGIC_SIZE);
    for (guint i = 0; i < count; i++) {
        guint at = bytes->len;
        g_byte_array_set_size(bytes, at + (guint)journal_record_size(strlen(texts[i])));
        journal_encode(bytes->data + at, i, 1700000000000000, texts[i], strlen(texts[i]));
    }
    return bytes;
}

static const char *const TEXTS[] = {"first", "UMPR", "third record"};

static guint read_all(const guint8 *data, size_t length, guint *damaged)
{
    struct journal_record record;
    size_t offset = 0;
    guint count = 0;

    *damaged = 0;
    for (;;) {
        enum journal_read_result result = journal_read(data, length, &offset, &record);
        if (result == JOURNAL_END || result == JOURNAL_TORN)
            return count;
        if (result == JOURNAL_DAMAGED)
            (*damaged)++;
        else
            count++;
    }
}

static void test_torn_tail(void **state)
{
    g_autoptr(GByteArray) segment = segment_of(TEXTS, 3);
    guint damaged;
    size_t two = JOURNAL_SEGMENT_MAGIC_SIZE + journal_record_size(5) + journal_record_size(4);

    for (guint length = 0; length <= segment->len; length++) {
        guint whole = length == segment->len ? 3 : length >= two ? 2
                      : length >= JOURNAL_SEGMENT_MAGIC_SIZE + journal_record_size(5) ? 1 : 0;
        assert_int_equal(read_all(segment->data, length, &damaged), whole);
        assert_int_equal(damaged, 0);
    }
}

static void test_every_byte_counts(void **state)
{
    g_autoptr(GByteArray) segment = segment_of(TEXTS, 3);
    guint damaged;

    for (guint i = JOURNAL_SEGMENT_MAGIC_SIZE; i < segment->len; i++) {
        segment->data[i] ^= 0x20;
        guint count = read_all(segment->data, segment->len, &damaged);
        assert_int_equal(count, 2);
        assert_int_equal(damaged, i < segment->len - journal_record_size(12) ? 1 : 0);
        segment->data[i] ^= 0x20;
    }
}

static void test_damaged_is_kept(void **state)
{
    g_autoptr(GByteArray) segment = segment_of(TEXTS, 3);
    g_autofree char *name = g_build_filename(*state, "00000000000000000001.seg", NULL);
    g_autofree char *kept = g_strconcat(name, ".damaged", NULL);

    segment->data[20] ^= 1;
    assert_true(g_file_set_contents(name, (const char *)segment->data, segment->len, NULL));
    struct journal *journal = open_journal(*state, 0);
    g_autofree char *all = replay(journal);
    assert_string_equal(all, "1:UMPR 2:third record");
    assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
    assert_false(g_file_test(name, G_FILE_TEST_EXISTS));
    journal_close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_append_and_replay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_segments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_handler_stops, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_process, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reserve, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
        cmocka_unit_test(test_torn_tail),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test_setup_teardown(test_damaged_is_kept, setup, teardown),
    };

    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
