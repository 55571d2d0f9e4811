/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/asker.h"

#include <pthread.h>

#include "bridge/endpoints.h"
#include "core/clock.h"
#include "core/cond.h"
#include "core/endpoint_settings.h"
#include "core/error.h"

#define REQUEST_TIMEOUT_MS 20000

struct asker {
    struct bridge *bridge;
    struct http_client *http;
    const struct asker_duty *duty;
    GHashTable *turns; /* endpoint id → struct turn *, so that the database is not asked all the time */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool running, stop;
};

/* When an endpoint is looked at next, monotonic µs; and the interval for which that holds. */
struct turn {
    gint64 next, every;
};

/* One request under way; the HTTP client's thread reads the answer, ours waits for it. */
struct asking {
    struct asker *asker;
    asker_answer_func *answer;
    void *data;
    bool answered;
};

struct bridge *asker_bridge(const struct asker *asker)
{
    return asker->bridge;
}

void *asker_data(const struct asker *asker)
{
    return asker->duty->data;
}

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

static bool is_due(struct asker *asker, const struct channel_endpoint *endpoint, gint64 every)
{
    gint64 now = ump_clock_mono_us();
    struct turn *turn = g_hash_table_lookup(asker->turns, endpoint->id);

    if (turn && turn->every == every && turn->next > now)
        return false;
    if (!turn) {
        turn = g_new0(struct turn, 1);
        g_hash_table_insert(asker->turns, g_strdup(endpoint->id), turn);
    }
    *turn = (struct turn){.next = now + MAX(asker->duty->tick, every / 4), .every = every};
    return true;
}

static void go_round(struct asker *asker)
{
    const struct asker_duty *duty = asker->duty;
    if (duty->begin && !duty->begin(asker))
        return;
    g_autoptr(GPtrArray) endpoints = endpoints_list(asker->bridge->endpoints);

    for (guint i = 0; i < endpoints->len && !asker_is_stopped(asker); i++) {
        const struct channel_endpoint *endpoint = &((struct endpoint *)endpoints->pdata[i])->channel;
        gint64 seconds = duty->setting ? endpoint_setting_int(endpoint->settings, duty->setting, duty->every) : duty->every;
        gint64 every = seconds * CLOCK_SECOND;
        if (every > 0 && endpoint->ops && is_due(asker, endpoint, every))
            duty->look(asker, endpoint, every);
    }
}

static void rest(struct asker *asker)
{
    pthread_mutex_lock(&asker->mutex);
    if (!asker->stop)
        cond_wait_until(&asker->wake, &asker->mutex, ump_clock_mono_us() + asker->duty->tick);
    pthread_mutex_unlock(&asker->mutex);
}

static void *run(void *data)
{
    struct asker *asker = data;

    while (!asker_is_stopped(asker)) {
        if (db_is_up(asker->bridge->db))
            go_round(asker);
        rest(asker);
    }
    return NULL;
}

struct asker *asker_start(struct bridge *bridge, const struct asker_duty *duty, GError **error)
{
    struct asker *asker = g_new0(struct asker, 1);

    asker->bridge = bridge;
    asker->duty = duty;
    asker->turns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    pthread_mutex_init(&asker->mutex, NULL);
    cond_init(&asker->wake);
    asker->http = http_client_new(NULL, error);
    if (!asker->http) {
        asker_free(asker);
        return NULL;
    }
    int failed = pthread_create(&asker->thread, NULL, run, asker);
    asker->running = failed == 0;
    if (failed) {
        ump_error_errno(error, failed, "a thread that asks");
        asker_free(asker);
        return NULL;
    }
    return asker;
}

void asker_stop(struct asker *asker)
{
    if (!asker)
        return;
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
    g_hash_table_unref(asker->turns);
    pthread_mutex_destroy(&asker->mutex);
    pthread_cond_destroy(&asker->wake);
    g_free(asker);
}
