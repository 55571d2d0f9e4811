/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's format on disk, for its writer and its tests. */
#pragma once

#include "core/journal.h"

#define JOURNAL_SEGMENT_MAGIC "UMPJRNL1"
#define JOURNAL_SEGMENT_MAGIC_SIZE 8
#define JOURNAL_RECORD_MAGIC "UMPR"
#define JOURNAL_END_MAGIC "END\n"
#define JOURNAL_END_SIZE 4
#define JOURNAL_HEAD_SIZE 24 /* magic, length, crc, type, time */

/* Bytes of a record with a payload of length bytes. */
size_t journal_record_size(size_t length);
/* out has room for journal_record_size(length). */
void journal_encode(uint8_t *out, uint32_t type, gint64 time_us, const void *payload, size_t length);
