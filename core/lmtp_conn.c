/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to an LMTP server: connect, greeting, LHLO; bytes out, replies in; the pool.
 * The sockets block, with timeouts set on them: one system call per read and write. */
#include "core/clock.h"
#include "core/cond.h"
#include "core/lmtp_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A server says little; more than this unread is not SMTP. */
#define MAX_UNREAD (1 << 20)

static struct timeval timeval_of(unsigned ms)
{
    return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };
}

static void set_timeout(int fd, int which, unsigned ms)
{
    struct timeval tv = timeval_of(MAX(ms, 1));
    if (setsockopt(fd, SOL_SOCKET, which, &tv, sizeof tv) < 0)
        g_warning("setsockopt: %s", g_strerror(errno));
}

static bool timed_out(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINPROGRESS || error == ETIMEDOUT;
}

static int fail(GError **error, enum lmtp_error code, const char *what, int errnum)
{
    g_set_error(error, LMTP_ERROR, timed_out(errnum) ? LMTP_ERROR_TIMEOUT : code, "%s: %s", what,
                timed_out(errnum) ? "no answer in time" : g_strerror(errnum));
    return -1;
}

/* ---- bytes ---- */

/* Takes n bytes from the front of the pieces. */
static void advance(struct iovec **pieces, size_t *count, size_t n)
{
    while (*count && n >= (*pieces)->iov_len) {
        n -= (*pieces)->iov_len;
        (*pieces)++;
        (*count)--;
    }
    if (n) {
        (*pieces)->iov_base = (char *)(*pieces)->iov_base + n;
        (*pieces)->iov_len -= n;
    }
}

int lmtp_conn_write(struct lmtp_conn *conn, struct iovec *pieces, size_t count, int64_t deadline, GError **error)
{
    while (count) {
        struct msghdr message = { .msg_iov = pieces, .msg_iovlen = MIN(count, 1024) };
        ssize_t n = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(error, LMTP_ERROR_LOST, "sending", errno);
        advance(&pieces, &count, (size_t)n);
        if (count && g_get_monotonic_time() > deadline)
            return fail(error, LMTP_ERROR_TIMEOUT, "sending", ETIMEDOUT);
    }
    return 0;
}

static int fill(struct lmtp_conn *conn, GError **error)
{
    guint8 buffer[4096];
    ssize_t n;
    do
        n = recv(conn->fd, buffer, sizeof buffer, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail(error, LMTP_ERROR_LOST, "waiting for the reply", errno);
    if (n == 0) {
        g_set_error_literal(error, LMTP_ERROR, LMTP_ERROR_LOST, "the server closed the connection");
        return -1;
    }
    conn->heard = true;
    if (conn->in_at == conn->in->len) {
        g_byte_array_set_size(conn->in, 0);
        conn->in_at = 0;
    }
    g_byte_array_append(conn->in, buffer, (guint)n);
    return 0;
}

int lmtp_conn_read(struct lmtp_conn *conn, struct lmtp_reply *reply, unsigned timeout_ms, GError **error)
{
    int64_t deadline = 0;
    size_t used = 0;
    lmtp_reply_clear(reply);
    for (;;) {
        int r = lmtp_reply_parse((const char *)conn->in->data + conn->in_at, conn->in->len - conn->in_at, reply, &used);
        if (r > 0) {
            conn->in_at += used;
            return 0;
        }
        if (r < 0 || conn->in->len - conn->in_at > MAX_UNREAD) {
            g_set_error_literal(error, LMTP_ERROR, LMTP_ERROR_PROTOCOL, "the server said something that is no reply");
            return -1;
        }
        if (conn->read_timeout_ms != timeout_ms) {
            set_timeout(conn->fd, SO_RCVTIMEO, timeout_ms);
            conn->read_timeout_ms = timeout_ms;
        }
        int64_t now = g_get_monotonic_time();
        if (!deadline)
            deadline = now + 1000LL * timeout_ms;
        if (now > deadline) /* a server that drips */
            return fail(error, LMTP_ERROR_TIMEOUT, "waiting for the reply", ETIMEDOUT);
        if (fill(conn, error) < 0)
            return -1;
    }
}

/* ---- connecting ---- */

static int connect_unix(const char *path, unsigned timeout_ms, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(error, LMTP_ERROR_CONNECT, path, errno);
    set_timeout(fd, SO_SNDTIMEO, timeout_ms);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    fail(error, LMTP_ERROR_CONNECT, path, errno);
    close(fd);
    return -1;
}

static int connect_address(const struct addrinfo *a, const char *host, unsigned timeout_ms, GError **error)
{
    int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(error, LMTP_ERROR_CONNECT, host, errno);
    set_timeout(fd, SO_SNDTIMEO, timeout_ms);
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
        return fd;
    }
    fail(error, LMTP_ERROR_CONNECT, host, errno);
    close(fd);
    return -1;
}

static int connect_tcp(const char *host, const char *port, unsigned timeout_ms, GError **error)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV }, *list;
    int r = getaddrinfo(host, port, &hints, &list), fd = -1;
    if (r) {
        g_set_error(error, LMTP_ERROR, LMTP_ERROR_CONNECT, "%s: %s", host, gai_strerror(r));
        return -1;
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        g_clear_error(error);
        fd = connect_address(a, host, timeout_ms, error);
    }
    freeaddrinfo(list);
    return fd;
}

static const struct {
    const char *word;
    unsigned flag;
} extension_words[] = {
    { "PIPELINING", LMTP_EXT_PIPELINING }, { "8BITMIME", LMTP_EXT_8BITMIME },
    { "SMTPUTF8", LMTP_EXT_SMTPUTF8 },     { "DSN", LMTP_EXT_DSN },
    { "SIZE", LMTP_EXT_SIZE },             { "ENHANCEDSTATUSCODES", LMTP_EXT_ENHANCED },
    { "XFORWARD", LMTP_EXT_XFORWARD },     { "CHUNKING", LMTP_EXT_CHUNKING },
}, xforward_words[] = {
    { "NAME", XF_NAME }, { "ADDR", XF_ADDR },   { "PORT", XF_PORT },     { "PROTO", XF_PROTO },
    { "HELO", XF_HELO }, { "IDENT", XF_IDENT }, { "SOURCE", XF_SOURCE },
};

static void note_extension(struct lmtp_conn *conn, const char *line)
{
    g_auto(GStrv) words = g_strsplit_set(line, " =", -1);
    for (size_t i = 0; words[0] && i < G_N_ELEMENTS(extension_words); i++)
        if (!g_ascii_strcasecmp(words[0], extension_words[i].word))
            conn->extensions |= extension_words[i].flag;
    if (words[0] && !g_ascii_strcasecmp(words[0], "SIZE") && words[1])
        conn->max_size = g_ascii_strtoull(words[1], NULL, 10);
    if (words[0] && !g_ascii_strcasecmp(words[0], "XFORWARD"))
        for (char **w = words + 1; *w; w++)
            for (size_t i = 0; i < G_N_ELEMENTS(xforward_words); i++)
                if (!g_ascii_strcasecmp(*w, xforward_words[i].word))
                    conn->xforward |= xforward_words[i].flag;
}

/* The lines of the LHLO reply, before the parser joins them. */
static void note_extensions(struct lmtp_conn *conn, const char *raw, size_t length)
{
    g_autofree char *text = g_strndup(raw, length);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (line != lines && strlen(*line) > 4)
            note_extension(conn, g_strchomp(*line + 4));
}

static int expect(struct lmtp_conn *conn, unsigned class, const char *what, unsigned timeout_ms, GError **error)
{
    struct lmtp_reply reply = { 0 };
    if (lmtp_conn_read(conn, &reply, timeout_ms, error) < 0)
        return -1;
    bool ok = reply.code / 100 == class;
    if (!ok) {
        g_autofree char *text = lmtp_reply_format(&reply);
        g_set_error(error, LMTP_ERROR, LMTP_ERROR_CONNECT, "%s: %s", what, text);
    }
    lmtp_reply_clear(&reply);
    return ok ? 0 : -1;
}

static int say_hello(struct lmtp_client *client, struct lmtp_conn *conn, GError **error)
{
    unsigned timeout = client->options.connect_timeout_ms;
    if (expect(conn, 2, "greeting", timeout, error) < 0)
        return -1;
    if (conn->in_at != conn->in->len) {
        g_set_error_literal(error, LMTP_ERROR, LMTP_ERROR_PROTOCOL, "the server talks before it is asked");
        return -1;
    }
    g_autofree char *hello = g_strdup_printf("LHLO %s\r\n", client->options.hostname);
    struct iovec piece = { hello, strlen(hello) };
    if (lmtp_conn_write(conn, &piece, 1, g_get_monotonic_time() + 1000LL * timeout, error) < 0)
        return -1;
    g_byte_array_set_size(conn->in, 0);
    conn->in_at = 0;
    if (expect(conn, 2, "LHLO", timeout, error) < 0)
        return -1;
    note_extensions(conn, (const char *)conn->in->data, conn->in_at);
    return 0;
}

static void conn_free(struct lmtp_conn *conn)
{
    close(conn->fd);
    g_byte_array_unref(conn->in);
    g_free(conn);
}

static struct lmtp_conn *open_conn(struct lmtp_client *client, GError **error)
{
    unsigned timeout = client->options.connect_timeout_ms;
    int fd = client->path ? connect_unix(client->path, timeout, error)
                          : connect_tcp(client->host, client->port, timeout, error);
    if (fd < 0)
        return NULL;
    struct lmtp_conn *conn = g_new0(struct lmtp_conn, 1);
    conn->fd = fd;
    conn->in = g_byte_array_sized_new(512); /* never a null pointer */
    if (say_hello(client, conn, error) < 0) {
        conn_free(conn);
        return NULL;
    }
    set_timeout(fd, SO_SNDTIMEO, client->options.command_timeout_ms);
    pthread_mutex_lock(&client->lock);
    client->known = true;
    client->extensions = conn->extensions;
    client->max_size = conn->max_size;
    pthread_mutex_unlock(&client->lock);
    return conn;
}

/* ---- the pool ---- */

static void say_goodbye(struct lmtp_conn *conn)
{
    static const char quit[] = "QUIT\r\n";
    if (send(conn->fd, quit, sizeof quit - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        errno = 0; /* it is closed next anyway */
    conn_free(conn);
}

/* Too old, or the server has closed it or said something (421). */
static bool is_stale(const struct lmtp_client *client, const struct lmtp_conn *conn)
{
    char byte;
    if (g_get_monotonic_time() - conn->idle_since > 1000LL * client->options.max_idle_ms)
        return true;
    return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || !(errno == EAGAIN || errno == EWOULDBLOCK);
}

static struct lmtp_conn *pop_idle(struct lmtp_client *client)
{
    guint n = client->idle->len;
    return n ? g_ptr_array_steal_index(client->idle, n - 1) : NULL;
}

/* A kept connection, or NULL with the right to open one.  -1: none free in time. */
static int reserve(struct lmtp_client *client, bool fresh, struct lmtp_conn **conn)
{
    gint64 until = ump_clock_mono_us() + CLOCK_SECOND + client->options.connect_timeout_ms * (CLOCK_SECOND / 1000);
    bool in_time = true;
    pthread_mutex_lock(&client->lock);
    struct lmtp_conn *kept = pop_idle(client);
    while (!kept && client->open >= client->options.max_connections && in_time) {
        in_time = cond_wait_until(&client->freed, &client->lock, until);
        kept = pop_idle(client);
    }
    bool ok = kept || client->open < client->options.max_connections;
    if (!kept && ok)
        client->open++;
    pthread_mutex_unlock(&client->lock);
    if (kept && (fresh || is_stale(client, kept))) {
        say_goodbye(kept);
        kept = NULL;
    }
    *conn = kept;
    return ok ? 0 : -1;
}

struct lmtp_conn *lmtp_pool_take(struct lmtp_client *client, bool fresh, GError **error)
{
    struct lmtp_conn *conn;
    if (reserve(client, fresh, &conn) < 0) {
        g_set_error_literal(error, LMTP_ERROR, LMTP_ERROR_BUSY, "all connections to the LMTP server are in use");
        return NULL;
    }
    if (!conn) {
        conn = open_conn(client, error);
        if (!conn) {
            pthread_mutex_lock(&client->lock);
            client->open--;
            pthread_cond_signal(&client->freed);
            pthread_mutex_unlock(&client->lock);
            return NULL;
        }
    }
    conn->heard = false;
    return conn;
}

void lmtp_pool_give(struct lmtp_client *client, struct lmtp_conn *conn, bool usable)
{
    unsigned most = client->options.max_transactions;
    usable = usable && conn->in_at == conn->in->len && !(most && conn->transactions >= most);
    conn->used = true;
    conn->idle_since = g_get_monotonic_time();
    pthread_mutex_lock(&client->lock);
    if (usable)
        g_ptr_array_add(client->idle, conn);
    else
        client->open--;
    pthread_cond_signal(&client->freed);
    pthread_mutex_unlock(&client->lock);
    if (!usable)
        say_goodbye(conn);
}

/* "unix:/path", "/path", "host:port", "[::1]:24"; "lmtp:" before it is skipped. */
static bool parse_address(struct lmtp_client *client, const char *text)
{
    if (g_str_has_prefix(text, "lmtp:"))
        text += 5;
    if (g_str_has_prefix(text, "inet:"))
        text += 5;
    const char *path = g_str_has_prefix(text, "unix:") ? text + 5 : *text == '/' ? text : NULL;
    if (path) {
        client->path = g_strdup(path);
        return *path && strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path;
    }
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || !colon[1])
        return false;
    bool bracket = *text == '[' && colon[-1] == ']';
    client->host = g_strndup(text + bracket, (gsize)(colon - text) - 2 * bracket);
    client->port = g_strdup(colon + 1);
    return strspn(client->port, "0123456789") == strlen(client->port);
}

static void client_free(struct lmtp_client *client)
{
    g_free(client->path);
    g_free(client->host);
    g_free(client->port);
    g_free((char *)client->options.hostname);
    g_free(client);
}

struct lmtp_client *lmtp_client_new(const struct lmtp_client_options *options, GError **error)
{
    struct lmtp_client *client = g_new0(struct lmtp_client, 1);
    client->options = *options;
    client->options.hostname = g_strdup(options->hostname ? options->hostname : "localhost");
    if (!parse_address(client, options->address ? options->address : "") ||
        strpbrk(client->options.hostname, " \t\r\n")) {
        g_set_error(error, LMTP_ERROR, LMTP_ERROR_ARGUMENT, "\"%s\" is no address of an LMTP server",
                    options->address ? options->address : "");
        client_free(client);
        return NULL;
    }
    struct lmtp_client_options *o = &client->options;
    o->max_connections = o->max_connections ? o->max_connections : 64;
    o->max_idle_ms = o->max_idle_ms ? o->max_idle_ms : 30000;
    o->connect_timeout_ms = o->connect_timeout_ms ? o->connect_timeout_ms : 5000;
    o->command_timeout_ms = o->command_timeout_ms ? o->command_timeout_ms : 30000;
    o->final_timeout_ms = o->final_timeout_ms ? o->final_timeout_ms : 60000;
    cond_init(&client->freed);
    pthread_mutex_init(&client->lock, NULL);
    client->idle = g_ptr_array_new();
    return client;
}

void lmtp_client_free(struct lmtp_client *client)
{
    if (!client)
        return;
    g_assert(client->open == client->idle->len);
    for (guint i = 0; i < client->idle->len; i++)
        say_goodbye(client->idle->pdata[i]);
    g_ptr_array_unref(client->idle);
    pthread_cond_destroy(&client->freed);
    pthread_mutex_destroy(&client->lock);
    client_free(client);
}

int lmtp_client_extensions(struct lmtp_client *client, unsigned *extensions, uint64_t *max_size, GError **error)
{
    pthread_mutex_lock(&client->lock);
    bool known = client->known;
    pthread_mutex_unlock(&client->lock);
    if (!known) {
        struct lmtp_conn *conn = lmtp_pool_take(client, false, error);
        if (!conn)
            return -1;
        lmtp_pool_give(client, conn, true);
    }
    pthread_mutex_lock(&client->lock);
    *extensions = client->extensions;
    *max_size = client->max_size;
    pthread_mutex_unlock(&client->lock);
    return 0;
}
