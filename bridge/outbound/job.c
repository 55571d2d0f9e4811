/* SPDX-License-Identifier: Apache-2.0 */
/* One message on its way: from the claimed row to the provider's request. */
#include <string.h>

#include "bridge/media_url.h"
#include "bridge/outbound/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/parts.h"
#include "core/template_text.h"

static void forget_content(struct job *job)
{
    g_clear_pointer(&job->message, ump_message_free);
    g_clear_pointer(&job->metadata, json_decref);
    g_clear_pointer(&job->callback, g_free);
    g_clear_pointer(&job->target, g_free);
    g_clear_pointer(&job->target_text, g_free);
    g_clear_pointer(&job->media_urls, g_strfreev);
    g_clear_pointer(&job->media_ids, g_ptr_array_unref);
}

void job_free(struct job *job)
{
    if (!job)
        return;
    endpoint_unref(job->endpoint);
    channel_request_clear(&job->request);
    g_free(job->message_id);
    g_free(job->recipient);
    g_free(job->conversation_id);
    g_free(job->attempt);
    forget_content(job);
    g_free(job);
}

/* metadata.media, as in the UMP JSON: [{sha256, type, name, size}]; those of this part. */
static void add_media(struct ump_message *message, const json_t *metadata, guint part)
{
    const json_t *list = json_object_get(metadata, "media"), *item;
    size_t i;

    json_array_foreach(list, i, item) {
        const char *sha = json_string_value(json_object_get(item, "sha256"));
        if (!sha || !parts_has_medium(json_object_get(metadata, "parts"), part, (guint)i))
            continue;
        struct ump_media *media = ump_media_new();
        media->sha256 = g_strdup(sha);
        media->type = g_strdup(json_string_value(json_object_get(item, "type")));
        media->name = g_strdup(json_string_value(json_object_get(item, "name")));
        if (json_is_integer(json_object_get(item, "size")))
            media->size = json_integer_value(json_object_get(item, "size"));
        g_ptr_array_add(message->media, media);
    }
}

static void add_recipients(struct ump_message *message, const struct job *job, const struct db_rows *rows, unsigned row)
{
    const char *own = job->endpoint->channel.address;
    g_auto(GStrv) members = db_rows_texts(rows, row, (unsigned)db_rows_column(rows, "group_members"));

    for (char **member = members; member && *member; member++)
        if (g_strcmp0(*member, own) != 0)
            g_ptr_array_add(message->recipients, ump_party_new(*member, NULL));
    if (message->recipients->len == 0)
        g_ptr_array_add(message->recipients, ump_party_new(job->recipient, NULL));
}

static void add_group(struct ump_message *message, const struct job *job, const struct db_rows *rows, unsigned row)
{
    const struct channel_endpoint *channel = &job->endpoint->channel;
    const struct channel_capabilities *can = channel_capabilities_of(channel->ops, channel->channel);

    if (can && !can->groups_by_members)
        message->group.id = g_strdup(db_rows_text_of(rows, row, "group_key"));
}

struct ump_message *job_message(const struct job *job, const struct db_rows *rows, unsigned row)
{
    struct ump_message *message = ump_message_new();
    const char *metadata_text = db_rows_text_of(rows, row, "metadata");
    g_autoptr(json_t) metadata = metadata_text ? json_loads(metadata_text, 0, NULL) : NULL;
    int type = ump_message_type_from_name(db_rows_text_of(rows, row, "type"));
    guint part = (guint)db_rows_int_of(rows, row, "part");

    message->id = g_strdup(job->message_id);
    message->endpoint_id = g_strdup(job->endpoint->channel.id);
    message->endpoint_address = g_strdup(job->endpoint->channel.address);
    message->channel = g_strdup(job->endpoint->channel.channel);
    message->provider = g_strdup(job->endpoint->channel.provider);
    message->direction = UMP_OUTBOUND;
    message->type = type < 0 ? UMP_MESSAGE_TEXT : (enum ump_message_type)type;
    message->sender.address = g_strdup(db_rows_text_of(rows, row, "from_address"));
    if (parts_has_text(json_object_get(metadata, "parts"), part))
        message->text = g_strdup(db_rows_text_of(rows, row, "body"));
    /* No subject, although an MMS can have one: what is wanted of the mail's stands in the text already (MAIL.md). */
    message->occurred_at = db_rows_time_of(rows, row, "occurred_at");
    if (message->type == UMP_MESSAGE_REACTION) {
        const json_t *reaction = json_object_get(metadata, "reaction");
        message->reaction = g_strdup(json_string_value(json_object_get(reaction, "emoji")));
        message->reaction_removed = json_is_true(json_object_get(reaction, "removed"));
    }
    add_group(message, job, rows, row);
    if (message->group.id)
        g_ptr_array_add(message->recipients, ump_party_new(job->recipient, NULL));
    else
        add_recipients(message, job, rows, row);
    add_media(message, metadata, part);
    if (message->type == UMP_MESSAGE_MEDIA && message->media->len == 0)
        message->type = UMP_MESSAGE_TEXT;
    return message;
}

/* public_url/webhooks/<endpoint>?a=<token of the attempt>; NULL without a public_url. */
static char *callback_url(const struct outbound *outbound, const struct job *job)
{
    ids_uuid attempt;
    g_autofree char *token = NULL;

    if (!outbound->bridge->public_url || !ids_uuid_parse(job->attempt, strlen(job->attempt), &attempt))
        return NULL;
    token = ids_callback_token(outbound->bridge->ids, &attempt);
    return g_strdup_printf("%s/webhooks/%s?a=%s", outbound->bridge->public_url, job->endpoint->channel.id, token);
}

/* Does the provider fetch attachments here, or are they to be uploaded? */
static bool is_uploaded(const struct outbound *outbound, const struct channel_endpoint *channel)
{
    const char *how = channel_setting(channel, "media"), *url = outbound->bridge->public_url;

    if (!channel->ops->build_upload)
        return false;
    if (g_strcmp0(how, "link") == 0 || g_strcmp0(how, "upload") == 0)
        return *how == 'u';
    return !url || !g_str_has_prefix(url, "https://");
}

static int find_media(struct job *job, GError **error)
{
    const struct outbound *outbound = job->outbound;
    const struct ump_message *message = job->message;
    gint64 expires = ump_clock_now_us() + outbound->media_ttl;
    g_autoptr(GStrvBuilder) urls = g_strv_builder_new();

    if (message->media->len == 0 || job->endpoint->channel.ops->inline_media)
        return 0;
    if (is_uploaded(outbound, &job->endpoint->channel)) {
        job->media_ids = g_ptr_array_new_with_free_func(g_free);
        return 0;
    }
    if (!outbound->bridge->public_url) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG,
                            "[gateway] public_url is not set: the provider could not fetch attachments");
        return -1;
    }
    for (guint i = 0; i < message->media->len; i++) {
        const struct ump_media *media = message->media->pdata[i];
        g_autofree char *url = media_url_make(outbound->bridge->ids, outbound->bridge->public_url, media->sha256,
                                              media->type, expires);
        g_strv_builder_add(urls, url);
    }
    job->media_urls = g_strv_builder_end(urls);
    return 0;
}

/* ---- Requests ---- */

static int upload_next(struct job *job, GError **error)
{
    const struct channel_endpoint *channel = &job->endpoint->channel;
    struct ump_media *media = job->message->media->pdata[job->media_ids->len];
    int built;

    media->content = media_store_read(job->outbound->bridge->media, media->sha256, error);
    if (!media->content)
        return -1;
    built = channel->ops->build_upload(media, channel, &job->request, error);
    g_clear_pointer(&media->content, g_bytes_unref);
    return built;
}

/* An array of strings of the metadata; NULL-terminated, the strings borrowed. */
static GPtrArray *strings_of(const json_t *list)
{
    GPtrArray *strings = g_ptr_array_new();
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
        g_ptr_array_add(strings, (gpointer)(uintptr_t)(json_is_string(item) ? json_string_value(item) : ""));
    g_ptr_array_add(strings, NULL);
    return strings;
}

static bool takes_reactions_back(const struct channel_endpoint *channel)
{
    const struct channel_capabilities *can = channel_capabilities_of(channel->ops, channel->channel);

    return can && (can->out & KIND(UNREACTION));
}

/* The variables out of the text, NULL-terminated; NULL: it has another number of them. */
static GPtrArray *lines_of(const char *text, guint count)
{
    GPtrArray *lines = template_variables(text, count);

    if (lines)
        g_ptr_array_add(lines, NULL);
    return lines;
}

static int build_message(struct job *job, GError **error)
{
    const struct channel_endpoint *channel = &job->endpoint->channel;
    const json_t *chosen = json_object_get(job->metadata, "template");
    g_autoptr(GPtrArray) places = strings_of(json_object_get(chosen, "places"));
    g_autoptr(GPtrArray) given = strings_of(json_object_get(chosen, "variables"));
    g_autoptr(GPtrArray) lines = lines_of(job->message->text, places->len - 1);
    const struct channel_template template = {
        .name = json_string_value(json_object_get(chosen, "name")),
        .language = json_string_value(json_object_get(chosen, "language")),
        .places = (const char *const *)places->pdata,
        .variables = (const char *const *)(given->len > 1 || !lines ? given : lines)->pdata,
    };
    struct channel_send send = {
        .message = job->message,
        .template = template.name ? &template : NULL,
        .attempt_id = job->attempt,
        .callback_url = job->callback,
        .media_urls = (const char *const *)job->media_urls,
        .reply_to_provider_id = job->target,
        .reply_to_text = job->target_text,
        .now = ump_clock_now_us(),
    };

    if (send.template && given->len == 1 && !lines) { /* the text was not certain when the policy saw it */
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "the template %s has %u variables, one line of text each",
                    template.name, places->len - 1);
        return -1;
    }
    if (job->message->reaction_removed && !takes_reactions_back(channel)) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_INVALID, "what is sent on this network cannot be taken back, reactions neither");
        return -1;
    }
    if (job->media_ids) {
        g_ptr_array_add(job->media_ids, NULL);
        send.media_ids = (const char *const *)job->media_ids->pdata;
    }
    return channel->ops->build_request(&send, channel, &job->request, error);
}

/* Do attachments go within the message's own request? */
static bool is_inline(const struct job *job)
{
    return job->endpoint->channel.ops->inline_media && job->message->media->len > 0;
}

static int load_media(struct job *job, GError **error)
{
    for (guint i = 0; i < job->message->media->len; i++) {
        struct ump_media *media = job->message->media->pdata[i];
        g_clear_pointer(&media->content, g_bytes_unref);
        media->content = media_store_read(job->outbound->bridge->media, media->sha256, error);
        if (!media->content)
            return -1;
    }
    return 0;
}

bool job_wants_window(const struct job *job)
{
    return job->endpoint->channel.ops->build_window && !job->window_asked && !job->group && job->metadata &&
           json_is_true(json_object_get(json_object_get(job->metadata, "template"), "reopen"));
}

int job_ask_window(struct job *job, GError **error)
{
    const struct channel_endpoint *channel = &job->endpoint->channel;

    job->window_asked = true;
    return channel->ops->build_window(job->recipient, channel, &job->request, error);
}

void job_window_is(struct job *job, enum channel_window window)
{
    channel_request_clear(&job->request);
    channel_request_init(&job->request);
    if (window == CHANNEL_WINDOW_OPEN)
        json_object_del(job->metadata, "template");
}

int job_next_request(struct job *job, bool *last, GError **error)
{
    int built;

    *last = !job->media_ids || job->media_ids->len >= job->message->media->len;
    if (job->request.url) /* was built when it was claimed */
        return 0;
    if (!*last)
        return upload_next(job, error);
    if (is_inline(job) && load_media(job, error) < 0)
        return -1;
    built = build_message(job, error);
    forget_content(job);
    return built;
}

static int build(struct job *job, const struct db_rows *rows, unsigned row, GError **error)
{
    const char *metadata = db_rows_text_of(rows, row, "metadata");
    bool last;

    job->metadata = metadata ? json_loads(metadata, 0, NULL) : NULL;
    job->message = job_message(job, rows, row);
    job->callback = callback_url(job->outbound, job);
    if (job->part <= 1) { /* the first of several answers for all */
        job->target = g_strdup(db_rows_text_of(rows, row, "target_id"));
        job->target_text = g_strdup(db_rows_text_of(rows, row, "target_text"));
    }
    job->group = job->message->recipients->len > 1 || job->message->group.id;
    if (find_media(job, error) < 0)
        return -1;
    if (job->media_ids || is_inline(job) || job_wants_window(job)) /* uploads begin, contents are loaded … when it is sent */
        return 0;
    return job_next_request(job, &last, error);
}

struct job *job_new(struct outbound *outbound, struct endpoint *endpoint, const struct db_rows *rows, unsigned row,
                    GError **error)
{
    struct job *job = g_new0(struct job, 1);

    job->outbound = outbound;
    job->endpoint = endpoint;
    job->id = db_rows_int_of(rows, row, "id");
    job->fence = db_rows_int_of(rows, row, "fence");
    job->attempts = (guint)db_rows_int_of(rows, row, "attempts");
    job->message_id = g_strdup(db_rows_text_of(rows, row, "message_id"));
    job->recipient = g_strdup(db_rows_text_of(rows, row, "recipient"));
    job->conversation_id = g_strdup(db_rows_text_of(rows, row, "conversation_id"));
    job->part = (guint)db_rows_int_of(rows, row, "part");
    job->attempt = ids_new();
    job->leased_at = outbound_now();
    channel_request_init(&job->request);
    if (build(job, rows, row, error) < 0) {
        job_free(job);
        return NULL;
    }
    return job;
}
