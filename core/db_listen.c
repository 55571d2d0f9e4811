/* SPDX-License-Identifier: Apache-2.0 */
/* The listener: one thread, one connection, any number of channels.  What happens while it is not connected
 * is lost by nature; so each channel is called once after each connect. */
#include "core/db_error.h"
#include "core/db_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct channel {
    char *name;
    db_listen_cb *callback;
    void *data;
    bool listening; /* on the current connection */
};

struct db_listener {
    struct db *db;
    pthread_mutex_t lock;
    GPtrArray *channels; /* of struct channel; only grows */
    bool running, stop;
    pthread_t thread;
    int wake_fd;
    struct db_waiter waiter;
    struct db_conn *conn;
};

static void channel_free(void *data)
{
    struct channel *c = data;
    g_free(c->name);
    g_free(c);
}

static int64_t tick(void *data)
{
    struct db_listener *l = data;
    pthread_mutex_lock(&l->lock);
    bool stop = l->stop;
    pthread_mutex_unlock(&l->lock);
    return stop ? -1 : INT64_MAX;
}

struct db_listener *db_listener_new(struct db *db)
{
    struct db_listener *l = g_new0(struct db_listener, 1);
    l->db = db;
    l->channels = g_ptr_array_new_with_free_func(channel_free);
    pthread_mutex_init(&l->lock, NULL);
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake_fd < 0)
        g_error("eventfd: %s", g_strerror(errno));
    l->waiter = (struct db_waiter){ l->wake_fd, tick, l };
    return l;
}

static struct channel *channel_at(struct db_listener *l, guint i)
{
    pthread_mutex_lock(&l->lock);
    struct channel *c = i < l->channels->len ? l->channels->pdata[i] : NULL;
    pthread_mutex_unlock(&l->lock);
    return c;
}

/* LISTEN for what is not listened for yet. */
static int listen_all(struct db_listener *l)
{
    struct channel *c;
    for (guint i = 0; (c = channel_at(l, i)); i++) {
        if (c->listening)
            continue;
        g_autofree char *sql = g_strdup_printf("LISTEN %s", c->name);
        g_autoptr(GError) error = NULL;
        int64_t deadline = db_now() + 1000LL * l->db->options.statement_timeout_ms;
        if (db_conn_run(l->conn, sql, "listen", deadline, NULL, NULL, &error) < 0) {
            db_notice(l->db, "listener", "cannot listen", error->message);
            return -1;
        }
        c->listening = true;
        c->callback(c->data, c->name, NULL);
    }
    return 0;
}

static void dispatch(struct db_listener *l)
{
    PGnotify *notify;
    struct channel *c;
    while ((notify = PQnotifies(l->conn->pg))) {
        for (guint i = 0; (c = channel_at(l, i)); i++)
            if (!strcmp(c->name, notify->relname))
                c->callback(c->data, c->name, notify->extra);
        PQfreemem(notify);
    }
}

/* Until the connection breaks, or the end. */
static void serve(struct db_listener *l)
{
    while (listen_all(l) == 0) {
        dispatch(l);
        int w = db_wait(PQsocket(l->conn->pg), POLLIN, db_now() + 60 * G_USEC_PER_SEC, &l->waiter);
        if (w < 0)
            return;
        if (w == 1 && !PQconsumeInput(l->conn->pg))
            break;
    }
    db_notice(l->db, "listener", "connection lost", NULL);
}

static void *listener_main(void *arg)
{
    struct db_listener *l = arg;
    unsigned backoff = 0;
    struct channel *c;
    pthread_setname_np(pthread_self(), "db-listener");
    while (tick(l) >= 0) {
        l->conn = db_conn_open(l->db->target, l->db->nstmts, l->db->options.connect_timeout_ms, INT64_MAX, &l->waiter,
                               NULL);
        if (l->conn) {
            backoff = 0;
            serve(l);
            g_clear_pointer(&l->conn, db_conn_free);
            for (guint i = 0; (c = channel_at(l, i)); i++)
                c->listening = false;
        }
        int64_t until = db_now() + db_backoff(&backoff);
        while (db_wait(-1, 0, until, &l->waiter) > 0)
            ;
    }
    return NULL;
}

static void wake(struct db_listener *l)
{
    uint64_t one = 1;
    if (write(l->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        g_warning("eventfd: %s", g_strerror(errno));
}

void db_listen(struct db *db, const char *name, db_listen_cb *callback, void *data)
{
    struct db_listener *l = db->listener;
    struct channel *c = g_new0(struct channel, 1);
    g_assert(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name) && g_ascii_islower(*name));
    *c = (struct channel){ g_strdup(name), callback, data, false };
    pthread_mutex_lock(&l->lock);
    g_ptr_array_add(l->channels, c);
    if (!l->running && pthread_create(&l->thread, NULL, listener_main, l))
        g_error("pthread_create: %s", g_strerror(errno));
    l->running = true;
    pthread_mutex_unlock(&l->lock);
    wake(l);
}

void db_listener_free(struct db_listener *l)
{
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    bool running = l->running;
    pthread_mutex_unlock(&l->lock);
    if (running) {
        wake(l);
        pthread_join(l->thread, NULL);
    }
    close(l->wake_fd);
    g_ptr_array_unref(l->channels);
    pthread_mutex_destroy(&l->lock);
    g_free(l);
}
