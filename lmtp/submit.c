/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/submit.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/lmtp_client.h"
#include "lmtp/io.h"
#include "lmtp/reply.h"

#define STEP_TIMEOUT (60 * CLOCK_SECOND)
#define REPLY_BYTES 16384

struct conversation {
    int fd;
    GString *input;
    struct lmtp_reply reply;
};

static int connect_unix(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof address.sun_path)
        return ump_error_errno(error, fd < 0 ? errno : ENAMETOOLONG, "%s", path);
    memcpy(address.sun_path, path, strlen(path));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return ump_error_errno(error, errno, "%s", path);
    return cleanup_steal_fd(&fd);
}

static int connect_tcp(const char *where, GError **error)
{
    const char *colon = strrchr(where, ':');
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    g_autofree char *host = NULL;
    struct addrinfo *list = NULL;
    int fd = -1, failure = 0;

    if (!colon) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "\"%s\" is not like host:port", where);
        return -1;
    }
    host = where[0] == '[' ? g_strndup(where + 1, (gsize)MAX(colon - where - 2, 0)) : g_strndup(where, (gsize)(colon - where));
    failure = getaddrinfo(host, colon + 1, &hints, &list);
    if (failure != 0) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "%s: %s", where, gai_strerror(failure));
        return -1;
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            failure = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd >= 0 ? fd : ump_error_errno(error, failure, "%s", where);
}

/* Reads one reply; 0, or -1 with error. */
static int read_reply(struct conversation *talk, GError **error)
{
    struct io_socket socket = {talk->fd, -1};
    gint64 deadline = ump_clock_mono_us() + STEP_TIMEOUT;
    char buffer[2048];

    for (;;) {
        size_t used = 0;
        int parsed;
        lmtp_reply_clear(&talk->reply);
        parsed = lmtp_reply_parse(talk->input->str, talk->input->len, &talk->reply, &used);
        if (parsed == 1) {
            g_string_erase(talk->input, 0, (gssize)used);
            return 0;
        }
        if (parsed < 0 || talk->input->len > REPLY_BYTES) {
            g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "the mail server's reply is none");
            return -1;
        }
        if (io_socket_ops.read(&socket, buffer, sizeof buffer, deadline, false, &used) != IO_OK) {
            g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "the mail server does not answer");
            return -1;
        }
        g_string_append_len(talk->input, buffer, (gssize)used);
    }
}

static int write_bytes(struct conversation *talk, const char *data, size_t length, GError **error)
{
    struct io_socket socket = {talk->fd, -1};

    if (io_socket_ops.write(&socket, data, length, ump_clock_mono_us() + STEP_TIMEOUT) == IO_OK)
        return 0;
    g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "the mail server went away");
    return -1;
}

/* 0: the reply is of the wanted class; SUBMIT_REFUSED: 5xx; -1. */
static int expect(struct conversation *talk, unsigned class, GError **error)
{
    if (read_reply(talk, error) < 0)
        return -1;
    if (talk->reply.code / 100 == class)
        return 0;
    if (talk->reply.code / 100 == 5)
        return SUBMIT_REFUSED;
    g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "the mail server said %u", talk->reply.code);
    return -1;
}

static int command(struct conversation *talk, unsigned class, const char *line, GError **error)
{
    g_autofree char *whole = g_strconcat(line, "\r\n", NULL);

    return write_bytes(talk, whole, strlen(whole), error) < 0 ? -1 : expect(talk, class, error);
}

static int send_content(struct conversation *talk, GBytes *mail, GError **error)
{
    gsize size;
    const void *data = g_bytes_get_data(mail, &size);
    const struct iovec part = {(void *)data, size};
    struct lmtp_encoder encoder;
    struct iovec pieces[32];
    size_t n;

    lmtp_encoder_init(&encoder, &part, 1);
    while ((n = lmtp_encoder_next(&encoder, pieces, G_N_ELEMENTS(pieces))) > 0)
        for (size_t i = 0; i < n; i++)
            if (write_bytes(talk, pieces[i].iov_base, pieces[i].iov_len, error) < 0)
                return -1;
    return expect(talk, 2, error);
}

static int converse(struct conversation *talk, const char *hostname, const char *recipient, GBytes *mail, GError **error)
{
    g_autofree char *ehlo = g_strconcat("EHLO ", hostname, NULL);
    g_autofree char *rcpt = g_strconcat("RCPT TO:<", recipient, ">", NULL);
    int result = expect(talk, 2, error);

    if (result == 0)
        result = command(talk, 2, ehlo, error);
    if (result == 0)
        result = command(talk, 2, "MAIL FROM:<>", error);
    if (result == 0)
        result = command(talk, 2, rcpt, error);
    if (result == 0)
        result = command(talk, 3, "DATA", error);
    if (result == 0)
        result = send_content(talk, mail, error);
    if (result == 0)
        write_bytes(talk, "QUIT\r\n", 6, NULL);
    return result;
}

int submit_mail(const char *where, const char *hostname, const char *recipient, GBytes *mail, char **reply,
                GError **error)
{
    const char *path = g_str_has_prefix(where, "unix:") ? where + 5 : where[0] == '/' ? where : NULL;
    struct conversation talk = {.fd = path ? connect_unix(path, error) : connect_tcp(where, error)};
    int result;

    if (talk.fd < 0)
        return -1;
    talk.input = g_string_new(NULL);
    result = converse(&talk, hostname, recipient, mail, error);
    if (result >= 0) {
        g_autofree char *line = lmtp_reply_format(&talk.reply);
        *reply = reply_clean(line);
    }
    lmtp_reply_clear(&talk.reply);
    g_string_free(talk.input, TRUE);
    close(talk.fd);
    return result;
}
