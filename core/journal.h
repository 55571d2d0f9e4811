/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: where a fact is made durable when the database does not answer in time.  Append
 * only, on local disk, group fdatasync by one writer thread; replayed into the database later, and
 * deleted segment by segment once that is done.
 *
 * Segment file: 8 bytes "UMPJRNL1", then records:
 *     "UMPR" | length u32 | crc32c u32 | type u32 | time u64 (µs) | payload | "END\n"    little endian
 * crc over type, time and payload.  A torn record at the tail was never acknowledged: it is
 * ignored.  Damage in the middle is stepped over to the next whole record; such a segment is kept
 * as *.damaged after its replay.
 *
 * A reserve file (fallocate) is given back to the file system when it is full, so that the journal
 * goes on for a while; when even that is gone, append fails and the caller answers 503.
 * The directory is locked (flock): one process per directory.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;

struct journal_options {
    const char *dir;      /* made (0750) when absent */
    gint64 segment_size;  /* 0: 16 MiB; a record may stand alone in a larger one */
    gint64 reserve_size;  /* 0: 64 MiB; negative: none */
    gint64 max_record;    /* 0: 8 MiB */
    gint64 queue_bytes;   /* waiting to be written; 0: 64 MiB; above it append fails at once */
};

/* Locks the directory and starts the writer.  Segments of an earlier run wait for journal_replay(). */
struct journal *journal_open(const struct journal_options *options, GError **error);
/* Writes what is queued, ends the thread.  What was not replayed stays for the next run. */
void journal_close(struct journal *journal);

/* Blocks until the record is on disk.  0 or -1. */
int journal_append(struct journal *journal, uint32_t type, const void *payload, size_t length, GError **error);

/* ok: on disk.  Called in the writer thread, or (when refused at once) in the caller's; must not block. */
typedef void (*journal_done_func)(bool ok, void *data);
/* Copies payload. */
void journal_append_async(struct journal *journal, uint32_t type, const void *payload, size_t length,
                          journal_done_func done, void *data);

struct journal_record {
    uint32_t type;
    gint64 time_us;
    const uint8_t *payload; /* borrowed, until the function returns */
    size_t length;
};

struct journal_handler {
    /* 0: taken (for good, or in flight until flush()); -1: stop, keep the segment. */
    int (*record)(const struct journal_record *record, void *data, GError **error);
    /* After the last record of a segment: 0 when all of them are durable elsewhere; the segment is
     * deleted then.  NULL: record() was synchronous. */
    int (*flush)(void *data, GError **error);
    void *data;
};

/*
 * Hands over every record that is not yet replayed, oldest first, including those appended by this
 * run so far (the active segment is closed first).  One caller at a time.  A record may come again
 * after a crash or an error: the handler must be idempotent.  0: all done; -1: stopped by the
 * handler or by I/O, what is left will come next time.  *replayed (may be NULL): how many.
 */
int journal_replay(struct journal *journal, const struct journal_handler *handler, guint64 *replayed,
                   GError **error);

struct journal_stats {
    guint64 appended, failed, syncs, replayed;
    guint segments;         /* files with records that are not replayed, the active one included */
    gint64 bytes;           /* in them */
    bool reserve_released;  /* the disk is full: alarm */
};
void journal_stats(struct journal *journal, struct journal_stats *out);

/* --- The reader, pure --- */

enum journal_read_result {
    JOURNAL_RECORD = 0,  /* *out is set, *offset stands behind it */
    JOURNAL_END = 1,     /* nothing more */
    JOURNAL_TORN = 2,    /* the rest is no whole record and none follows: ignore it */
    JOURNAL_DAMAGED = 3  /* bytes skipped: *offset stands at the next whole record */
};

/* Reads a segment held in memory; start with *offset 0 (the magic is checked: a file that is too
 * short or is no segment is TORN). */
enum journal_read_result journal_read(const uint8_t *data, size_t length, size_t *offset,
                                      struct journal_record *out);
