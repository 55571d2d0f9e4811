/* SPDX-License-Identifier: Apache-2.0 */
/* One event of a message, from its raw body to the mailbox (journey 1). */
#include <string.h>

#include "bridge/inbound/internal.h"
#include "bridge/metrics.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"

#define CLOCK_AHEAD (10 * CLOCK_MINUTE)

#define SOON CLOCK_SECOND
#define MEDIA_AGAIN (2 * CLOCK_SECOND)

void inbound_item_free(struct inbound_item *item)
{
    if (!item)
        return;
    endpoint_unref(item->endpoint);
    ump_message_free(item->message);
    db_rows_free(item->stored);
    if (item->fetches)
        g_ptr_array_unref(item->fetches);
    g_free(item);
}

/* --- the message --- */

/* Ids are deterministic: the event again is the same message. */
static void identify(struct inbound *inbound, struct ump_message *message, const struct channel_endpoint *endpoint,
                     const char *suffix)
{
    g_autofree char *account = g_strdup_printf("%" G_GINT64_FORMAT, endpoint->account_id);
    g_autofree char *external = g_strconcat(message->external_id ? message->external_id : "", suffix, NULL);
    ids_uuid uuid;

    ids_uuid_derive(&uuid, inbound->bridge->ids, message->occurred_at, account, endpoint->id, external);
    g_free(message->id);
    message->id = ids_uuid_text(&uuid);
}

/* Providers that tell no file name often have it at the end of the URL. */
static void name_media(struct ump_message *message)
{
    for (guint i = 0; i < message->media->len; i++) {
        struct ump_media *media = message->media->pdata[i];
        g_autofree char *path = NULL, *last = NULL;
        const char *dot;
        if ((media->name && *media->name) || !media->url)
            continue;
        path = g_strndup(media->url, strcspn(media->url, "?#"));
        last = g_uri_unescape_string(strrchr(path, '/') ? strrchr(path, '/') + 1 : path, "/");
        dot = last && g_utf8_validate(last, -1, NULL) ? strrchr(last, '.') : NULL;
        if (!dot || dot == last || strlen(dot) < 3 || strlen(dot) > 6 || strlen(last) > 100)
            continue;
        g_free(media->name);
        media->name = g_steal_pointer(&last);
    }
}

static struct ump_message *read_message(struct inbound *inbound, const struct endpoint *endpoint,
                                        const struct queue_job *job, GError **error)
{
    struct channel_event *event = inbound_event(endpoint, job, error);
    struct ump_message *message;

    if (!event)
        return NULL;
    message = g_steal_pointer(&event->message);
    channel_event_free(event);
    if (!message)
        return ump_message_new(); /* without an id: nothing to show */
    if (!message->external_id)
        message->external_id = g_strdup(job->event_key);
    /* a sender's clock says when; not from the future, or his mail would stay the newest for ever */
    if (message->occurred_at <= 0 || message->occurred_at > job->event_at + CLOCK_AHEAD)
        message->occurred_at = job->event_at;
    if (!message->channel)
        message->channel = g_strdup(endpoint->channel.channel);
    if (!message->provider)
        message->provider = g_strdup(endpoint->channel.provider);
    if (!message->endpoint_address)
        message->endpoint_address = g_strdup(endpoint->channel.address);
    if (!message->endpoint_id)
        message->endpoint_id = g_strdup(endpoint->channel.id);
    inbound_group(message, endpoint);
    inbound_members(inbound, &endpoint->channel, message);
    name_media(message);
    identify(inbound, message, &endpoint->channel, "");
    return message;
}

/* --- delivery --- */

/* The mail is in the mailbox: from now on the network's timer runs.  False: that could not be noted. */
static bool note_expiry(const struct inbound_item *item)
{
    const struct ump_message *message = item->message;
    struct db_params *params;
    g_autoptr(GError) error = NULL;

    if (message->expires_after <= 0)
        return true;
    params = db_params_new();
    db_params_int(params, item->job->account_id);
    db_params_uuid(params, message->id);
    db_params_text(params, db_rows_text_of(item->stored, 0, "mailbox"));
    db_params_int(params, message->expires_after);
    db_params_interval(params, message->expires_after * CLOCK_SECOND);
    db_params_bool(params, false);
    db_params_null(params);
    if (db_write(item->lane->inbound->bridge->db, DB_STMT_EXPIRY_SET, params, NULL, NULL, &error) == 0)
        return true;
    log_warning("id", message->id, "error", error->message, "status", "expiry-not-noted");
    return false;
}

static enum inbound_step settle(struct inbound_item *item, struct deliver_result *result)
{
    struct inbound *inbound = item->lane->inbound;
    struct queue_job *job = item->job;
    gint64 age = ump_clock_now_us() - job->event_at;
    enum inbound_step step = STEP_DONE;

    if (result->outcome == DELIVERED && !note_expiry(item)) { /* delivered again, it is the same mail */
        queue_retry(job, SOON, "the database did not take when it expires", false);
        item->job = NULL;
        step = STEP_WAIT;
    } else if (result->outcome == DELIVERED) {
        metrics_inc(METRIC_INBOUND_DELIVERED);
        metrics_add(METRIC_INBOUND_US, age);
        log_info("id", item->message->id, "from", LOG_NUMBER(item->message->sender.address), "to",
                 db_rows_text_of(item->stored, 0, "mailbox"), "delay", LOG_MS(age), "reply", result->reply, "status",
                 "delivered");
    } else if (result->outcome == DELIVER_REFUSED || age > inbound->expire) {
        log_error("id", item->message->id, "to", db_rows_text_of(item->stored, 0, "mailbox"), "reply", result->reply,
                  "status", "dead");
        metrics_inc(METRIC_INBOUND_DEAD);
        queue_dead(job, result->reply);
        item->job = NULL;
    } else {
        gint64 pause = result->unreachable ? CLAMP(age / 4, SOON, CLOCK_MINUTE) : inbound_pause(inbound, job);
        log_warning("id", item->message->id, "reply", result->reply, "pause", LOG_MS(pause), "status", "deferred");
        metrics_inc(METRIC_INBOUND_RETRIED);
        queue_retry(job, pause, result->reply, false);
        item->job = NULL;
        step = STEP_WAIT;
    }
    g_free(result->reply);
    return step;
}

static bool save_media(struct inbound_item *item)
{
    struct inbound *inbound = item->lane->inbound;
    struct db_params *params;
    g_autoptr(json_t) list = NULL;
    g_autoptr(GError) error = NULL;
    char *text;

    if (item->message->media->len == 0)
        return true;
    list = inbound_media_json(item->message);
    text = json_dumps(list, JSON_COMPACT);
    params = db_params_new();
    db_params_int(params, item->job->account_id);
    db_params_uuid(params, item->message->id);
    db_params_text(params, text ? text : "[]");
    g_free(text);
    if (db_write(inbound->bridge->db, DB_STMT_MESSAGE_MEDIA_SET, params,
                 db_rows_text_of(item->stored, 0, "conversation_id"), NULL, &error) == 0)
        return true;
    log_warning("id", item->message->id, "error", error->message, "status", "media-not-recorded");
    return false;
}

/* --- media that follow --- */

/* The text goes now; what is missing follows, by this same job in a lane of its own. */
static enum inbound_step deliver_without(struct inbound_item *item)
{
    struct ump_message *message = item->message;
    struct deliver_result result;
    enum inbound_step step;
    json_t *late = json_array();
    g_autofree char *lane = g_strdup_printf("media/%s", message->id);

    for (guint i = 0; i < message->media->len; i++) {
        struct ump_media *media = message->media->pdata[i];
        if (media->content || media->error)
            continue;
        media->error = g_strdup("it cannot be fetched at the moment; it will follow in a mail of its own");
        json_array_append_new(late, json_integer(i));
    }
    inbound_mail(item, message, item->stored, &result);
    step = settle(item, &result);
    if (step == STEP_DONE && item->job)
        queue_move(item->job, "media", lane, json_pack("{s:o}", "late", late), item->lane->inbound->retry_min);
    else
        json_decref(late);
    return step;
}

/* A message of its own, with what its text came without. */
static struct ump_message *follower(struct inbound_item *item)
{
    const struct ump_message *first = item->message;
    struct ump_message *message = ump_message_new();
    const json_t *late = json_object_get(item->job->payload, "late");
    json_t *index;
    size_t i;

    message->channel = g_strdup(first->channel);
    message->provider = g_strdup(first->provider);
    message->endpoint_id = g_strdup(first->endpoint_id);
    message->endpoint_address = g_strdup(first->endpoint_address);
    message->direction = first->direction;
    message->type = UMP_MESSAGE_MEDIA;
    message->sender.address = g_strdup(first->sender.address);
    message->sender.name = g_strdup(first->sender.name);
    message->external_id = g_strdup(first->external_id);
    message->occurred_at = first->occurred_at;
    message->expires_after = first->expires_after;
    for (guint r = 0; r < first->recipients->len; r++)
        g_ptr_array_add(message->recipients,
                        ump_party_new(((struct ump_party *)first->recipients->pdata[r])->address, NULL));
    json_array_foreach(late, i, index) {
        gint64 n = json_integer_value(index);
        if (n < 0 || n >= (gint64)first->media->len || !first->media->pdata[n])
            continue;
        g_ptr_array_add(message->media, first->media->pdata[n]);
        first->media->pdata[n] = ump_media_new();
    }
    inbound_group(message, item->endpoint);
    identify(item->lane->inbound, message, &item->endpoint->channel, "/media");
    return message;
}

static enum inbound_step deliver_late(struct inbound_item *item)
{
    struct inbound *inbound = item->lane->inbound;
    struct ump_message *message = follower(item);
    g_autoptr(db_rows) stored = NULL;
    g_autoptr(GError) error = NULL;
    struct deliver_result result;
    int status = inbound_store(inbound, item->endpoint, message, item->job->event_key, &stored, &error);
    enum inbound_step step;

    ump_message_free(item->message);
    item->message = message;
    if (status != 0) {
        if (status > 0) {
            queue_retry(item->job, SOON, error->message, false);
            return STEP_WAIT;
        }
        return inbound_fault(inbound, item->job, error->message);
    }
    db_rows_free(item->stored);
    item->stored = g_steal_pointer(&stored);
    inbound_mail(item, message, item->stored, &result);
    step = settle(item, &result);
    if (step == STEP_DONE && item->job)
        queue_done(item->job);
    return step;
}

/* --- the steps --- */

static enum inbound_step deliver(struct inbound_item *item)
{
    struct deliver_result result;
    enum inbound_step step;

    inbound_mail(item, item->message, item->stored, &result);
    step = settle(item, &result);
    if (step == STEP_DONE && item->job)
        queue_done(item->job);
    return step;
}

static void give_up_media(struct ump_message *message)
{
    for (guint i = 0; i < message->media->len; i++) {
        struct ump_media *media = message->media->pdata[i];
        if (!media->content && !media->error)
            media->error = g_strdup("the provider's server did not hand it out");
    }
}

enum inbound_step inbound_media_there(struct inbound_item *item)
{
    struct inbound *inbound = item->lane->inbound;
    gint64 age = ump_clock_now_us() - item->job->event_at;
    bool missing = inbound_media_take(item) == MEDIA_MISSING;

    if (missing && age > inbound->media_give_up) {
        give_up_media(item->message);
        missing = false;
    }
    if (!save_media(item)) {
        queue_retry(item->job, SOON, "the database did not take what was fetched", false);
        return STEP_WAIT;
    }
    if (!missing)
        return item->late_media ? deliver_late(item) : deliver(item);
    if (item->late_media || age < inbound->media_wait) {
        queue_retry(item->job, item->late_media ? inbound_pause(inbound, item->job) : MEDIA_AGAIN,
                    "media cannot be fetched yet", false);
        return STEP_WAIT;
    }
    return deliver_without(item);
}

static enum inbound_step begin(struct inbound_item *item)
{
    struct inbound *inbound = item->lane->inbound;
    g_autoptr(GError) error = NULL;
    int status = inbound_store(inbound, item->endpoint, item->message, item->job->event_key, &item->stored, &error);

    if (status > 0) {
        queue_retry(item->job, SOON, error->message, false);
        return STEP_WAIT;
    }
    if (status < 0)
        return inbound_fault(inbound, item->job, error->message);
    if (db_rows_bool_of(item->stored, 0, "blocked")) {
        log_info("id", item->message->id, "from", LOG_NUMBER(item->message->sender.address), "status", "blocked");
        metrics_inc(METRIC_INBOUND_BLOCKED);
        queue_done(item->job);
        return STEP_DONE;
    }
    if (item->message->media->len > 0) {
        inbound_media_recall(inbound, item->message, db_rows_text_of(item->stored, 0, "metadata"));
        if (inbound_media_begin(item))
            return STEP_ASYNC;
        return inbound_media_there(item);
    }
    return deliver(item);
}

enum inbound_step inbound_message(struct lane *lane, struct queue_job *job)
{
    struct inbound *inbound = lane->inbound;
    g_autoptr(endpoint_t) endpoint = endpoints_get(inbound->bridge->endpoints, job->endpoint_id);
    g_autoptr(GError) error = NULL;
    struct inbound_item *item;
    struct ump_message *message;
    enum inbound_step step;

    if (!endpoint || !endpoint->channel.ops)
        return inbound_fault(inbound, job, "its endpoint is not known");
    if (!job->body)
        return inbound_fault(inbound, job, "the raw event is no longer kept");
    message = read_message(inbound, endpoint, job, &error);
    if (!message)
        return inbound_fault(inbound, job, error->message);
    if (!message->id) {
        ump_message_free(message);
        queue_done(job);
        return STEP_DONE;
    }
    item = g_new0(struct inbound_item, 1);
    item->lane = lane;
    item->job = job;
    item->endpoint = g_steal_pointer(&endpoint);
    item->message = message;
    item->late_media = strcmp(job->kind, "media") == 0;
    step = begin(item);
    if (step != STEP_ASYNC)
        inbound_item_free(item);
    return step;
}
