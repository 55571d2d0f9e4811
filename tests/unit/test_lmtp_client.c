/* SPDX-License-Identifier: Apache-2.0 */
/* The LMTP client against a scripted server within the process, and its pure parts by tables. */
#include "core/lmtp_client.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
/* after those that it needs */
#include <cmocka.h>

/* ---- replies ---- */

static void test_reply_table(void **state)
{
    static const struct {
        const char *in;
        int result;
        unsigned code, enhanced[3];
        const char *text;
        size_t used;
    } table[] = {
        { "250 2.1.5 OK\r\n", 1, 250, { 2, 1, 5 }, "OK", 14 },
        { "250 OK\r\n220 next\r\n", 1, 250, { 0 }, "OK", 8 },
        { "250-one\r\n250-two\r\n250 three\r\n", 1, 250, { 0 }, "one two three", 29 },
        { "550-5.1.1 no\r\n550 5.1.1 such user\r\n", 1, 550, { 5, 1, 1 }, "no such user", 35 },
        { "450 5.1.1 class differs\n", 1, 450, { 0 }, "5.1.1 class differs", 24 },
        { "354\r\n", 1, 354, { 0 }, "", 5 },
        { "250 \r\n", 1, 250, { 0 }, "", 6 },
        { "250 2.0.0\r\n", 1, 250, { 2, 0, 0 }, "", 11 },
        { "250 a\001\tb\377\r\n", 1, 250, { 0 }, "a  b\xef\xbf\xbd", 11 },
        { "250-x\r\n250", 0, 0, { 0 }, NULL, 0 },
        { "", 0, 0, { 0 }, NULL, 0 },
        { "25", 0, 0, { 0 }, NULL, 0 },
        { "150 too low\r\n", -1, 0, { 0 }, NULL, 0 },
        { "650 too high\r\n", -1, 0, { 0 }, NULL, 0 },
        { "2x0 no\r\n", -1, 0, { 0 }, NULL, 0 },
        { "250_no\r\n", -1, 0, { 0 }, NULL, 0 },
        { "\r\n", -1, 0, { 0 }, NULL, 0 },
        { "HTTP/1.1 400 Bad Request\r\n", -1, 0, { 0 }, NULL, 0 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        struct lmtp_reply reply = { 0 };
        size_t used = 0;
        assert_int_equal(lmtp_reply_parse(table[i].in, strlen(table[i].in), &reply, &used), table[i].result);
        if (table[i].result != 1)
            continue;
        assert_int_equal(reply.code, table[i].code);
        assert_memory_equal(reply.enhanced, table[i].enhanced, sizeof reply.enhanced);
        assert_string_equal(reply.text, table[i].text);
        assert_int_equal(used, table[i].used);
        lmtp_reply_clear(&reply);
    }
}

static void test_reply_limits(void **state)
{
    struct lmtp_reply reply = { 0 };
    size_t used;
    g_autoptr(GString) text = g_string_new("250 ");
    while (text->len < 5000)
        g_string_append_c(text, 'x');
    assert_int_equal(lmtp_reply_parse(text->str, text->len, &reply, &used), -1);
    g_string_truncate(text, 0);
    for (int i = 0; i < 200; i++)
        g_string_append(text, "250-x\r\n");
    assert_int_equal(lmtp_reply_parse(text->str, text->len, &reply, &used), -1);
}

/* ---- content ---- */

static GString *encode(const struct iovec *parts, size_t count, size_t max)
{
    struct lmtp_encoder e;
    struct iovec pieces[64];
    GString *out = g_string_new(NULL);
    size_t n;
    lmtp_encoder_init(&e, parts, count);
    while ((n = lmtp_encoder_next(&e, pieces, max)))
        for (size_t i = 0; i < n; i++)
            g_string_append_len(out, pieces[i].iov_base, (gssize)pieces[i].iov_len);
    return out;
}

/* What RFC 5321 wants, in the plainest way. */
static GString *expected_content(const char *body, size_t len)
{
    GString *lines = g_string_new(NULL), *out = g_string_new(NULL);
    for (size_t i = 0; i < len; i++) {
        if (body[i] == '\r' && i + 1 < len && body[i + 1] == '\n')
            continue;
        if (body[i] == '\r' || body[i] == '\n')
            g_string_append(lines, "\r\n");
        else
            g_string_append_c(lines, body[i]);
    }
    if (lines->len && !g_str_has_suffix(lines->str, "\r\n"))
        g_string_append(lines, "\r\n");
    for (gsize i = 0; i < lines->len; i++) {
        if (lines->str[i] == '.' && (i == 0 || lines->str[i - 1] == '\n'))
            g_string_append_c(out, '.');
        g_string_append_c(out, lines->str[i]);
    }
    g_string_append(out, ".\r\n");
    g_string_free(lines, TRUE);
    return out;
}

/* T08: all bodies of CR, LF, dot up to length 8, cut into two parts at every place, with little room. */
static void test_content_exhaustive(void **state)
{
    static const char alphabet[] = "\r\n.";
    for (unsigned len = 0; len <= 8; len++) {
        unsigned total = 1;
        for (unsigned i = 0; i < len; i++)
            total *= 3;
        for (unsigned code = 0; code < total; code++) {
            char body[8];
            for (unsigned i = 0, c = code; i < len; i++, c /= 3)
                body[i] = alphabet[c % 3];
            g_autoptr(GString) want = expected_content(body, len);
            for (unsigned cut = 0; cut <= len; cut++) {
                struct iovec parts[] = { { body, cut }, { body + cut, 0 }, { body + cut, len - cut } };
                g_autoptr(GString) got = encode(parts, 3, cut % 2 ? 8 : 64);
                assert_int_equal(got->len, want->len);
                assert_memory_equal(got->str, want->str, want->len);
            }
        }
    }
}

static void test_content_large(void **state)
{
    static const char *const patterns[] = { "\r", "\n", ".", ".\r\n", "x", "line of text\r\n", "\r\n", "..\n" };
    for (size_t p = 0; p < G_N_ELEMENTS(patterns); p++) {
        g_autoptr(GString) body = g_string_new(NULL);
        while (body->len < 300000)
            g_string_append(body, patterns[p]);
        struct iovec part = { body->str, body->len };
        g_autoptr(GString) want = expected_content(body->str, body->len), got = encode(&part, 1, 64);
        assert_int_equal(got->len, want->len);
        assert_memory_equal(got->str, want->str, want->len);
    }
}

/* ---- a scripted server ---- */

enum fault {
    FAULT_NONE,
    FAULT_CLOSE_AFTER_DOT,   /* no final reply */
    FAULT_ONE_FINAL,         /* one final reply, then close */
    FAULT_CLOSE_IN_DATA,     /* after 354 */
    FAULT_SILENT_AFTER_DOT,
    FAULT_SILENT_AT_RCPT,
    FAULT_CLOSE_WHEN_IDLE,   /* after the first transaction */
    FAULT_421_AT_MAIL,       /* on a connection's second transaction */
    FAULT_GARBAGE,           /* instead of a greeting */
    FAULT_REFUSE_GREETING,
    FAULT_REFUSE_DATA,
};

struct server {
    char *path;
    int fd;
    pthread_t thread;
    enum fault fault;
    bool pipelining;
    const char *extensions;
    atomic_uint connections, messages, bad_line_ends, resets;
    pthread_mutex_t lock;
    GString *log;  /* commands, one per line */
    GString *last; /* content of the last message, unstuffed */
    GPtrArray *sessions;
};

struct session {
    struct server *server;
    int fd;
    pthread_t thread;
    char buffer[65536];
    size_t from, to;
};

static void say(struct session *s, const char *text)
{
    if (send(s->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        s->from = s->to;
}

/* Strict: a line ends with CRLF and holds neither CR nor LF.  NULL: closed. */
static char *hear_line(struct session *s, bool strict)
{
    GString *line = g_string_new(NULL);
    for (;;) {
        if (s->from == s->to) {
            ssize_t n = recv(s->fd, s->buffer, sizeof s->buffer, 0);
            if (n <= 0) {
                g_string_free(line, TRUE);
                return NULL;
            }
            s->from = 0;
            s->to = (size_t)n;
        }
        char c = s->buffer[s->from++];
        g_string_append_c(line, c);
        if (g_str_has_suffix(line->str, "\r\n")) {
            g_string_truncate(line, line->len - 2);
            if (strict && strpbrk(line->str, "\r\n"))
                atomic_fetch_add(&s->server->bad_line_ends, 1);
            return g_string_free(line, FALSE);
        }
    }
}

static bool hear_content(struct session *s)
{
    GString *body = g_string_new(NULL);
    char *line;
    while ((line = hear_line(s, true)) && strcmp(line, ".")) {
        g_string_append(body, *line == '.' ? line + 1 : line);
        g_string_append(body, "\r\n");
        g_free(line);
    }
    bool ok = line != NULL;
    g_free(line);
    pthread_mutex_lock(&s->server->lock);
    if (ok) {
        g_string_free(s->server->last, TRUE);
        s->server->last = body;
        atomic_fetch_add(&s->server->messages, 1);
    } else {
        g_string_free(body, TRUE);
    }
    pthread_mutex_unlock(&s->server->lock);
    return ok;
}

static void reply_to_rcpt(struct session *s, const char *line, GPtrArray *accepted)
{
    if (strstr(line, "<no")) {
        say(s, "550 5.1.1 no such user\r\n");
    } else if (strstr(line, "<later")) {
        say(s, "450-4.2.0 not\r\n450 4.2.0 now\r\n");
    } else {
        say(s, "250 2.1.5 OK\r\n");
        g_ptr_array_add(accepted, g_strdup(line));
    }
}

/* false: end of the session */
static bool final_replies(struct session *s, GPtrArray *accepted)
{
    enum fault fault = s->server->fault;
    if (fault == FAULT_CLOSE_AFTER_DOT)
        return false;
    if (fault == FAULT_SILENT_AFTER_DOT)
        g_usleep(2000000); /* a slow peer */
    for (guint i = 0; i < accepted->len; i++) {
        const char *rcpt = accepted->pdata[i];
        if (fault == FAULT_ONE_FINAL && i == 1)
            return false;
        say(s, strstr(rcpt, "full") ? "552 5.2.2 mailbox is full\r\n"
               : strstr(rcpt, "temp") ? "451 4.3.0 try again\r\n" : "250 2.0.0 saved\r\n");
    }
    g_ptr_array_set_size(accepted, 0);
    return fault != FAULT_CLOSE_WHEN_IDLE;
}

/* One command; false: close. */
static bool obey(struct session *s, const char *line, GPtrArray *accepted, unsigned *transactions)
{
    struct server *server = s->server;
    pthread_mutex_lock(&server->lock);
    g_string_append_printf(server->log, "%s\n", line);
    pthread_mutex_unlock(&server->lock);
    if (g_str_has_prefix(line, "LHLO ")) {
        say(s, "250-test\r\n");
        say(s, server->extensions);
        say(s, "250 OK\r\n");
    } else if (g_str_has_prefix(line, "MAIL FROM:")) {
        if (server->fault == FAULT_421_AT_MAIL && (*transactions)++ > 0) {
            say(s, "421 4.3.2 going down\r\n");
            return false;
        }
        say(s, strstr(line, "<refused") ? "550 5.7.1 not from you\r\n" : "250 2.1.0 OK\r\n");
    } else if (g_str_has_prefix(line, "RCPT TO:")) {
        if (server->fault == FAULT_SILENT_AT_RCPT)
            g_usleep(2000000); /* a slow peer */
        reply_to_rcpt(s, line, accepted);
    } else if (!strcmp(line, "DATA")) {
        if (!accepted->len) {
            say(s, "503 5.5.1 no valid recipients\r\n");
            return true;
        }
        if (server->fault == FAULT_REFUSE_DATA) {
            say(s, "451 4.3.1 disk full\r\n");
            return true;
        }
        say(s, "354 go on\r\n");
        return server->fault != FAULT_CLOSE_IN_DATA && hear_content(s) && final_replies(s, accepted);
    } else if (!strcmp(line, "QUIT")) {
        return false;
    } else {
        if (!strcmp(line, "RSET")) {
            g_ptr_array_set_size(accepted, 0);
            atomic_fetch_add(&server->resets, 1);
        }
        say(s, "250 2.0.0 OK\r\n");
    }
    return true;
}

static void *session_main(void *arg)
{
    struct session *s = arg;
    g_autoptr(GPtrArray) accepted = g_ptr_array_new_with_free_func(g_free);
    unsigned transactions = 0;
    char *line;
    say(s, s->server->fault == FAULT_GARBAGE ? "HTTP/1.1 400\r\n"
           : s->server->fault == FAULT_REFUSE_GREETING ? "521 5.3.2 no mail here\r\n" : "220 test LMTP\r\n");
    while ((line = hear_line(s, true))) {
        bool go_on = obey(s, line, accepted, &transactions);
        g_free(line);
        if (!go_on)
            break;
    }
    shutdown(s->fd, SHUT_RDWR);
    return NULL;
}

static void *server_main(void *arg)
{
    struct server *server = arg;
    int fd;
    while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
        struct session *s = g_new0(struct session, 1);
        s->server = server;
        s->fd = fd;
        atomic_fetch_add(&server->connections, 1);
        pthread_mutex_lock(&server->lock);
        g_ptr_array_add(server->sessions, s);
        pthread_mutex_unlock(&server->lock);
        pthread_create(&s->thread, NULL, session_main, s);
    }
    return NULL;
}

static void server_start(struct server *server, enum fault fault, bool pipelining)
{
    memset(server, 0, sizeof *server);
    server->fault = fault;
    server->pipelining = pipelining;
    server->extensions = pipelining ? "250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 1000000\r\n250-DSN\r\n"
                                      "250-XFORWARD NAME ADDR IDENT\r\n250-ENHANCEDSTATUSCODES\r\n"
                                    : "";
    server->log = g_string_new(NULL);
    server->last = g_string_new(NULL);
    server->sessions = g_ptr_array_new();
    pthread_mutex_init(&server->lock, NULL);
    char dir[] = "/tmp/ump-lmtp.XXXXXX";
    assert_non_null(mkdtemp(dir));
    server->path = g_strdup_printf("%s/s", dir);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_strlcpy(address.sun_path, server->path, sizeof address.sun_path);
    server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->fd, 64), 0);
    pthread_create(&server->thread, NULL, server_main, server);
}

static void server_stop(struct server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
    for (guint i = 0; i < server->sessions->len; i++) {
        struct session *s = server->sessions->pdata[i];
        shutdown(s->fd, SHUT_RDWR);
        pthread_join(s->thread, NULL);
        close(s->fd);
        g_free(s);
    }
    unlink(server->path);
    g_autofree char *dir = g_path_get_dirname(server->path);
    rmdir(dir);
    g_free(server->path);
    g_string_free(server->log, TRUE);
    g_string_free(server->last, TRUE);
    g_ptr_array_unref(server->sessions);
    pthread_mutex_destroy(&server->lock);
}

static struct lmtp_client *client_for(const struct server *server, unsigned max)
{
    struct lmtp_client_options options = { .address = server->path,
                                           .hostname = "client.test",
                                           .max_connections = max,
                                           .connect_timeout_ms = 3000,
                                           .command_timeout_ms = 1000,
                                           .final_timeout_ms = 1000 };
    struct lmtp_client *client = lmtp_client_new(&options, NULL);
    assert_non_null(client);
    return client;
}

/* A whole transaction; the tx stays for its answers. */
static struct lmtp_tx *send_to(struct lmtp_client *client, const char *const *rcpts, enum lmtp_phase phase,
                               const char *body, int *result, GError **error)
{
    struct lmtp_envelope envelope = { .sender = "from@test" };
    struct lmtp_tx *tx = lmtp_begin(client, &envelope);
    for (; *rcpts; rcpts++)
        lmtp_add_rcpt(tx, &(struct lmtp_rcpt){ .address = *rcpts });
    *result = lmtp_send_envelope(tx, phase, error);
    if (*result == 0) {
        struct iovec parts[] = { { (char *)"X-Added: 1\r\n", 12 }, { (char *)body, strlen(body) } };
        *result = lmtp_send_data(tx, parts, 2, error);
    }
    return tx;
}

static const char *const three[] = { "ok1@test", "no@test", "full@test", "later@test", "temp@test", NULL };
static const char *const two[] = { "ok1@test", "ok2@test", NULL };

static void assert_reply(struct lmtp_tx *tx, unsigned i, enum lmtp_outcome outcome, unsigned code)
{
    assert_int_equal(lmtp_rcpt(tx, i)->outcome, outcome);
    assert_int_equal(lmtp_rcpt(tx, i)->reply.code, code);
}

static void per_recipient(bool pipelining, enum lmtp_phase phase)
{
    struct server server;
    int result;
    server_start(&server, FAULT_NONE, pipelining);
    struct lmtp_client *client = client_for(&server, 1);
    for (int round = 0; round < 3; round++) {
        struct lmtp_tx *tx = send_to(client, three, phase, "Subject: x\r\n\r\n.dot\n", &result, NULL);
        assert_int_equal(result, 0);
        assert_int_equal(lmtp_accepted_count(tx), 3);
        assert_reply(tx, 0, LMTP_REPLIED, 250);
        assert_reply(tx, 1, LMTP_REPLIED, 550);
        assert_reply(tx, 2, LMTP_REPLIED, 552);
        assert_reply(tx, 3, LMTP_REPLIED, 450);
        assert_reply(tx, 4, LMTP_REPLIED, 451);
        assert_int_equal(lmtp_rcpt(tx, 2)->reply.enhanced[1], 2);
        assert_string_equal(lmtp_rcpt(tx, 3)->reply.text, "not now");
        lmtp_end(tx);
    }
    lmtp_client_free(client);
    assert_int_equal(atomic_load(&server.connections), 1);
    assert_int_equal(atomic_load(&server.messages), 3);
    assert_string_equal(server.last->str, "X-Added: 1\r\nSubject: x\r\n\r\n.dot\r\n");
    server_stop(&server);
}

static void test_per_recipient(void **state)
{
    per_recipient(true, LMTP_WITH_DATA);
    per_recipient(true, LMTP_ENVELOPE_ONLY);
    per_recipient(false, LMTP_WITH_DATA);
    per_recipient(false, LMTP_ENVELOPE_ONLY);
}

static void test_parameters(void **state)
{
    struct server server;
    server_start(&server, FAULT_NONE, true);
    struct lmtp_client *client = client_for(&server, 1);
    struct lmtp_envelope envelope = { .sender = "a b@test" };
    struct lmtp_tx *tx = lmtp_begin(client, &envelope);
    lmtp_add_rcpt(tx, &(struct lmtp_rcpt){ .address = "x@test" });
    GError *error = NULL;
    assert_int_equal(lmtp_send_envelope(tx, LMTP_WITH_DATA, &error), -1);
    assert_true(g_error_matches(error, LMTP_ERROR, LMTP_ERROR_ARGUMENT));
    g_clear_error(&error);
    lmtp_end(tx);
    envelope = (struct lmtp_envelope){ .sender = "\"a b>\"@test",
                                       .size = 1234,
                                       .body_8bitmime = true,
                                       .smtputf8 = true,
                                       .ret = "HDRS",
                                       .envid = "QQ314159",
                                       .xf_addr = "192.0.2.1",
                                       .xf_ident = "4F+=",
                                       .xf_helo = "not offered" };
    tx = lmtp_begin(client, &envelope);
    lmtp_add_rcpt(tx, &(struct lmtp_rcpt){ "x@test", "SUCCESS,FAILURE", "rfc822;x@test" });
    assert_int_equal(lmtp_send_envelope(tx, LMTP_ENVELOPE_ONLY, &error), 0);
    lmtp_end(tx); /* given up: the connection is used again, after RSET */
    tx = lmtp_begin(client, &(struct lmtp_envelope){ 0 });
    lmtp_add_rcpt(tx, &(struct lmtp_rcpt){ .address = "bad\r\nDATA@test" });
    assert_int_equal(lmtp_send_envelope(tx, LMTP_ENVELOPE_ONLY, NULL), -1);
    lmtp_end(tx);
    int result;
    lmtp_end(send_to(client, two, LMTP_WITH_DATA, "x", &result, &error));
    assert_int_equal(result, 0);
    unsigned extensions;
    uint64_t max;
    assert_int_equal(lmtp_client_extensions(client, &extensions, &max, NULL), 0);
    assert_true((extensions & LMTP_EXT_DSN) && (extensions & LMTP_EXT_XFORWARD) && !(extensions & LMTP_EXT_CHUNKING));
    assert_int_equal(max, 1000000);
    pthread_mutex_lock(&server.lock); /* before QUIT, which comes when it likes */
    g_autofree char *log = g_strchomp(g_strdup(server.log->str));
    pthread_mutex_unlock(&server.lock);
    lmtp_client_free(client);
    assert_string_equal(log,
                        "LHLO client.test\n"
                        "XFORWARD ADDR=192.0.2.1 IDENT=4F+2B+3D\n"
                        "MAIL FROM:<\"a b>\"@test> SIZE=1234 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ314159\n"
                        "RCPT TO:<x@test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@test\n"
                        "RSET\nMAIL FROM:<from@test>\nRCPT TO:<ok1@test>\nRCPT TO:<ok2@test>\nDATA");
    server_stop(&server);
}

static void test_mail_refused(void **state)
{
    for (int pipelining = 0; pipelining < 2; pipelining++) {
        struct server server;
        server_start(&server, FAULT_NONE, pipelining);
        struct lmtp_client *client = client_for(&server, 1);
        struct lmtp_tx *tx = lmtp_begin(client, &(struct lmtp_envelope){ .sender = "refused@test" });
        lmtp_add_rcpt(tx, &(struct lmtp_rcpt){ .address = "no@test" });
        assert_int_equal(lmtp_send_envelope(tx, LMTP_ENVELOPE_ONLY, NULL), 0);
        assert_reply(tx, 0, LMTP_REPLIED, 550);
        assert_int_equal(lmtp_rcpt(tx, 0)->reply.enhanced[1], 7);
        assert_int_equal(lmtp_send_data(tx, NULL, 0, NULL), 0);
        lmtp_end(tx);
        int result;
        lmtp_end(send_to(client, two, LMTP_WITH_DATA, "x", &result, NULL));
        assert_int_equal(result, 0);
        lmtp_client_free(client);
        assert_int_equal(atomic_load(&server.connections), 1);
        server_stop(&server);
    }
}

static void test_faults(void **state)
{
    static const struct {
        enum fault fault;
        enum lmtp_phase phase;
        int code; /* of the error; -1: none */
        enum lmtp_outcome first, second;
    } table[] = {
        { FAULT_CLOSE_AFTER_DOT, LMTP_WITH_DATA, LMTP_ERROR_LOST, LMTP_AMBIGUOUS, LMTP_AMBIGUOUS },
        { FAULT_ONE_FINAL, LMTP_WITH_DATA, LMTP_ERROR_LOST, LMTP_REPLIED, LMTP_AMBIGUOUS },
        { FAULT_SILENT_AFTER_DOT, LMTP_WITH_DATA, LMTP_ERROR_TIMEOUT, LMTP_AMBIGUOUS, LMTP_AMBIGUOUS },
        { FAULT_SILENT_AT_RCPT, LMTP_WITH_DATA, LMTP_ERROR_TIMEOUT, LMTP_NOT_SENT, LMTP_NOT_SENT },
        { FAULT_GARBAGE, LMTP_WITH_DATA, LMTP_ERROR_PROTOCOL, LMTP_NOT_SENT, LMTP_NOT_SENT },
        { FAULT_REFUSE_GREETING, LMTP_WITH_DATA, LMTP_ERROR_CONNECT, LMTP_NOT_SENT, LMTP_NOT_SENT },
        { FAULT_REFUSE_DATA, LMTP_WITH_DATA, -1, LMTP_REPLIED, LMTP_REPLIED },
        { FAULT_REFUSE_DATA, LMTP_ENVELOPE_ONLY, -1, LMTP_REPLIED, LMTP_REPLIED },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        struct server server;
        GError *error = NULL;
        int result;
        server_start(&server, table[i].fault, true);
        struct lmtp_client *client = client_for(&server, 2);
        struct lmtp_tx *tx = send_to(client, two, table[i].phase, "body\r\n", &result, &error);
        assert_int_equal(error ? error->code : -1, table[i].code);
        assert_int_equal(lmtp_rcpt(tx, 0)->outcome, table[i].first);
        assert_int_equal(lmtp_rcpt(tx, 1)->outcome, table[i].second);
        lmtp_end(tx);
        g_clear_error(&error);
        lmtp_client_free(client);
        server_stop(&server);
    }
}

/* A body larger than any buffer: the dot cannot have left. */
static void test_lost_in_content(void **state)
{
    struct server server;
    GError *error = NULL;
    int result;
    g_autofree char *body = g_strnfill(4 << 20, 'x');
    server_start(&server, FAULT_CLOSE_IN_DATA, true);
    struct lmtp_client *client = client_for(&server, 2);
    struct lmtp_tx *tx = send_to(client, two, LMTP_WITH_DATA, body, &result, &error);
    assert_true(g_error_matches(error, LMTP_ERROR, LMTP_ERROR_LOST));
    assert_int_equal(lmtp_rcpt(tx, 0)->outcome, LMTP_NOT_SENT);
    lmtp_end(tx);
    g_clear_error(&error);
    lmtp_client_free(client);
    server_stop(&server);
}

static void dead_kept_connection(enum fault fault)
{
    struct server server;
    int result;
    server_start(&server, fault, true);
    struct lmtp_client *client = client_for(&server, 2);
    for (int i = 0; i < 4; i++) {
        GError *error = NULL;
        struct lmtp_tx *tx = send_to(client, two, i % 2 ? LMTP_ENVELOPE_ONLY : LMTP_WITH_DATA, "x", &result, &error);
        assert_null(error);
        assert_reply(tx, 1, LMTP_REPLIED, 250);
        lmtp_end(tx);
        if (i % 2)
            g_usleep(20000); /* the server's end may be seen at once, or only when something is said */
    }
    lmtp_client_free(client);
    assert_int_equal(atomic_load(&server.messages), 4);
    server_stop(&server);
}

static void test_dead_kept_connection(void **state)
{
    dead_kept_connection(FAULT_CLOSE_WHEN_IDLE);
    dead_kept_connection(FAULT_421_AT_MAIL);
}

static void test_many_recipients(void **state)
{
    struct server server;
    server_start(&server, FAULT_NONE, true);
    struct lmtp_client *client = client_for(&server, 1);
    struct lmtp_tx *tx = lmtp_begin(client, &(struct lmtp_envelope){ .sender = "" });
    for (int i = 0; i < 1000; i++) {
        g_autofree char *address = g_strdup_printf("%s%d@test", i % 3 ? "ok" : "no", i);
        lmtp_add_rcpt(tx, &(struct lmtp_rcpt){ .address = address });
    }
    assert_int_equal(lmtp_send_envelope(tx, LMTP_ENVELOPE_ONLY, NULL), 0);
    lmtp_add_rcpt(tx, &(struct lmtp_rcpt){ .address = "full@test" });
    assert_int_equal(lmtp_send_more_rcpts(tx, NULL), 0);
    struct iovec part = { (char *)"x", 1 };
    assert_int_equal(lmtp_send_data(tx, &part, 1, NULL), 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_reply(tx, i, LMTP_REPLIED, i % 3 ? 250 : 550);
    assert_reply(tx, 1000, LMTP_REPLIED, 552);
    lmtp_end(tx);
    lmtp_client_free(client);
    server_stop(&server);
}

/* T08 over the wire: one message each, the same bytes. */
static void test_bodies_over_the_wire(void **state)
{
    static const char alphabet[] = "\r\n.";
    struct server server;
    server_start(&server, FAULT_NONE, true);
    struct lmtp_client *client = client_for(&server, 1);
    for (unsigned code = 0; code < 6561; code++) {
        char body[8];
        for (unsigned i = 0, c = code; i < 8; i++, c /= 3)
            body[i] = alphabet[c % 3];
        struct lmtp_tx *tx = lmtp_begin(client, &(struct lmtp_envelope){ .sender = "a@test" });
        lmtp_add_rcpt(tx, &(struct lmtp_rcpt){ .address = "b@test" });
        struct iovec part = { body, 8 };
        assert_int_equal(lmtp_send_envelope(tx, LMTP_WITH_DATA, NULL), 0);
        assert_int_equal(lmtp_send_data(tx, &part, 1, NULL), 0);
        lmtp_end(tx);
        g_autoptr(GString) want = expected_content(body, 8);
        g_autoptr(GString) stuffed = g_string_new(NULL);
        pthread_mutex_lock(&server.lock);
        for (const char *p = server.last->str; *p; p++) {
            if (*p == '.' && (p == server.last->str || p[-1] == '\n'))
                g_string_append_c(stuffed, '.');
            g_string_append_c(stuffed, *p);
        }
        pthread_mutex_unlock(&server.lock);
        g_string_append(stuffed, ".\r\n");
        assert_string_equal(stuffed->str, want->str);
    }
    lmtp_client_free(client);
    assert_int_equal(atomic_load(&server.messages), 6561);
    assert_int_equal(atomic_load(&server.bad_line_ends), 0);
    assert_int_equal(atomic_load(&server.connections), 1);
    server_stop(&server);
}

static void *many_sends(void *arg)
{
    for (int i = 0; i < 200; i++) {
        int result;
        lmtp_end(send_to(arg, two, i % 2 ? LMTP_WITH_DATA : LMTP_ENVELOPE_ONLY, "hello\r\n", &result, NULL));
        if (result)
            return arg;
    }
    return NULL;
}

static void test_pool_is_shared(void **state)
{
    struct server server;
    pthread_t threads[8];
    server_start(&server, FAULT_NONE, true);
    struct lmtp_client *client = client_for(&server, 3);
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, many_sends, client);
    for (int i = 0; i < 8; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    lmtp_client_free(client);
    assert_true(atomic_load(&server.connections) <= 3);
    assert_int_equal(atomic_load(&server.messages), 1600);
    server_stop(&server);
}

static void test_nobody_there(void **state)
{
    struct lmtp_client_options options = { .address = "/nonexistent/socket" };
    struct lmtp_client *client = lmtp_client_new(&options, NULL);
    GError *error = NULL;
    int result;
    struct lmtp_tx *tx = send_to(client, two, LMTP_WITH_DATA, "x", &result, &error);
    assert_true(g_error_matches(error, LMTP_ERROR, LMTP_ERROR_CONNECT));
    assert_int_equal(lmtp_rcpt(tx, 0)->outcome, LMTP_NOT_SENT);
    lmtp_end(tx);
    g_clear_error(&error);
    lmtp_client_free(client);
    options.address = "no port";
    assert_null(lmtp_client_new(&options, &error));
    g_clear_error(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply_table),
        cmocka_unit_test(test_reply_limits),
        cmocka_unit_test(test_content_exhaustive),
        cmocka_unit_test(test_content_large),
        cmocka_unit_test(test_per_recipient),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_mail_refused),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_lost_in_content),
        cmocka_unit_test(test_dead_kept_connection),
        cmocka_unit_test(test_many_recipients),
        cmocka_unit_test(test_bodies_over_the_wire),
        cmocka_unit_test(test_pool_is_shared),
        cmocka_unit_test(test_nobody_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
