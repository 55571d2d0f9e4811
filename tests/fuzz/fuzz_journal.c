/* SPDX-License-Identifier: Apache-2.0 */
/* The journal reader, on any bytes: it ends, stays within them, and moves forward. */
#include "core/journal_format.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journal_record record;
    size_t offset = 0;

    for (;;) {
        size_t before = offset;
        enum journal_read_result result = journal_read(data, size, &offset, &record);
        if (result == JOURNAL_END || result == JOURNAL_TORN)
            return 0;
        g_assert_cmpuint(offset, >, before);
        g_assert_cmpuint(offset, <=, size);
        if (result == JOURNAL_RECORD) {
            g_assert_true(record.payload >= data && record.payload + record.length <= data + size);
            /* What was read is what would be written. */
            g_autofree uint8_t *again = g_malloc(journal_record_size(record.length));
            journal_encode(again, record.type, record.time_us, record.payload, record.length);
            g_assert_true(memcmp(again, data + offset - journal_record_size(record.length),
                                 journal_record_size(record.length)) == 0);
        }
    }
}
