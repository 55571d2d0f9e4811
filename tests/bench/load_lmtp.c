/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail over LMTP: sessions with kept connections, MAIL, RCPT and DATA in one write.
 *   kind=local    to local mailboxes of users=, as Postfix would hand ordinary mail over
 *   kind=gateway  submissions to numbers, stamped as ump-milter stamps (stamp_key=, login=, channel_domain=)
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/ids.h"
#include "core/stamp.h"
#include "tests/bench/bench.h"

static struct bench_option options[] = {
    {"address", NULL, "unix:/path or 127.0.0.1:PORT"},
    {"kind", "local", "local or gateway"},
    {"sessions", "20", "at the same time"},
    {"messages", "2000", "how many"},
    {"size", "2048", "octets of each, about"},
    {"users", "alice@msgs.test", "recipients, separated by commas"},
    {"login", "alice@msgs.test", "whose submissions"},
    {"stamp_key", "", "the stamp's key file"},
    {"channel_domain", "sms.msgs.test", "of the gateway addresses"},
    {"numbers", "1000", "different recipients"},
    {"first", "0", "the first recipient's number: +1312555, four digits"},
    {NULL, NULL, NULL}};

struct worker {
    pthread_t thread;
    struct bench_latency latency;
    int fd;
    char buffer[8192];
    size_t got, used;
};

static atomic_int next_message, errors, shown;
static int total;
static char **users;
static int user_count;
static char *filler;
static struct stamp_keys *keys;

/* One reply (the last line of a multi-line one); its code, or -1. */
static int reply(struct worker *w)
{
    for (;;) {
        char *end;
        while ((end = memchr(w->buffer + w->used, '\n', w->got - w->used)) == NULL) {
            memmove(w->buffer, w->buffer + w->used, w->got - w->used);
            w->got -= w->used;
            w->used = 0;
            poll(&(struct pollfd){.fd = w->fd, .events = POLLIN}, 1, 60000);
            ssize_t n = recv(w->fd, w->buffer + w->got, sizeof w->buffer - w->got, 0);
            if (n <= 0)
                return -1;
            w->got += (size_t)n;
        }
        char *text = w->buffer + w->used;
        w->used = (size_t)(end + 1 - w->buffer);
        if (end - text >= 4 && text[3] == '-')
            continue;
        int code = atoi(text);
        if (code >= 400 && atomic_fetch_add(&shown, 1) < 3)
            fprintf(stderr, "reply: %.*s\n", (int)(end - text), text);
        return code;
    }
}

static bool push(struct worker *w, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = send(w->fd, data, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = w->fd, .events = POLLOUT}, 1, 60000);
            continue;
        }
        if (n <= 0)
            return false;
        data += n;
        length -= (size_t)n;
    }
    return true;
}

static bool greet(struct worker *w)
{
    w->fd = bench_connect(bench_get(options, "address"));
    w->got = w->used = 0;
    return reply(w) == 220 && push(w, "LHLO bench.test\r\n", 17) && reply(w) == 250;
}

/* The stamp field that ump-milter would have put on it. */
static char *stamp_field(const char *sender, const char *message_id, const char *recipient)
{
    g_autofree char *txn = ids_new();
    struct stamp stamp = {.kind = STAMP_MILTER, .txn = txn, .time = time(NULL), .login = (char *)sender, .checked = true,
                          .sender = (char *)sender, .from = (char *)sender, .message_id = (char *)message_id};
    const char *recipients[] = {recipient, NULL};
    return stamp_sign(keys, &stamp, recipients);
}

static char *make(int i, char **envelope)
{
    g_autofree char *id = g_strdup_printf("<%d.%" PRId64 "@bench.test>", i, bench_now());
    if (keys == NULL) {
        const char *to = users[i % user_count];
        *envelope = g_strdup_printf("MAIL FROM:<src%d@src.test>\r\nRCPT TO:<%s>\r\nDATA\r\n", i, to);
        return g_strdup_printf("From: src%d@src.test\r\nTo: %s\r\nSubject: bench %d\r\nMessage-ID: %s\r\n"
                               "Date: Fri, 20 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n\r\n%s.\r\n", i, to, i, id, filler);
    }
    const char *login = bench_get(options, "login");
    g_autofree char *to = g_strdup_printf("+1312555%04d@%s", bench_int(options, "first") + i % bench_int(options, "numbers"),
                                          bench_get(options, "channel_domain"));
    g_autofree char *stamp = stamp_field(login, id, to);
    *envelope = g_strdup_printf("MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", login, to);
    return g_strdup_printf("UMP-Stamp: %s\r\nFrom: %s\r\nTo: %s\r\nSubject: bench\r\nMessage-ID: %s\r\n"
                           "Date: Fri, 20 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n"
                           "Content-Type: text/plain; charset=utf-8\r\n\r\nYour appointment is at ten, number %d.\r\n.\r\n",
                           stamp, login, to, id, i);
}

static bool one(struct worker *w, int i)
{
    g_autofree char *envelope = NULL;
    g_autofree char *mail = make(i, &envelope);
    int64_t begin = bench_now();
    bool good = push(w, envelope, strlen(envelope)) && reply(w) == 250 && reply(w) / 100 == 2 && reply(w) == 354 &&
                push(w, mail, strlen(mail)) && reply(w) == 250;
    if (good)
        bench_latency_add(&w->latency, bench_now() - begin);
    return good;
}

static void *work(void *data)
{
    struct worker *w = data;
    bool open = greet(w);
    int i;
    while ((i = atomic_fetch_add(&next_message, 1)) < total) {
        if (open && one(w, i))
            continue;
        atomic_fetch_add(&errors, 1);
        close(w->fd);
        open = greet(w);
    }
    if (open)
        push(w, "QUIT\r\n", 6);
    close(w->fd);
    return NULL;
}

static char *make_filler(size_t size)
{
    GString *text = g_string_new(NULL);
    unsigned state = 7;
    while (text->len + 80 < size) {
        for (int column = 0; column < 76;) {
            state = state * 1103515245u + 12345u;
            unsigned length = 3 + (state >> 16) % 7;
            for (unsigned k = 0; k < length && column < 76; k++, column++)
                g_string_append_c(text, (char)('a' + ((state >> 8) * (k + 31)) % 26));
            g_string_append_c(text, ' ');
            column++;
        }
        g_string_append(text, "\r\n");
    }
    return g_string_free(text, FALSE);
}

int main(int argc, char **argv)
{
    bench_options(options, argc, argv);
    int sessions = bench_int(options, "sessions");
    size_t size = (size_t)bench_int(options, "size");
    total = bench_int(options, "messages");
    users = g_strsplit(bench_get(options, "users"), ",", -1);
    user_count = (int)g_strv_length(users);
    filler = make_filler(size > 250 ? size - 250 : 80);
    g_autoptr(GError) error = NULL;
    if (strcmp(bench_get(options, "kind"), "gateway") == 0 && (keys = stamp_keys_load(bench_get(options, "stamp_key"), &error)) == NULL)
        g_error("%s", error->message);
    struct worker *workers = g_new0(struct worker, sessions);
    struct bench_latency all = {0};
    int64_t begin = bench_now();
    for (int i = 0; i < sessions; i++)
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    for (int i = 0; i < sessions; i++) {
        pthread_join(workers[i].thread, NULL);
        bench_latency_merge(&all, &workers[i].latency);
    }
    bench_report(&all, bench_now() - begin, (unsigned)atomic_load(&errors));
    return atomic_load(&errors) > 0;
}
