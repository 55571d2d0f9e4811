/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media of a message: fetched into the store, from the provider's hosts alone (FAILURES T26–T28).
 * What the provider says about them (type, size, hash) is a hint.
 */
#include <string.h>

#include "bridge/inbound/internal.h"
#include "bridge/metrics.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

#define FETCH_MIN (5 * CLOCK_SECOND)
#define MAX_LOCATION 65536 /* bytes of a description that says where a medium is */
#define MISSING_AFTER (10 * CLOCK_SECOND) /* a 4xx right after the event may be a provider's lag */
#define MEDIA_MOST 100 /* attachments of one message */

struct media_fetch {
    struct inbound_item *item;
    struct ump_media *media; /* borrowed */
    struct media_writer *writer;
    char *expected;          /* hash as the provider told it; NULL */
    GString *location;       /* what says where it is, while that is asked for; NULL */
    gint64 until;            /* monotonic µs */
    /* the answer */
    int curl_code;
    long status;
    bool truncated, refused, disk;
    char *type, *error;
};

static void fetch_free(gpointer data)
{
    struct media_fetch *fetch = data;

    media_writer_abort(fetch->writer);
    g_free(fetch->expected);
    if (fetch->location)
        g_string_free(fetch->location, TRUE);
    g_free(fetch->type);
    g_free(fetch->error);
    g_free(fetch);
}

static void load(struct inbound *inbound, struct ump_media *media, const char *sha)
{
    g_clear_pointer(&media->content, g_bytes_unref);
    media->content = media_store_read(inbound->bridge->media, sha, NULL);
    if (!media->content)
        return;
    g_free(media->sha256);
    media->sha256 = g_strdup(sha);
    media->size = (gint64)g_bytes_get_size(media->content);
    g_clear_pointer(&media->error, g_free);
}

void inbound_media_recall(struct inbound *inbound, struct ump_message *message, const char *metadata)
{
    g_autoptr(json_t) root = metadata ? json_loads(metadata, 0, NULL) : NULL;
    const json_t *list = json_object_get(root, "media");

    for (guint i = 0; i < message->media->len; i++) {
        struct ump_media *media = message->media->pdata[i];
        const json_t *item = json_array_get(list, i);
        const char *sha = json_string_value(json_object_get(item, "sha256"));
        const char *type = json_string_value(json_object_get(item, "type"));
        if (!sha)
            continue;
        load(inbound, media, sha);
        if (media->content && type) {
            g_free(media->type);
            media->type = g_strdup(type);
        }
    }
}

/* --- fetching --- */

static void come_back(struct inbound_item *item)
{
    if (__atomic_sub_fetch(&item->fetching, 1, __ATOMIC_ACQ_REL) == 0)
        queue_task(item->lane->inbound->queue, (queue_task_func *)inbound_lane_run, item->lane);
}

static bool on_bytes(void *data, const void *bytes, size_t length)
{
    struct media_fetch *fetch = data;

    if (media_writer_write(fetch->writer, bytes, length, NULL) == 0)
        return true;
    fetch->disk = true;
    return false;
}

static void on_fetched(void *data, const struct http_response *response)
{
    struct media_fetch *fetch = data;

    fetch->curl_code = response->curl_code;
    fetch->status = response->status;
    fetch->truncated = response->truncated;
    fetch->refused = response->refused;
    fetch->type = g_strdup(response->content_type);
    fetch->error = g_strdup(response->error);
    come_back(fetch->item);
}

static void request(struct media_fetch *fetch, const char *url, http_sink_cb *sink, http_done_cb *done)
{
    struct inbound *inbound = fetch->item->lane->inbound;
    const struct channel_endpoint *endpoint = &fetch->item->endpoint->channel;
    g_autoptr(GPtrArray) headers = g_ptr_array_new_with_free_func(g_free);
    const char *const *auth_hosts = NULL;
    static const char *const no_hosts[] = { NULL };
    gint64 left = (fetch->until - ump_clock_mono_us()) / 1000;

    if (endpoint->ops->media_auth)
        endpoint->ops->media_auth(endpoint, headers, &auth_hosts);
    g_ptr_array_add(headers, NULL);
    const struct http_fetch wanted = {
        .url = url,
        .base_url = channel_base_url(endpoint),
        .hosts = endpoint->ops->media_hosts ? endpoint->ops->media_hosts : no_hosts,
        .headers = headers->len > 1 ? (const char *const *)headers->pdata : NULL,
        .auth_hosts = auth_hosts,
        .max_size = (uint64_t)inbound->media_max,
        .timeout_ms = (unsigned)CLAMP(left, 1, G_MAXINT),
    };
    http_fetch(inbound->http, &wanted, sink, done, fetch);
}

static bool on_location_bytes(void *data, const void *bytes, size_t length)
{
    struct media_fetch *fetch = data;

    if (fetch->location->len + length > MAX_LOCATION)
        return false;
    g_string_append_len(fetch->location, bytes, (gssize)length);
    return true;
}

/* The description is there: now the medium itself. */
static void on_location(void *data, const struct http_response *response)
{
    struct media_fetch *fetch = data;
    const struct channel_ops *ops = fetch->item->endpoint->channel.ops;
    g_autoptr(GError) error = NULL;
    g_autofree char *url = NULL;

    if (response->curl_code != 0 || response->status / 100 != 2) {
        on_fetched(data, response);
        return;
    }
    url = ops->parse_media_location(fetch->location->str, fetch->location->len, &error);
    if (!url) { /* not what was asked for: it is asked again */
        struct http_response odd = *response;
        odd.curl_code = -1;
        odd.error = error->message;
        on_fetched(data, &odd);
        return;
    }
    request(fetch, url, on_bytes, on_fetched);
}

/* An answer that holds the medium as a part of it. */
static void on_enclosed(void *data, const struct http_response *response)
{
    struct media_fetch *fetch = data;
    struct http_response odd = *response;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) content = NULL;
    bool gone = false;
    gsize size;

    if (response->curl_code != 0 || response->status != 200 || response->truncated) {
        on_fetched(data, response);
        return;
    }
    content = fetch->item->endpoint->channel.ops->parse_media(response, &gone, &error);
    const void *bytes = content ? g_bytes_get_data(content, &size) : NULL;
    if (content && (size == 0 || on_bytes(fetch, bytes, size))) {
        odd.content_type = NULL; /* that of the answer around it */
    } else {
        odd.curl_code = gone ? 0 : -1;
        odd.status = gone ? 404 : 0;
        odd.error = error ? error->message : NULL;
    }
    on_fetched(data, &odd);
}

static void request_enclosed(struct media_fetch *fetch)
{
    struct inbound *inbound = fetch->item->lane->inbound;
    const struct channel_endpoint *endpoint = &fetch->item->endpoint->channel;
    const struct http_response none = { .curl_code = 0, .status = 410 };
    g_autoptr(GError) error = NULL;
    g_auto(channel_request_t) request;

    channel_request_init(&request);
    if (endpoint->ops->build_media(fetch->media, endpoint, &request, &error) < 0) {
        on_fetched(fetch, &none);
        return;
    }
    g_ptr_array_add(request.headers, NULL);
    const struct http_request wanted = {
        .method = request.method,
        .url = request.url,
        .base_url = channel_base_url_is_own(endpoint) ? channel_base_url(endpoint) : NULL,
        .headers = (const char *const *)request.headers->pdata,
        .body = request.body,
        .timeout_ms = request.timeout_ms,
        .max_body = (size_t)inbound->media_max / 3 * 4 + 65536, /* base64 */
    };
    http_send(inbound->http, &wanted, on_enclosed, fetch);
}

static bool begin_one(struct inbound_item *item, struct ump_media *media, unsigned timeout_ms)
{
    struct inbound *inbound = item->lane->inbound;
    g_autoptr(GError) error = NULL;
    struct media_fetch *fetch = g_new0(struct media_fetch, 1);

    fetch->item = item;
    fetch->media = media;
    fetch->expected = g_steal_pointer(&media->sha256);
    fetch->until = ump_clock_mono_us() + (gint64)timeout_ms * 1000;
    g_ptr_array_add(item->fetches, fetch);
    fetch->writer = media_writer_new(inbound->bridge->media, &error);
    if (!fetch->writer) {
        log_error("id", item->message->id, "error", error->message, "status", "media-store-refused");
        fetch->curl_code = -1;
        fetch->disk = true;
        return false;
    }
    __atomic_add_fetch(&item->fetching, 1, __ATOMIC_RELAXED);
    if (item->endpoint->channel.ops->build_media) {
        request_enclosed(fetch);
    } else if (item->endpoint->channel.ops->parse_media_location) {
        fetch->location = g_string_new(NULL);
        request(fetch, media->url, on_location_bytes, on_location);
    } else {
        request(fetch, media->url, on_bytes, on_fetched);
    }
    return true;
}

void inbound_media_fit(const struct inbound *inbound, struct ump_message *message)
{
    gint64 room = inbound->mail_room;

    for (guint i = 0; i < message->media->len; i++) {
        struct ump_media *media = message->media->pdata[i];
        gint64 size = media->content ? (gint64)g_bytes_get_size(media->content) : MAX(media->size, 0);
        if (media->error)
            continue;
        if (i < MEDIA_MOST && size <= room) {
            room -= size;
            continue;
        }
        media->error = g_strdup(i < MEDIA_MOST ? "with what comes before it it is too large for one mail"
                                               : "the message has too many attachments for one mail");
        g_clear_pointer(&media->content, g_bytes_unref);
    }
}

bool inbound_media_begin(struct inbound_item *item)
{
    struct inbound *inbound = item->lane->inbound;
    gint64 left = inbound->media_wait - (ump_clock_now_us() - item->job->event_at);
    gint64 timeout = item->late_media ? inbound->fetch_timeout : CLAMP(left, FETCH_MIN, inbound->fetch_timeout);
    bool any = false;

    inbound_media_fit(inbound, item->message);
    item->fetches = g_ptr_array_new_with_free_func(fetch_free);
    item->lane->item = item;
    item->fetching = 1; /* ours, until all have begun */
    for (guint i = 0; i < item->message->media->len; i++) {
        struct ump_media *media = item->message->media->pdata[i];
        if (!media->content && media->url && !media->error)
            any = begin_one(item, media, (unsigned)(timeout / 1000)) || any;
    }
    if (!any) {
        item->lane->item = NULL;
        return false;
    }
    come_back(item);
    return true;
}

/* --- what came --- */

static void fail(struct media_fetch *fetch, const char *why)
{
    g_free(fetch->media->error);
    fetch->media->error = g_strdup(why);
}

static bool is_wanted_type(const char *type)
{
    return !type || !*type || g_ascii_strcasecmp(type, "application/octet-stream") == 0;
}

/* True: it is there. */
static bool store(struct media_fetch *fetch)
{
    struct inbound *inbound = fetch->item->lane->inbound;
    struct ump_media *media = fetch->media;
    char sha[MEDIA_SHA_TEXT];
    g_autoptr(GError) error = NULL;

    if (media_writer_finish(g_steal_pointer(&fetch->writer), sha, &error) < 0) {
        log_error("id", fetch->item->message->id, "error", error->message, "status", "media-not-stored");
        return false;
    }
    if (fetch->expected && strcmp(fetch->expected, sha) != 0)
        log_warning("id", fetch->item->message->id, "media", sha, "status", "hash-differs");
    if (is_wanted_type(media->type) && fetch->type) {
        g_free(media->type);
        media->type = g_strdup(fetch->type);
    }
    load(inbound, media, sha);
    return media->content != NULL;
}

/* True: it is settled, for good or bad; false: it may yet come. */
static bool settle(struct media_fetch *fetch, gint64 age, gint64 max_size)
{
    bool answered = fetch->curl_code == 0 && fetch->status >= 200 && fetch->status < 300;

    if (fetch->truncated) {
        g_autofree char *why = g_strdup_printf("it is larger than %" G_GINT64_FORMAT " MB", max_size / (1024 * 1024));
        fail(fetch, why);
        return true;
    }
    if (fetch->refused) {
        fail(fetch, "its address is not one of the provider's");
        return true;
    }
    if (answered && !fetch->disk)
        return store(fetch);
    if (fetch->curl_code == 0 && (fetch->status == 410 || (fetch->status >= 400 && fetch->status < 500 &&
                                                           fetch->status != 408 && fetch->status != 425 &&
                                                           fetch->status != 429 && age > MISSING_AFTER))) {
        fail(fetch, "the provider no longer has it");
        return true;
    }
    return false;
}

enum inbound_media inbound_media_take(struct inbound_item *item)
{
    gint64 age = ump_clock_now_us() - item->job->event_at;
    gint64 max_size = item->lane->inbound->media_max;
    enum inbound_media result = MEDIA_ALL;

    for (guint i = 0; item->fetches && i < item->fetches->len; i++) {
        struct media_fetch *fetch = item->fetches->pdata[i];
        bool settled = settle(fetch, age, max_size);
        if (!settled)
            result = MEDIA_MISSING;
        metrics_inc(fetch->media->content ? METRIC_MEDIA_FETCHED : METRIC_MEDIA_FAILED);
        if (!fetch->media->content)
            log_warning("id", item->message->id, "http", LOG_INT(fetch->status), "error",
                        fetch->media->error ? fetch->media->error : fetch->error, "status",
                        settled ? "media-not-available" : "media-deferred");
        g_clear_pointer(&fetch->writer, media_writer_abort);
    }
    return result;
}
