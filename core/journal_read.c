/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's format: encoding a record, reading a segment.  Pure. */
#include "core/journal_format.h"

#include "core/hmac.h"

#include <string.h>

static void put32(uint8_t *p, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(p, &value, 4);
}

static void put64(uint8_t *p, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    memcpy(p, &value, 8);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, 4);
    return GUINT32_FROM_LE(value);
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t value;

    memcpy(&value, p, 8);
    return GUINT64_FROM_LE(value);
}

size_t journal_record_size(size_t length)
{
    return JOURNAL_HEAD_SIZE + length + JOURNAL_END_SIZE;
}

void journal_encode(uint8_t *out, uint32_t type, gint64 time_us, const void *payload, size_t length)
{
    memcpy(out, JOURNAL_RECORD_MAGIC, 4);
    put32(out + 4, (uint32_t)length);
    put32(out + 12, type);
    put64(out + 16, (uint64_t)time_us);
    if (length > 0)
        memcpy(out + JOURNAL_HEAD_SIZE, payload, length);
    put32(out + 8, hmac_crc32c(0, out + 12, JOURNAL_HEAD_SIZE - 12 + length));
    memcpy(out + JOURNAL_HEAD_SIZE + length, JOURNAL_END_MAGIC, JOURNAL_END_SIZE);
}

/* Is there a whole record at p? */
static bool read_record(const uint8_t *p, size_t room, struct journal_record *out)
{
    if (room < JOURNAL_HEAD_SIZE + JOURNAL_END_SIZE || memcmp(p, JOURNAL_RECORD_MAGIC, 4) != 0)
        return false;
    size_t length = get32(p + 4);
    if (length > room - JOURNAL_HEAD_SIZE - JOURNAL_END_SIZE)
        return false;
    if (memcmp(p + JOURNAL_HEAD_SIZE + length, JOURNAL_END_MAGIC, JOURNAL_END_SIZE) != 0)
        return false;
    if (hmac_crc32c(0, p + 12, JOURNAL_HEAD_SIZE - 12 + length) != get32(p + 8))
        return false;
    out->type = get32(p + 12);
    out->time_us = (gint64)get64(p + 16);
    out->payload = p + JOURNAL_HEAD_SIZE;
    out->length = length;
    return true;
}

enum journal_read_result journal_read(const uint8_t *data, size_t length, size_t *offset, struct journal_record *out)
{
    struct journal_record record;

    if (*offset == 0) {
        if (length == 0)
            return JOURNAL_END;
        if (length < JOURNAL_SEGMENT_MAGIC_SIZE ||
            memcmp(data, JOURNAL_SEGMENT_MAGIC, JOURNAL_SEGMENT_MAGIC_SIZE) != 0)
            return JOURNAL_TORN;
        *offset = JOURNAL_SEGMENT_MAGIC_SIZE;
    }
    if (*offset >= length)
        return JOURNAL_END;
    if (read_record(data + *offset, length - *offset, out)) {
        *offset += journal_record_size(out->length);
        return JOURNAL_RECORD;
    }
    /* Zeros are what a crash leaves of a file that was made longer; anything else may hide records. */
    for (const uint8_t *p = data + *offset + 1; p < data + length; p++) {
        p = memchr(p, JOURNAL_RECORD_MAGIC[0], (size_t)(data + length - p));
        if (p == NULL)
            break;
        if (read_record(p, (size_t)(data + length - p), &record)) {
            *offset = (size_t)(p - data);
            return JOURNAL_DAMAGED;
        }
    }
    return JOURNAL_TORN;
}
