/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: queue and writer thread.  While one batch is synced the next gathers. */
#include "core/journal.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/journal_format.h"
#include "core/journal_internal.h"

#include <errno.h>
#include <string.h>

#define MIB (1024 * 1024)

/* --- The writer --- */

static void finish_entry(struct journal_entry *entry, int errnum)
{
    if (entry->errnum != NULL)
        *entry->errnum = errnum;
    entry->done(errnum == 0, entry->data);
    g_free(entry->bytes);
    g_free(entry);
}

static void finish_list(struct journal_entry *list, int errnum)
{
    while (list != NULL) {
        struct journal_entry *next = list->next;
        finish_entry(list, errnum);
        list = next;
    }
}

static bool is_full(int errnum)
{
    return errnum == ENOSPC || errnum == EDQUOT;
}

/* Called without the lock. */
static int write_batch(struct journal *journal, struct journal_entry *list)
{
    int errnum = journal_files_write(&journal->files, list);

    if (is_full(errnum)) {
        bool released = journal_files_release(&journal->files);
        pthread_mutex_lock(&journal->lock);
        journal->reserve_released = true;
        pthread_mutex_unlock(&journal->lock);
        if (released)
            errnum = journal_files_write(&journal->files, list);
    }
    return errnum;
}

static void account(struct journal *journal, const struct journal_entry *list, int errnum)
{
    journal->syncs++;
    for (; list != NULL; list = list->next) {
        journal->queued -= (gint64)list->size;
        if (errnum == 0)
            journal->appended++;
        else
            journal->failed++;
    }
}

static void *run_writer(void *data)
{
    struct journal *journal = data;

    pthread_mutex_lock(&journal->lock);
    for (;;) {
        while (journal->head == NULL && !journal->rotate && !journal->stop)
            pthread_cond_wait(&journal->work, &journal->lock);
        if (journal->rotate) {
            journal_files_rotate(&journal->files);
            journal->closed_below = journal->files.next_number;
            journal->rotate = false;
            pthread_cond_broadcast(&journal->rotated);
        }
        struct journal_entry *list = journal->head;
        journal->head = NULL;
        journal->tail = &journal->head;
        if (list == NULL && journal->stop)
            break;
        if (list == NULL)
            continue;
        pthread_mutex_unlock(&journal->lock);
        int errnum = write_batch(journal, list);
        pthread_mutex_lock(&journal->lock);
        account(journal, list, errnum);
        pthread_mutex_unlock(&journal->lock);
        finish_list(list, errnum);
        pthread_mutex_lock(&journal->lock);
    }
    pthread_mutex_unlock(&journal->lock);
    return NULL;
}

/* --- Open and close --- */

static void destroy(struct journal *journal)
{
    journal_files_close(&journal->files);
    pthread_cond_destroy(&journal->work);
    pthread_cond_destroy(&journal->rotated);
    pthread_mutex_destroy(&journal->lock);
    g_free(journal);
}

struct journal *journal_open(const struct journal_options *options, GError **error)
{
    struct journal *journal = g_new0(struct journal, 1);

    journal->files.dir = g_strdup(options->dir);
    journal->files.segment_size = options->segment_size != 0 ? options->segment_size : 16 * MIB;
    journal->files.reserve_size = options->reserve_size != 0 ? options->reserve_size : 64 * MIB;
    journal->max_record = options->max_record != 0 ? options->max_record : 8 * MIB;
    journal->queue_limit = options->queue_bytes != 0 ? options->queue_bytes : 64 * MIB;
    journal->tail = &journal->head;
    pthread_mutex_init(&journal->lock, NULL);
    pthread_cond_init(&journal->work, NULL);
    pthread_cond_init(&journal->rotated, NULL);
    if (journal_files_open(&journal->files, error) != 0) {
        destroy(journal);
        return NULL;
    }
    journal->reserve_released = !journal_files_reserve(&journal->files);
    int errnum = pthread_create(&journal->thread, NULL, run_writer, journal);
    if (errnum != 0) {
        ump_error_errno(error, errnum, "journal thread");
        destroy(journal);
        return NULL;
    }
    pthread_setname_np(journal->thread, "journal");
    return journal;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    pthread_mutex_lock(&journal->lock);
    journal->stop = true;
    pthread_cond_signal(&journal->work);
    pthread_mutex_unlock(&journal->lock);
    pthread_join(journal->thread, NULL);
    destroy(journal);
}

/* --- Append --- */

static struct journal_entry *new_entry(uint32_t type, const void *payload, size_t length)
{
    struct journal_entry *entry = g_new0(struct journal_entry, 1);

    entry->size = journal_record_size(length);
    entry->bytes = g_malloc(entry->size);
    journal_encode(entry->bytes, type, ump_clock_now_us(), payload, length);
    return entry;
}

/* 0: queued; else errno, and the entry is still the caller's. */
static int enqueue(struct journal *journal, struct journal_entry *entry)
{
    int errnum = 0;

    pthread_mutex_lock(&journal->lock);
    if (journal->queued + (gint64)entry->size > journal->queue_limit) {
        journal->failed++;
        errnum = EAGAIN;
    } else {
        *journal->tail = entry;
        journal->tail = &entry->next;
        journal->queued += (gint64)entry->size;
        pthread_cond_signal(&journal->work);
    }
    pthread_mutex_unlock(&journal->lock);
    return errnum;
}

static void append(struct journal *journal, uint32_t type, const void *payload, size_t length,
                   journal_done_func done, void *data, int *why)
{
    if ((gint64)length > journal->max_record) {
        if (why != NULL)
            *why = EMSGSIZE;
        done(false, data);
        return;
    }
    struct journal_entry *entry = new_entry(type, payload, length);
    entry->done = done;
    entry->data = data;
    entry->errnum = why;
    int errnum = enqueue(journal, entry);
    if (errnum != 0)
        finish_entry(entry, errnum);
}

void journal_append_async(struct journal *journal, uint32_t type, const void *payload, size_t length,
                          journal_done_func done, void *data)
{
    append(journal, type, payload, length, done, data, NULL);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
};

static void wake(bool ok, void *data)
{
    struct waiter *waiter = data;

    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    pthread_cond_signal(&waiter->cond);
    pthread_mutex_unlock(&waiter->lock);
}

int journal_append(struct journal *journal, uint32_t type, const void *payload, size_t length, GError **error)
{
    struct waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    int errnum = 0;

    append(journal, type, payload, length, wake, &waiter, &errnum);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.done)
        pthread_cond_wait(&waiter.cond, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    pthread_cond_destroy(&waiter.cond);
    pthread_mutex_destroy(&waiter.lock);
    return errnum == 0 ? 0 : ump_error_errno(error, errnum, "journal %s", journal->files.dir);
}
