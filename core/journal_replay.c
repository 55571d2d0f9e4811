/* SPDX-License-Identifier: Apache-2.0 */
/* Replay of the journal into the database, and its figures. */
#include "core/journal.h"

#include "core/cleanup.h"
#include "core/error.h"
#include "core/journal_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* One segment, mapped. */
struct mapping {
    uint8_t *data;
    size_t length;
};

static int map_segment(const struct journal *journal, const char *name, struct mapping *out, GError **error)
{
    struct stat st;
    autofd int fd = openat(journal->files.dir_fd, name, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0)
        return ump_error_errno(error, errno, "%s/%s", journal->files.dir, name);
    *out = (struct mapping){NULL, (size_t)st.st_size};
    if (st.st_size == 0)
        return 0;
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return ump_error_errno(error, errno, "%s/%s", journal->files.dir, name);
    out->data = data;
    return 0;
}

/* All records of a segment to the handler; *damaged when bytes had to be skipped. */
static int hand_over(const struct mapping *map, const struct journal_handler *handler, uint64_t *count,
                     bool *damaged, GError **error)
{
    struct journal_record record;
    size_t offset = 0;

    for (;;) {
        switch (journal_read(map->data, map->length, &offset, &record)) {
        case JOURNAL_RECORD:
            if (handler->record(&record, handler->data, error) != 0)
                return -1;
            (*count)++;
            break;
        case JOURNAL_DAMAGED:
            *damaged = true;
            break;
        case JOURNAL_END:
        case JOURNAL_TORN:
            return 0;
        }
    }
}

/* A damaged segment is kept for whoever wants to look; it is not replayed again. */
static int put_away(const struct journal *journal, const char *name, bool damaged, GError **error)
{
    g_autofree char *kept = g_strconcat(name, ".damaged", NULL);
    int dir = journal->files.dir_fd;

    if ((damaged ? renameat(dir, name, dir, kept) : unlinkat(dir, name, 0)) != 0)
        return ump_error_errno(error, errno, "%s/%s", journal->files.dir, name);
    return 0;
}

static int replay_segment(struct journal *journal, uint64_t number, const struct journal_handler *handler,
                          uint64_t *replayed, GError **error)
{
    char name[JOURNAL_NAME_SIZE];
    struct mapping map = {0};
    uint64_t count = 0;
    bool damaged = false;

    journal_segment_name(number, name);
    if (map_segment(journal, name, &map, error) != 0)
        return -1;
    int result = hand_over(&map, handler, &count, &damaged, error);
    /* Also after a failure: what is in flight still points into the handler's data. */
    if (handler->flush != NULL && handler->flush(handler->data, result == 0 ? error : NULL) != 0)
        result = -1;
    if (map.data != NULL)
        munmap(map.data, map.length);
    if (result != 0)
        return -1;
    *replayed += count;
    return put_away(journal, name, damaged, error);
}

/* Closes the active segment; returns the number below which all segments are closed. */
static uint64_t rotate(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->rotate = true;
    pthread_cond_signal(&journal->work);
    while (journal->rotate)
        pthread_cond_wait(&journal->rotated, &journal->lock);
    uint64_t limit = journal->closed_below;
    pthread_mutex_unlock(&journal->lock);
    return limit;
}

static int replay_all(struct journal *journal, uint64_t limit, const struct journal_handler *handler,
                      uint64_t *replayed, GError **error)
{
    g_autoptr(GArray) numbers = journal_files_list(&journal->files);

    for (guint i = 0; i < numbers->len; i++) {
        uint64_t number = g_array_index(numbers, uint64_t, i);
        if (number < limit && replay_segment(journal, number, handler, replayed, error) != 0)
            return -1;
    }
    return 0;
}

int journal_replay(struct journal *journal, const struct journal_handler *handler, guint64 *replayed, GError **error)
{
    uint64_t count = 0;

    pthread_mutex_lock(&journal->lock);
    bool busy = journal->replaying;
    journal->replaying = true;
    pthread_mutex_unlock(&journal->lock);
    if (busy) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "a replay is under way");
        return -1;
    }
    int result = replay_all(journal, rotate(journal), handler, &count, error);
    bool reserved = result == 0 && journal_files_reserve(&journal->files);

    pthread_mutex_lock(&journal->lock);
    journal->replaying = false;
    journal->replayed += count;
    if (reserved)
        journal->reserve_released = false;
    pthread_mutex_unlock(&journal->lock);
    if (replayed != NULL)
        *replayed = count;
    return result;
}

void journal_stats(struct journal *journal, struct journal_stats *out)
{
    g_autoptr(GArray) numbers = journal_files_list(&journal->files);

    memset(out, 0, sizeof *out);
    for (guint i = 0; i < numbers->len; i++) {
        char name[JOURNAL_NAME_SIZE];
        struct stat st;
        journal_segment_name(g_array_index(numbers, uint64_t, i), name);
        if (fstatat(journal->files.dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            out->segments++;
            out->bytes += st.st_size;
        }
    }
    pthread_mutex_lock(&journal->lock);
    out->appended = journal->appended;
    out->failed = journal->failed;
    out->syncs = journal->syncs;
    out->replayed = journal->replayed;
    out->reserve_released = journal->reserve_released;
    pthread_mutex_unlock(&journal->lock);
}
