/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bridge/inbound/internal.h"
#include "core/error.h"

/* Adapters are deterministic: the stored body gives the same events again, and the key names ours. */
struct channel_event *inbound_event(const struct endpoint *endpoint, const struct queue_job *job, GError **error)
{
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)channel_event_free);
    gsize size;
    const char *body = g_bytes_get_data(job->body, &size);
    g_autofree char *copy = g_strndup(body ? body : "", size); /* with a 0 behind it */
    const struct channel_webhook webhook = { .body = copy, .length = size };

    if (endpoint->channel.ops->parse_webhook(&webhook, &endpoint->channel, events, error) != CHANNEL_PARSED) {
        if (error && !*error)
            g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "the event cannot be read any more");
        return NULL;
    }
    for (guint i = 0; i < events->len; i++) {
        struct channel_event *event = events->pdata[i];
        if (g_strcmp0(event->key, job->event_key) == 0) {
            events->pdata[i] = NULL;
            return event;
        }
    }
    g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "the stored body does not hold this event");
    return NULL;
}
