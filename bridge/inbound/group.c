/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in a group, where the network's messages do not say: asked at first sight, and when one says that the group has
 * changed; the notice then names who joined and who left.  When it cannot be told, the message goes on without.
 */
#include <pthread.h>
#include <string.h>

#include "bridge/inbound/internal.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"

#define TIMEOUT_MS 5000
#define KNOWN_FOR CLOCK_HOUR
#define NOT_BEFORE CLOCK_MINUTE /* after a failure */

struct group_memory {
    pthread_mutex_t mutex;
    GHashTable *until; /* "endpoint/group" → gint64 *: monotonic µs before which it need not be asked for */
};

struct group_memory *group_memory_new(void)
{
    struct group_memory *memory = g_new0(struct group_memory, 1);

    pthread_mutex_init(&memory->mutex, NULL);
    memory->until = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return memory;
}

void group_memory_free(struct group_memory *memory)
{
    if (!memory)
        return;
    g_hash_table_unref(memory->until);
    pthread_mutex_destroy(&memory->mutex);
    g_free(memory);
}

static bool is_due(struct group_memory *memory, const char *key)
{
    pthread_mutex_lock(&memory->mutex);
    const gint64 *until = g_hash_table_lookup(memory->until, key);
    bool due = !until || *until < ump_clock_mono_us();
    pthread_mutex_unlock(&memory->mutex);
    return due;
}

static void remember(struct group_memory *memory, const char *key, gint64 us)
{
    gint64 until = ump_clock_mono_us() + us;

    pthread_mutex_lock(&memory->mutex);
    g_hash_table_insert(memory->until, g_strdup(key), g_memdup2(&until, sizeof until));
    pthread_mutex_unlock(&memory->mutex);
}

/* 0: message->group holds title and members. */
static int ask(struct inbound *inbound, const struct channel_endpoint *endpoint, struct ump_group *group, GError **error)
{
    g_auto(channel_request_t) request;
    struct http_response *response;
    int result;

    channel_request_init(&request);
    if (endpoint->ops->build_group(group->id, endpoint, &request, error) < 0)
        return -1;
    g_ptr_array_add(request.headers, NULL);
    const struct http_request wanted = {
        .method = request.method, .url = request.url, .base_url = channel_base_url_is_own(endpoint) ? channel_base_url(endpoint) : NULL,
        .headers = (const char *const *)request.headers->pdata, .body = request.body, .timeout_ms = TIMEOUT_MS};
    response = http_send_wait(inbound->http, &wanted);
    result = endpoint->ops->parse_group(response, endpoint, group, error);
    http_response_free(response);
    return result;
}

/* Who was in it as far as we knew; NULL: the group is new. */
static char **known_members(struct inbound *inbound, const struct channel_endpoint *endpoint, const char *group)
{
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;

    db_params_int(params, endpoint->account_id);
    db_params_uuid(params, endpoint->id);
    db_params_text(params, group);
    if (db_write(inbound->bridge->db, DB_STMT_GROUP_MEMBERS, params, group, &rows, &error) < 0) {
        log_warning("endpoint", endpoint->id, "error", error->message, "status", "members-unknown");
        return NULL;
    }
    return db_rows_texts(rows, 0, 0);
}

static bool has_member(const struct ump_group *group, const char *address)
{
    for (guint i = 0; i < group->members->len; i++)
        if (g_strcmp0(((const struct ump_party *)group->members->pdata[i])->address, address) == 0)
            return true;
    return false;
}

static void add_names(GString *text, GPtrArray *names, const char *what)
{
    if (names->len == 0)
        return;
    g_ptr_array_add(names, NULL);
    g_autofree char *list = g_strjoinv(", ", (char **)names->pdata);
    g_string_append_printf(text, "\n%s %s the group.", list, what);
}

/* Behind the notice that the group has changed. */
static void tell_changes(struct ump_message *message, char **before)
{
    g_autoptr(GPtrArray) joined = g_ptr_array_new(), left = g_ptr_array_new();
    GString *text = g_string_new(message->text);

    for (guint i = 0; i < message->group.members->len; i++) {
        const struct ump_party *member = message->group.members->pdata[i];
        if (!g_strv_contains((const char *const *)before, member->address))
            g_ptr_array_add(joined, member->address);
    }
    for (char **member = before; *member; member++)
        if (!has_member(&message->group, *member))
            g_ptr_array_add(left, *member);
    add_names(text, joined, "joined");
    add_names(text, left, "left");
    g_free(message->text);
    message->text = g_string_free(text, FALSE);
}

void inbound_members(struct inbound *inbound, const struct channel_endpoint *endpoint, struct ump_message *message)
{
    g_autofree char *key = message->group.id ? g_strdup_printf("%s/%s", endpoint->id, message->group.id) : NULL;
    bool changed = message->type == UMP_MESSAGE_GROUP_EVENT;
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) before = NULL;

    if (!key || !endpoint->ops->build_group || (!changed && !is_due(inbound->groups, key)))
        return;
    if (ask(inbound, endpoint, &message->group, &error) < 0) {
        log_warning("endpoint", endpoint->id, "error", error->message, "status", "members-unknown");
        g_ptr_array_set_size(message->group.members, 0);
        remember(inbound->groups, key, NOT_BEFORE);
        return;
    }
    remember(inbound->groups, key, KNOWN_FOR);
    before = changed ? known_members(inbound, endpoint, message->group.id) : NULL;
    if (before && *before)
        tell_changes(message, before);
}
