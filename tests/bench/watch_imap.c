/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches INBOXes as IMAP clients do and tells when each message became visible: one line
 * "TOKEN NANOSECONDS" (CLOCK_MONOTONIC) per message, the token being the first word of its Subject.
 * mode=noop polls, one session per user, each with pause_us between its NOOPs (what is new is fetched at once);
 * mode=idle waits in IDLE.  Ends when count messages were seen, or after seconds.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/bench/bench.h"

struct session {
    int fd;
    int exists, seen, tag;
    bool busy;    /* a command is under way */
    bool idling, leaving;
    int64_t next; /* no NOOP before this, bench_now() */
    GString *in;
};

static struct bench_option options[] = {
    {"address", NULL, "of the IMAP server, 127.0.0.1:PORT"},
    {"users", NULL, "user:password,user:password"},
    {"count", NULL, "messages to wait for"},
    {"mode", "noop", "noop or idle"},
    {"pause_us", "1000", "between two NOOPs of a session"},
    {"seconds", "60", "at the longest"},
    {NULL, NULL, NULL}};
static bool idle;
static int wanted, found;
static int64_t pause_ns;

static void command(struct session *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void command(struct session *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *line = g_strdup_printf("t%d %s\r\n", ++s->tag, text);
    if (send(s->fd, line, strlen(line), MSG_NOSIGNAL) < 0)
        g_error("the IMAP server is gone");
    s->busy = true;
}

static void next_command(struct session *s)
{
    if (s->exists > s->seen) {
        command(s, "FETCH %d:%d BODY.PEEK[HEADER.FIELDS (SUBJECT)]", s->seen + 1, s->exists);
        s->seen = s->exists;
    } else if (idle) {
        s->idling = true;
        s->leaving = false;
        command(s, "IDLE");
    } else {
        command(s, "NOOP");
    }
}

static void line(struct session *s, const char *text)
{
    int n, end = 0;
    if (sscanf(text, "* %d EXISTS%n", &n, &end) == 1 && end > 0) {
        s->exists = n;
        if (s->idling && !s->leaving && s->exists > s->seen) {
            send(s->fd, "DONE\r\n", 6, MSG_NOSIGNAL);
            s->leaving = true;
        }
    } else if (g_ascii_strncasecmp(text, "Subject: ", 9) == 0) {
        /* a cut subject ends in an ellipsis, so it is an encoded word, where a space is "_" */
        const char *token = text + 9 + (g_ascii_strncasecmp(text + 9, "=?utf-8?Q?", 10) == 0 ? 10 : 0);
        printf("%.*s %" PRId64 "\n", (int)strcspn(token, " _\r"), token, bench_now());
        found++;
    } else if (text[0] == 't' && g_ascii_isdigit(text[1])) {
        s->busy = s->idling = false;
        s->next = bench_now() + pause_ns;
    }
}

static void take(struct session *s)
{
    char buffer[65536];
    ssize_t n = recv(s->fd, buffer, sizeof buffer, 0);
    if (n == 0)
        g_error("the IMAP server has closed");
    if (n > 0)
        g_string_append_len(s->in, buffer, n);
    char *end;
    gsize used = 0;
    while ((end = memchr(s->in->str + used, '\n', s->in->len - used)) != NULL) {
        *end = '\0';
        line(s, s->in->str + used);
        used = (gsize)(end - s->in->str) + 1;
    }
    g_string_erase(s->in, 0, (gssize)used);
}

static void wait_answer(struct session *s)
{
    while (s->busy) {
        poll(&(struct pollfd){.fd = s->fd, .events = POLLIN}, 1, 5000);
        take(s);
    }
}

static void login(struct session *s, const char *address, const char *who)
{
    g_auto(GStrv) parts = g_strsplit(who, ":", 2);
    s->fd = bench_connect(address);
    s->in = g_string_new(NULL);
    command(s, "LOGIN \"%s\" \"%s\"", parts[0], parts[1]);
    wait_answer(s);
    command(s, "SELECT INBOX");
    wait_answer(s);
    s->seen = s->exists;
}

int main(int argc, char **argv)
{
    bench_options(options, argc, argv);
    idle = strcmp(bench_get(options, "mode"), "idle") == 0;
    wanted = bench_int(options, "count");
    g_auto(GStrv) users = g_strsplit(bench_get(options, "users"), ",", -1);
    int n = (int)g_strv_length(users);
    struct session *sessions = g_new0(struct session, n);
    struct pollfd *fds = g_new0(struct pollfd, n);
    for (int i = 0; i < n; i++) {
        login(&sessions[i], bench_get(options, "address"), users[i]);
        fds[i] = (struct pollfd){.fd = sessions[i].fd, .events = POLLIN};
    }
    puts("ready");
    fflush(stdout);
    int64_t end = bench_now() + (int64_t)bench_int(options, "seconds") * 1000000000;
    pause_ns = idle ? 0 : bench_int(options, "pause_us") * INT64_C(1000);
    while (found < wanted && bench_now() < end) {
        int64_t now = bench_now(), wait = 100000000;
        for (int i = 0; i < n; i++) {
            if (!sessions[i].busy && (sessions[i].exists > sessions[i].seen || now >= sessions[i].next))
                next_command(&sessions[i]);
            if (!sessions[i].busy)
                wait = MIN(wait, sessions[i].next - now);
        }
        ppoll(fds, (nfds_t)n, &(struct timespec){.tv_nsec = wait}, NULL);
        for (int i = 0; i < n; i++)
            if (fds[i].revents != 0)
                take(&sessions[i]);
    }
    return found < wanted;
}
