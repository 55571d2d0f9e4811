/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a server says: the parser ends, stays within its bytes, and does not depend on how they arrive. */
#include "core/lmtp_client.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lmtp_reply whole = { 0 }, part = { 0 };
    size_t used = 0, used_part = 0;
    g_autofree char *copy = g_memdup2(size ? data : (const uint8_t *)"", size ? size : 1);
    int r = lmtp_reply_parse(copy, size, &whole, &used);
    if (r == 1) {
        g_assert(used > 0 && used <= size && whole.code >= 200 && whole.code <= 599);
        g_assert(g_utf8_validate(whole.text, -1, NULL) && !strpbrk(whole.text, "\r\n"));
        g_autofree char *text = lmtp_reply_format(&whole);
        g_assert(strlen(text) >= 4);
        /* exactly its bytes: the same; one less: incomplete */
        g_assert(lmtp_reply_parse(copy, used, &part, &used_part) == 1 && used_part == used);
        g_assert(part.code == whole.code && g_str_equal(part.text, whole.text));
        lmtp_reply_clear(&part);
        g_assert(lmtp_reply_parse(copy, used - 1, &part, &used_part) == 0);
    }
    lmtp_reply_clear(&whole);
    return 0;
}
