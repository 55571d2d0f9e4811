/* SPDX-License-Identifier: Apache-2.0 */
/* What journal.c (the queue and its thread), journal_segment.c (files) and journal_replay.c share. */
#pragma once

#include "core/journal.h"

#include <pthread.h>

#define JOURNAL_SEGMENT_SUFFIX ".seg"
#define JOURNAL_NAME_SIZE 32

/* One record on its way to the disk, encoded. */
struct journal_entry {
    struct journal_entry *next;
    uint8_t *bytes;
    size_t size;
    journal_done_func done;
    void *data;
    int *errnum; /* where a blocking caller wants to know why; or NULL */
};

/* The files; only the writer thread touches the active segment. */
struct journal_files {
    char *dir;
    int dir_fd, lock_fd;
    gint64 segment_size, reserve_size;
    uint64_t next_number; /* of the next segment */
    int fd;               /* active segment, -1: none */
    uint64_t number;      /* its number */
    gint64 size;          /* up to here it is good */
};

struct journal {
    struct journal_files files;
    gint64 max_record, queue_limit;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work;  /* something for the writer */
    pthread_cond_t rotated;
    struct journal_entry *head, **tail;
    gint64 queued;
    bool stop, rotate, replaying, reserve_released;
    uint64_t closed_below; /* segments with smaller numbers get no more records */
    uint64_t appended, failed, syncs, replayed;
};

int journal_files_open(struct journal_files *files, GError **error);
void journal_files_close(struct journal_files *files);
/* Writes and syncs the whole list; 0 or errno.  After an error nothing of it counts. */
int journal_files_write(struct journal_files *files, const struct journal_entry *list);
/* The next record begins a new segment. */
void journal_files_rotate(struct journal_files *files);
/* True when there was a reserve to give back. */
bool journal_files_release(struct journal_files *files);
bool journal_files_reserve(struct journal_files *files);
/* Numbers of the segments on disk, ascending, of guint64. */
GArray *journal_files_list(const struct journal_files *files);
void journal_segment_name(uint64_t number, char name[static JOURNAL_NAME_SIZE]);
