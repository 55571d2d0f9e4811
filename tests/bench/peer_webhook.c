/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit that the webhook bench compares with: a bare libmicrohttpd server that verifies the same
 * Ed25519 signature and stores the body by one batched insert, answering after its COMMIT.  No routing, no
 * limits, no dedupe, no parse.
 */
#include <libpq-fe.h>
#include <microhttpd.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

#define BATCH 64

static struct bench_option options[] = {
    {"port", NULL, "where to listen on 127.0.0.1"},
    {"key", NULL, "Ed25519 public key, base64"},
    {"database", NULL, "connection string; a table bench_events (body bytea) is made there"},
    {"threads", "2", "of the server"},
    {NULL, NULL, NULL}};

struct request {
    struct MHD_Connection *connection;
    GString *body;
    bool stored;
};

static EVP_PKEY *key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t waiting = PTHREAD_COND_INITIALIZER;
static GQueue queue = G_QUEUE_INIT;

static bool verify(struct MHD_Connection *connection, const GString *body)
{
    const char *signature = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "telnyx-signature-ed25519");
    const char *timestamp = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "telnyx-timestamp");
    if (signature == NULL || timestamp == NULL)
        return false;
    gsize length;
    g_autofree guchar *raw = g_base64_decode(signature, &length);
    g_autoptr(GString) text = g_string_new(timestamp);
    g_string_append_c(text, '|');
    g_string_append_len(text, body->str, (gssize)body->len);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = length == 64 && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, raw, length, (const guchar *)text->str, text->len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(2, (void *)(uintptr_t)"ok", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    (void)cls, (void)url, (void)method, (void)version;
    struct request *r = *state;
    if (r == NULL) {
        r = g_new0(struct request, 1);
        r->connection = connection;
        r->body = g_string_new(NULL);
        *state = r;
        return MHD_YES;
    }
    if (*size > 0) {
        g_string_append_len(r->body, data, (gssize)*size);
        *size = 0;
        return MHD_YES;
    }
    if (r->stored)
        return answer(connection, 200);
    if (!verify(connection, r->body))
        return answer(connection, 401);
    MHD_suspend_connection(connection);
    pthread_mutex_lock(&lock);
    g_queue_push_tail(&queue, r);
    pthread_cond_signal(&waiting);
    pthread_mutex_unlock(&lock);
    return MHD_YES;
}

static void completed(void *cls, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)connection, (void)code;
    struct request *r = *state;
    if (r == NULL)
        return;
    g_string_free(r->body, TRUE);
    g_free(r);
}

/* One INSERT of all that waits (at most BATCH): one transaction, one flush. */
static void *writer(void *data)
{
    PGconn *db = data;
    for (;;) {
        struct request *batch[BATCH];
        int n = 0;
        pthread_mutex_lock(&lock);
        while (g_queue_is_empty(&queue))
            pthread_cond_wait(&waiting, &lock);
        while (n < BATCH && !g_queue_is_empty(&queue))
            batch[n++] = g_queue_pop_head(&queue);
        pthread_mutex_unlock(&lock);
        g_autoptr(GString) sql = g_string_new("INSERT INTO bench_events (body) VALUES ");
        const char *values[BATCH];
        int lengths[BATCH], formats[BATCH];
        for (int i = 0; i < n; i++) {
            g_string_append_printf(sql, "%s($%d::bytea)", i > 0 ? "," : "", i + 1);
            values[i] = batch[i]->body->str;
            lengths[i] = (int)batch[i]->body->len;
            formats[i] = 1;
        }
        PGresult *result = PQexecParams(db, sql->str, n, NULL, values, lengths, formats, 0);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            g_error("%s", PQerrorMessage(db));
        PQclear(result);
        for (int i = 0; i < n; i++) {
            batch[i]->stored = true;
            MHD_resume_connection(batch[i]->connection);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    bench_options(options, argc, argv);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    gsize length;
    g_autofree guchar *raw = g_base64_decode(bench_get(options, "key"), &length);
    key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, length);
    PGconn *db = PQconnectdb(bench_get(options, "database"));
    PGresult *made = PQexec(db, "DROP TABLE IF EXISTS bench_events; CREATE TABLE bench_events (id bigserial PRIMARY KEY, body bytea)");
    if (PQresultStatus(made) != PGRES_COMMAND_OK)
        g_error("%s", PQerrorMessage(db));
    PQclear(made);
    pthread_t thread;
    pthread_create(&thread, NULL, writer, db);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, (uint16_t)bench_int(options, "port"), NULL, NULL,
        handle, NULL, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)bench_int(options, "threads"), MHD_OPTION_CONNECTION_LIMIT, 2000u,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
    if (daemon == NULL)
        g_error("the server does not start");
    puts("ready");
    fflush(stdout);
    int signo;
    sigwait(&set, &signo);
    return 0;
}
