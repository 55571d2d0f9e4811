/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session reads from and writes to: a handle with two functions, so that the same session runs on a
 * socket, on memory, and under a fuzzer; and the buffered reader over it that knows lines.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum io_result {
    IO_OK = 0,
    IO_EOF,     /* the peer is gone */
    IO_TIMEOUT, /* the deadline passed */
    IO_STOP,    /* the program is to stop (only where the caller said that it may be interrupted) */
    IO_ERROR
};

/* Deadlines are absolute, on ump_clock_mono_us(). */
struct io_ops {
    /* At least one byte, *used says how many; idle: may end with IO_STOP. */
    enum io_result (*read)(void *handle, char *buffer, size_t size, gint64 deadline, bool idle, size_t *used);
    /* All of it. */
    enum io_result (*write)(void *handle, const char *data, size_t length, gint64 deadline);
    /* Has the peer spoken already? */
    bool (*pending)(void *handle);
};

struct io {
    const struct io_ops *ops;
    void *handle;
};

/* ---- Reader ---- */

#define IO_BUFFER (32 * 1024)

struct io_reader {
    struct io *io;
    char *buffer;
    size_t start, end; /* what is not consumed yet */
};

void io_reader_init(struct io_reader *reader, struct io *io);
void io_reader_clear(struct io_reader *reader);

enum io_line {
    IO_LINE,      /* *line, *length: without CRLF; valid until the next call */
    IO_LINE_MORE, /* no whole line in the buffer: io_reader_fill() and ask again */
    IO_LINE_BARE, /* a line feed without carriage return stands before the end of the line */
    IO_LINE_LONG  /* longer than max, CRLF included */
};
/* Takes one line out of the buffer; does not read. */
enum io_line io_reader_line(struct io_reader *reader, size_t max, const char **line, size_t *length);
/* Reads once into the free part of the buffer; there is always some unless a line is too long. */
enum io_result io_reader_fill(struct io_reader *reader, gint64 deadline, bool idle);
/* Bytes that wait in the buffer. */
size_t io_reader_waiting(const struct io_reader *reader);

/* ---- Handles ---- */

/* A connected stream socket (non-blocking or not); stop_fd: readable when the program is to stop, or -1. */
struct io_socket {
    int fd;
    int stop_fd;
};
extern const struct io_ops io_socket_ops;

/* Memory: input is given, at most chunk bytes at a time (0: all); what is written is gathered. */
struct io_memory {
    const char *input;
    size_t length, at, chunk;
    GString *output; /* NULL: thrown away */
    bool early;      /* what pending() answers */
};
extern const struct io_ops io_memory_ops;
