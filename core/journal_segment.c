/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the journal: directory, lock, reserve, active segment. */
#include "core/journal_format.h"
#include "core/journal_internal.h"

#include "core/cleanup.h"
#include "core/error.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define RESERVE_NAME "reserve"
#define BATCH_IOV 256

void journal_segment_name(uint64_t number, char name[static JOURNAL_NAME_SIZE])
{
    snprintf(name, JOURNAL_NAME_SIZE, "%020" PRIu64 JOURNAL_SEGMENT_SUFFIX, number);
}

/* "00000000000000000007.seg" → 7 */
static bool parse_name(const char *name, uint64_t *number)
{
    char again[JOURNAL_NAME_SIZE];

    *number = g_ascii_strtoull(name, NULL, 10);
    journal_segment_name(*number, again);
    return strcmp(name, again) == 0;
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

GArray *journal_files_list(const struct journal_files *files)
{
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    int fd = openat(files->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    uint64_t number;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (parse_name(entry->d_name, &number))
            g_array_append_val(numbers, number);
    if (dir != NULL)
        closedir(dir);
    g_array_sort(numbers, compare_numbers);
    return numbers;
}

bool journal_files_reserve(struct journal_files *files)
{
    if (files->reserve_size < 0)
        return true;
    autofd int fd = openat(files->dir_fd, RESERVE_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd >= 0 && fallocate(fd, 0, 0, files->reserve_size) == 0)
        return true;
    unlinkat(files->dir_fd, RESERVE_NAME, 0);
    return false;
}

bool journal_files_release(struct journal_files *files)
{
    return unlinkat(files->dir_fd, RESERVE_NAME, 0) == 0;
}

static int lock_directory(struct journal_files *files, GError **error)
{
    files->lock_fd = openat(files->dir_fd, "lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (files->lock_fd < 0)
        return ump_error_errno(error, errno, "%s/lock", files->dir);
    if (flock(files->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return ump_error_errno(error, errno, "%s/lock", files->dir);
        g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "%s: in use by another process", files->dir);
        return -1;
    }
    return 0;
}

int journal_files_open(struct journal_files *files, GError **error)
{
    files->fd = files->lock_fd = files->dir_fd = -1;
    if (mkdir(files->dir, 0750) != 0 && errno != EEXIST)
        return ump_error_errno(error, errno, "%s", files->dir);
    files->dir_fd = open(files->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->dir_fd < 0)
        return ump_error_errno(error, errno, "%s", files->dir);
    if (lock_directory(files, error) != 0)
        return -1;
    g_autoptr(GArray) numbers = journal_files_list(files);
    files->next_number = numbers->len > 0 ? g_array_index(numbers, uint64_t, numbers->len - 1) + 1 : 1;
    return 0;
}

void journal_files_close(struct journal_files *files)
{
    if (files->fd >= 0)
        close(files->fd);
    if (files->lock_fd >= 0)
        close(files->lock_fd);
    if (files->dir_fd >= 0)
        close(files->dir_fd);
    g_free(files->dir);
}

void journal_files_rotate(struct journal_files *files)
{
    if (files->fd >= 0)
        close(files->fd);
    files->fd = -1;
    files->size = 0;
}

/* --- Writing --- */

static int write_all(int fd, struct iovec *iov, int count)
{
    while (count > 0) {
        ssize_t n = writev(fd, iov, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        while (count > 0 && (size_t)n >= iov->iov_len) {
            n -= (ssize_t)iov->iov_len;
            iov++;
            count--;
        }
        if (count > 0) {
            iov->iov_base = (uint8_t *)iov->iov_base + n;
            iov->iov_len -= (size_t)n;
        }
    }
    return 0;
}

/* A new segment with its magic; the directory is synced, so that the file is found after a crash. */
static int open_segment(struct journal_files *files)
{
    char name[JOURNAL_NAME_SIZE];
    struct iovec magic = {(void *)(uintptr_t)JOURNAL_SEGMENT_MAGIC, JOURNAL_SEGMENT_MAGIC_SIZE};

    journal_segment_name(files->next_number, name);
    autofd int fd = openat(files->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        return errno;
    files->number = files->next_number++;
    int errnum = write_all(fd, &magic, 1);
    if (errnum == 0 && fsync(files->dir_fd) != 0)
        errnum = errno;
    if (errnum != 0) {
        unlinkat(files->dir_fd, name, 0);
        return errnum;
    }
    files->fd = cleanup_steal_fd(&fd);
    files->size = JOURNAL_SEGMENT_MAGIC_SIZE;
    return 0;
}

static int write_list(struct journal_files *files, const struct journal_entry *list, gint64 *written)
{
    struct iovec iov[BATCH_IOV];
    int errnum = 0;

    *written = 0;
    while (list != NULL && errnum == 0) {
        int count = 0;
        for (; list != NULL && count < BATCH_IOV; list = list->next) {
            iov[count++] = (struct iovec){list->bytes, list->size};
            *written += (gint64)list->size;
        }
        errnum = write_all(files->fd, iov, count);
    }
    return errnum;
}

static int write_and_sync(struct journal_files *files, const struct journal_entry *list)
{
    gint64 written;

    if (files->fd >= 0 && files->size >= files->segment_size)
        journal_files_rotate(files);
    int errnum = files->fd < 0 ? open_segment(files) : 0;
    if (errnum == 0)
        errnum = write_list(files, list, &written);
    if (errnum == 0 && fdatasync(files->fd) != 0)
        errnum = errno;
    if (errnum == 0)
        files->size += written;
    return errnum;
}

/* What was written of a batch that failed goes away, and nothing more into that file: after a
 * failed fdatasync its pages may be gone while the kernel calls them clean. */
static void abandon(struct journal_files *files)
{
    if (files->fd >= 0 && ftruncate(files->fd, files->size) != 0)
        return journal_files_rotate(files); /* a torn tail: the reader ignores it */
    journal_files_rotate(files);
}

int journal_files_write(struct journal_files *files, const struct journal_entry *list)
{
    int errnum = write_and_sync(files, list);

    if (errnum != 0)
        abandon(files);
    return errnum;
}
