/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/asker.h"

#include <pthread.h>

#include "core/clock.h"

#define REQUEST_TIMEOUT_MS 20000

struct asker {
    struct bridge *bridge;
    struct http_client *http;
    gint64 tick;
    asker_round_func *round;
    void *data;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool running, stop;
};

/* One request under way; the HTTP client's thread reads the answer, ours waits for it. */
struct asking {
    struct asker *asker;
    asker_answer_func *answer;
    void *data;
    bool answered;
};

bool asker_is_stopped(struct asker *asker)
{
    pthread_mutex_lock(&asker->mutex);
    bool stop = asker->stop;
    pthread_mutex_unlock(&asker->mutex);
    return stop;
}

static void on_answer(void *data, const struct http_response *response)
{
    struct asking *asking = data;
    struct asker *asker = asking->asker;

    asking->answer(asking->data, response);
    pthread_mutex_lock(&asker->mutex);
    asking->answered = true;
    pthread_cond_broadcast(&asker->wake);
    pthread_mutex_unlock(&asker->mutex);
}

bool asker_ask(struct asker *asker, const struct channel_endpoint *endpoint, struct channel_request *request,
               asker_answer_func *answer, void *data)
{
    struct asking asking = {.asker = asker, .answer = answer, .data = data};

    g_ptr_array_add(request->headers, NULL);
    const struct http_request wanted = {
        .method = request->method,
        .url = request->url,
        .base_url = channel_base_url_is_own(endpoint) ? channel_base_url(endpoint) : NULL,
        .headers = (const char *const *)request->headers->pdata,
        .body = request->body,
        .timeout_ms = REQUEST_TIMEOUT_MS,
    };
    /* Unless we are to stop: whoever stops us ends the HTTP client next, which answers for it. */
    pthread_mutex_lock(&asker->mutex);
    bool sent = !asker->stop;
    if (sent) {
        http_send(asker->http, &wanted, on_answer, &asking);
        while (!asking.answered)
            pthread_cond_wait(&asker->wake, &asker->mutex);
    }
    pthread_mutex_unlock(&asker->mutex);
    return sent;
}

static void rest(struct asker *asker)
{
    gint64 wake = ump_clock_mono_us() + asker->tick;
    const struct timespec until = {.tv_sec = wake / CLOCK_SECOND, .tv_nsec = wake % CLOCK_SECOND * 1000};

    pthread_mutex_lock(&asker->mutex);
    if (!asker->stop)
        pthread_cond_timedwait(&asker->wake, &asker->mutex, &until);
    pthread_mutex_unlock(&asker->mutex);
}

static void *run(void *data)
{
    struct asker *asker = data;

    while (!asker_is_stopped(asker)) {
        if (db_is_up(asker->bridge->db))
            asker->round(asker->data);
        rest(asker);
    }
    return NULL;
}

struct asker *asker_new(struct bridge *bridge, gint64 tick, asker_round_func *round, void *data, GError **error)
{
    struct asker *asker = g_new0(struct asker, 1);
    pthread_condattr_t attr;

    asker->bridge = bridge;
    asker->tick = tick;
    asker->round = round;
    asker->data = data;
    pthread_mutex_init(&asker->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&asker->wake, &attr);
    pthread_condattr_destroy(&attr);
    asker->http = http_client_new(NULL, error);
    if (!asker->http) {
        asker_free(asker);
        return NULL;
    }
    return asker;
}

void asker_start(struct asker *asker)
{
    asker->running = pthread_create(&asker->thread, NULL, run, asker) == 0;
}

void asker_stop(struct asker *asker)
{
    pthread_mutex_lock(&asker->mutex);
    asker->stop = true;
    pthread_cond_broadcast(&asker->wake);
    pthread_mutex_unlock(&asker->mutex);
    http_client_free(g_steal_pointer(&asker->http), 0);
    if (asker->running)
        pthread_join(asker->thread, NULL);
    asker->running = false;
}

void asker_free(struct asker *asker)
{
    if (!asker)
        return;
    http_client_free(asker->http, 0);
    pthread_mutex_destroy(&asker->mutex);
    pthread_cond_destroy(&asker->wake);
    g_free(asker);
}
