/* SPDX-License-Identifier: Apache-2.0 */
/* Dot-unstuffing, and where the content is kept. */
#include "lmtp/content.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool content_decode(enum content_state *state, const char *data, size_t length, size_t *used, content_emit emit,
                    void *context)
{
    const char *p = data, *end = data + length, *from = data; /* from: first byte that was not emitted */

    while (p < end && *state != CONTENT_DONE) {
        switch (*state) {
        case CONTENT_LINE:
            if (*p == '.') {
                if (p > from)
                    emit(from, (size_t)(p - from), context);
                from = ++p; /* the dot goes, whatever follows */
                *state = CONTENT_DOT;
            } else {
                *state = CONTENT_TEXT;
            }
            break;
        case CONTENT_DOT:
            if (*p == '\r') {
                from = ++p;
                *state = CONTENT_DOT_CR;
            } else {
                from = p;
                *state = CONTENT_TEXT;
            }
            break;
        case CONTENT_DOT_CR:
            if (*p == '\n') {
                from = ++p;
                *state = CONTENT_DONE;
            } else { /* the carriage return was content */
                emit("\r", 1, context);
                from = p;
                *state = CONTENT_TEXT_CR;
            }
            break;
        case CONTENT_TEXT:
            p = memchr(p, '\r', (size_t)(end - p));
            if (!p) {
                p = end;
            } else {
                p++;
                *state = CONTENT_TEXT_CR;
            }
            break;
        case CONTENT_TEXT_CR:
            if (*p == '\n') {
                p++;
                *state = CONTENT_LINE;
            } else if (*p == '\r') {
                p++;
            } else {
                *state = CONTENT_TEXT;
            }
            break;
        case CONTENT_DONE:
            break;
        }
    }
    if (p > from)
        emit(from, (size_t)(p - from), context);
    *used = (size_t)(p - data);
    return *state == CONTENT_DONE;
}

/* ---- Buffer ---- */

void content_init(struct content *content, size_t memory_limit, size_t max_size, const char *spool_dir)
{
    memset(content, 0, sizeof *content);
    content->memory = g_byte_array_sized_new(4096);
    content->memory_limit = memory_limit;
    content->max_size = max_size;
    content->spool_dir = spool_dir;
    content->fd = -1;
}

static bool write_all(struct content *content, const void *data, size_t length)
{
    const char *p = data;

    while (length > 0) {
        ssize_t n = write(content->fd, p, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        length -= (size_t)n;
        content->written += (size_t)n;
    }
    return true;
}

static bool spool_open(struct content *content)
{
    if (content->spool_dir)
        content->fd = open(content->spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    else
        content->fd = memfd_create("mail", MFD_CLOEXEC);
    if (content->fd < 0)
        return false;
    return write_all(content, content->memory->data, content->memory->len);
}

void content_add(const char *piece, size_t length, void *context)
{
    struct content *content = context;

    if (content->too_big || content->failed)
        return;
    if (content->length + length > content->max_size) {
        content->too_big = true;
        return;
    }
    content->length += length;
    if (content->fd < 0 && content->length > content->memory_limit) {
        content->failed = !spool_open(content);
        g_byte_array_set_size(content->memory, 0);
    }
    if (content->failed)
        return;
    if (content->fd >= 0)
        content->failed = !write_all(content, piece, length);
    else
        g_byte_array_append(content->memory, (const guint8 *)piece, (guint)length);
}

int content_finish(struct content *content)
{
    if (content->failed)
        return -1;
    if (content->fd < 0) {
        content->data = (const char *)content->memory->data;
        if (!content->data)
            content->data = "";
        return 0;
    }
    content->mapped = mmap(NULL, content->length, PROT_READ, MAP_SHARED, content->fd, 0);
    if (content->mapped == MAP_FAILED) {
        content->mapped = NULL;
        return -1;
    }
    content->data = content->mapped;
    return 0;
}

void content_clear(struct content *content)
{
    if (content->mapped)
        munmap(content->mapped, content->length);
    if (content->fd >= 0)
        close(content->fd);
    g_clear_pointer(&content->memory, g_byte_array_unref);
    memset(content, 0, sizeof *content);
    content->fd = -1;
}
