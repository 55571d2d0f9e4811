/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/server.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/config.h"
#include "core/error.h"
#include "core/log.h"

#define STACK_SIZE (1024 * 1024)
#define WAITING_MAX 1024 /* connections without a thread */
#define WRITE_TIMEOUT (60 * CLOCK_SECOND)
#define DATA_DEADLINE (30 * CLOCK_MINUTE)

struct server {
    const struct session_handler *handler;
    void *handler_data;
    struct session_options options;
    char *path;
    int fd, stop_fd;
    GArray *peers; /* uid_t */
    guint max_threads;
    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t work, ended;
    GQueue waiting;     /* descriptors */
    GHashTable *active; /* descriptors */
    guint threads, idle;
    bool stopping;
};

/* ---- Threads ---- */

static bool is_crowded(void *data)
{
    struct server *server = data;
    bool crowded;

    pthread_mutex_lock(&server->lock);
    crowded = server->waiting.length > 0;
    pthread_mutex_unlock(&server->lock);
    return crowded;
}

static void serve(struct server *server, int fd)
{
    struct io_socket socket = {fd, server->stop_fd};
    struct io io = {&io_socket_ops, &socket};
    struct session_stats stats;
    gint64 start = ump_clock_mono_us();
    enum session_end end = session_run(&server->options, server->handler, server->handler_data, &io, &stats);

    log_debug("session", LOG_INT(fd), "commands", LOG_INT((gint64)stats.commands), "mails",
              LOG_INT((gint64)stats.mails), "time", LOG_MS(ump_clock_mono_us() - start), "status",
              end == SESSION_QUIT ? "closed" : end == SESSION_CLOSED ? "lost" : end == SESSION_REFUSED ? "refused"
              : end == SESSION_TIMEOUT ? "timeout" : "stopped");
}

static void *worker(void *data)
{
    struct server *server = data;

    pthread_mutex_lock(&server->lock);
    for (;;) {
        gpointer taken;
        while (server->waiting.length == 0 && !server->stopping) {
            server->idle++;
            pthread_cond_wait(&server->work, &server->lock);
            server->idle--;
        }
        if (server->waiting.length == 0)
            break;
        taken = g_queue_pop_head(&server->waiting);
        g_hash_table_add(server->active, taken);
        pthread_mutex_unlock(&server->lock);
        serve(server, GPOINTER_TO_INT(taken));
        pthread_mutex_lock(&server->lock);
        g_hash_table_remove(server->active, taken);
        close(GPOINTER_TO_INT(taken));
    }
    server->threads--;
    pthread_cond_broadcast(&server->ended);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

/* With the lock held. */
static void spawn(struct server *server)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, worker, server) == 0)
        server->threads++;
    else
        log_error("threads", LOG_INT(server->threads), "status", "thread-failed");
    pthread_attr_destroy(&attributes);
}

static void hand_over(struct server *server, int fd)
{
    pthread_mutex_lock(&server->lock);
    if (server->waiting.length >= WAITING_MAX) {
        close(fd);
    } else {
        g_queue_push_tail(&server->waiting, GINT_TO_POINTER(fd));
        if (server->idle < server->waiting.length && server->threads < server->max_threads)
            spawn(server);
        pthread_cond_signal(&server->work);
    }
    pthread_mutex_unlock(&server->lock);
}

/* ---- Who connects ---- */

static bool may_connect(const struct server *server, int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    for (guint i = 0; i < server->peers->len; i++)
        if (g_array_index(server->peers, uid_t, i) == peer.uid)
            return true;
    log_warning("uid", LOG_INT(peer.uid), "pid", LOG_INT(peer.pid), "status", "peer-refused");
    return false;
}

static void read_peers(struct server *server, const char *const *names)
{
    uid_t own = geteuid(), root = 0;

    server->peers = g_array_new(FALSE, FALSE, sizeof(uid_t));
    g_array_append_val(server->peers, root);
    g_array_append_val(server->peers, own);
    for (; *names; names++) {
        guint64 number;
        uid_t uid;
        if (g_ascii_string_to_unsigned(*names, 10, 0, G_MAXUINT32 - 1, &number, NULL)) {
            uid = (uid_t)number;
        } else {
            const struct passwd *entry = getpwnam(*names);
            if (!entry) {
                log_warning("user", *names, "status", "peer-unknown");
                continue;
            }
            uid = entry->pw_uid;
        }
        g_array_append_val(server->peers, uid);
    }
}

/* ---- The socket ---- */

static bool set_owner(const char *path, const char *mode, const char *group, GError **error)
{
    char *end = NULL;
    unsigned long bits = strtoul(mode, &end, 8);

    if (*end != '\0' || bits > 0777) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "[lmtp] socket_mode: \"%s\" is not like 0660", mode);
        return false;
    }
    if (group) {
        const struct group *entry = getgrnam(group);
        if (!entry) {
            g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "[lmtp] socket_group: there is no group %s", group);
            return false;
        }
        if (chown(path, (uid_t)-1, entry->gr_gid) != 0)
            return ump_error_errno(error, errno, "chown %s", path) == 0;
    }
    if (chmod(path, (mode_t)bits) != 0)
        return ump_error_errno(error, errno, "chmod %s", path) == 0;
    return true;
}

/* A socket that a dead predecessor left behind is removed; a living one is not taken over. */
static bool remove_stale(const struct sockaddr_un *address, GError **error)
{
    struct stat st;
    autofd int probe = -1;

    if (lstat(address->sun_path, &st) != 0)
        return true;
    if (!S_ISSOCK(st.st_mode)) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "%s exists and is no socket", address->sun_path);
        return false;
    }
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe >= 0 && (connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN)) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "%s is in use by another process", address->sun_path);
        return false;
    }
    if (unlink(address->sun_path) != 0)
        return ump_error_errno(error, errno, "%s", address->sun_path) == 0;
    return true;
}

static bool listen_on(struct server *server, const struct config *config, GError **error)
{
    const char *setting = config_get_string(config, "lmtp", "socket");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t mask;
    int bound;

    server->path = g_strdup(g_str_has_prefix(setting, "unix:") ? setting + 5 : setting);
    if (server->path[0] != '/' || strlen(server->path) >= sizeof address.sun_path) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "[lmtp] socket: \"%s\" is not unix:/path below 108 bytes", setting);
        g_clear_pointer(&server->path, g_free);
        return false;
    }
    memcpy(address.sun_path, server->path, strlen(server->path));
    if (!remove_stale(&address, error)) {
        g_clear_pointer(&server->path, g_free);
        return false;
    }
    server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mask = umask(0177);
    bound = server->fd < 0 ? -1 : bind(server->fd, (const struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (bound != 0)
        return ump_error_errno(error, errno, "%s", server->path) == 0;
    if (!set_owner(server->path, config_get_string(config, "lmtp", "socket_mode"),
                   config_get_string(config, "lmtp", "socket_group"), error))
        return false;
    if (listen(server->fd, SOMAXCONN) != 0)
        return ump_error_errno(error, errno, "listen on %s", server->path) == 0;
    return true;
}

struct server *server_open(const struct config *config, const struct session_handler *handler, void *handler_data,
                           GError **error)
{
    struct server *server = g_new0(struct server, 1);

    server->handler = handler;
    server->handler_data = handler_data;
    server->fd = server->stop_fd = -1;
    server->max_threads = (guint)config_get_int(config, "lmtp", "max_sessions");
    server->options = (struct session_options){
        .hostname = config_get_string(config, "gateway", "hostname"),
        .command_timeout = config_get_duration(config, "lmtp", "command_timeout"),
        .data_timeout = config_get_duration(config, "lmtp", "data_timeout"),
        .data_deadline = DATA_DEADLINE,
        .write_timeout = WRITE_TIMEOUT,
        .max_size = (size_t)config_get_size(config, "lmtp", "max_size"),
        .memory_limit = (size_t)config_get_size(config, "lmtp", "memory_limit"),
        .spool_dir = config_get_string(config, "lmtp", "spool_dir"),
        .max_recipients = (guint)config_get_int(config, "lmtp", "max_recipients"),
        .crowded = is_crowded,
        .crowded_data = server,
    };
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->work, NULL);
    cond_init(&server->ended);
    g_queue_init(&server->waiting);
    server->active = g_hash_table_new(NULL, NULL);
    read_peers(server, config_get_list(config, "lmtp", "peers"));
    if (listen_on(server, config, error))
        return server;
    server_free(server);
    return NULL;
}

void server_run(struct server *server, int stop_fd)
{
    struct pollfd fds[2] = {{server->fd, POLLIN, 0}, {stop_fd, POLLIN, 0}};

    server->stop_fd = stop_fd;
    for (;;) {
        int n = poll(fds, 2, -1);
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0 && fds[1].revents)
            break;
        for (;;) {
            int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0) {
                if (may_connect(server, fd))
                    hand_over(server, fd);
                else
                    close(fd);
            } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
                log_error("error", g_strerror(errno), "status", "accept-failed");
                poll(NULL, 0, 100); /* until others let go */
                break;
            } else if (errno != EINTR && errno != ECONNABORTED) {
                break;
            }
        }
    }
}

static bool wait_ended(struct server *server, gint64 deadline)
{
    while (server->threads > 0 && cond_wait_until(&server->ended, &server->lock, deadline))
        ;
    return server->threads == 0;
}

void server_stop(struct server *server, gint64 grace_us)
{
    gpointer fd;

    close(server->fd);
    server->fd = -1;
    unlink(server->path);
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    while ((fd = g_queue_pop_head(&server->waiting)) != NULL)
        close(GPOINTER_TO_INT(fd));
    pthread_cond_broadcast(&server->work);
    if (!wait_ended(server, ump_clock_mono_us() + grace_us)) {
        GHashTableIter iter;
        g_hash_table_iter_init(&iter, server->active);
        while (g_hash_table_iter_next(&iter, &fd, NULL))
            shutdown(GPOINTER_TO_INT(fd), SHUT_RDWR);
        log_warning("sessions", LOG_INT(server->threads), "status", "sessions-cut");
        wait_ended(server, G_MAXINT64);
    }
    pthread_mutex_unlock(&server->lock);
}

void server_free(struct server *server)
{
    if (!server)
        return;
    if (server->fd >= 0) {
        close(server->fd);
        unlink(server->path);
    }
    g_array_unref(server->peers);
    g_hash_table_destroy(server->active);
    g_queue_clear(&server->waiting);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->work);
    pthread_cond_destroy(&server->ended);
    g_free(server->path);
    g_free(server);
}
