/* SPDX-License-Identifier: Apache-2.0 */
/* Buffered lines over a handle; sockets and memory as handles. */
#include "lmtp/io.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "core/clock.h"

void io_reader_init(struct io_reader *reader, struct io *io)
{
    reader->io = io;
    reader->buffer = g_malloc(IO_BUFFER);
    reader->start = reader->end = 0;
}

void io_reader_clear(struct io_reader *reader)
{
    g_clear_pointer(&reader->buffer, g_free);
}

size_t io_reader_waiting(const struct io_reader *reader)
{
    return reader->end - reader->start;
}

enum io_line io_reader_line(struct io_reader *reader, size_t max, const char **line, size_t *length)
{
    const char *text = reader->buffer + reader->start;
    size_t have = io_reader_waiting(reader);
    const char *lf = memchr(text, '\n', MIN(have, max));

    if (!lf)
        return have >= max ? IO_LINE_LONG : IO_LINE_MORE;
    if (lf == text || lf[-1] != '\r')
        return IO_LINE_BARE;
    *line = text;
    *length = (size_t)(lf - text) - 1;
    reader->start += (size_t)(lf - text) + 1;
    return IO_LINE;
}

enum io_result io_reader_fill(struct io_reader *reader, gint64 deadline, bool idle)
{
    size_t used = 0;
    enum io_result result;

    if (reader->start > 0) {
        memmove(reader->buffer, reader->buffer + reader->start, io_reader_waiting(reader));
        reader->end -= reader->start;
        reader->start = 0;
    }
    if (reader->end == IO_BUFFER)
        return IO_ERROR;
    result = reader->io->ops->read(reader->io->handle, reader->buffer + reader->end, IO_BUFFER - reader->end,
                                   deadline, idle, &used);
    if (result == IO_OK)
        reader->end += used;
    return result;
}

/* ---- Sockets ---- */

/* Waits for events on the socket, and for the stop when it may interrupt. */
static enum io_result wait_for(const struct io_socket *socket, short events, gint64 deadline, bool idle)
{
    struct pollfd fds[2] = {{socket->fd, events, 0}, {socket->stop_fd, POLLIN, 0}};
    nfds_t count = idle && socket->stop_fd >= 0 ? 2 : 1;

    for (;;) {
        gint64 left = deadline - ump_clock_mono_us();
        int n;
        if (left <= 0)
            return IO_TIMEOUT;
        n = poll(fds, count, (int)MIN(left / 1000 + 1, G_MAXINT));
        if (n < 0 && errno != EINTR)
            return IO_ERROR;
        if (n > 0)
            return fds[0].revents ? IO_OK : IO_STOP;
    }
}

static enum io_result socket_read(void *handle, char *buffer, size_t size, gint64 deadline, bool idle, size_t *used)
{
    const struct io_socket *sock = handle;

    for (;;) {
        ssize_t n = recv(sock->fd, buffer, size, MSG_DONTWAIT);
        if (n > 0) {
            *used = (size_t)n;
            return IO_OK;
        }
        if (n == 0)
            return IO_EOF;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            enum io_result result = wait_for(sock, POLLIN, deadline, idle);
            if (result != IO_OK)
                return result;
        } else if (errno != EINTR) {
            return errno == ECONNRESET ? IO_EOF : IO_ERROR;
        }
    }
}

static enum io_result socket_write(void *handle, const char *data, size_t length, gint64 deadline)
{
    const struct io_socket *sock = handle;

    while (length > 0) {
        ssize_t n = send(sock->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            data += n;
            length -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            enum io_result result = wait_for(sock, POLLOUT, deadline, false);
            if (result != IO_OK)
                return result;
        } else if (errno != EINTR) {
            return errno == EPIPE || errno == ECONNRESET ? IO_EOF : IO_ERROR;
        }
    }
    return IO_OK;
}

static bool socket_pending(void *handle)
{
    const struct io_socket *sock = handle;
    char byte;

    return recv(sock->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

const struct io_ops io_socket_ops = {socket_read, socket_write, socket_pending};

/* ---- Memory ---- */

static enum io_result memory_read(void *handle, char *buffer, size_t size, gint64 deadline, bool idle, size_t *used)
{
    struct io_memory *memory = handle;
    size_t n = MIN(size, memory->length - memory->at);

    if (n == 0)
        return IO_EOF;
    if (memory->chunk > 0)
        n = MIN(n, memory->chunk);
    memcpy(buffer, memory->input + memory->at, n);
    memory->at += n;
    *used = n;
    return IO_OK;
}

static enum io_result memory_write(void *handle, const char *data, size_t length, gint64 deadline)
{
    struct io_memory *memory = handle;

    if (memory->output)
        g_string_append_len(memory->output, data, (gssize)length);
    return IO_OK;
}

static bool memory_pending(void *handle)
{
    return ((struct io_memory *)handle)->early;
}

const struct io_ops io_memory_ops = {memory_read, memory_write, memory_pending};
