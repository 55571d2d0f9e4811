/* SPDX-License-Identifier: Apache-2.0 */
/* The provider has approved, rejected, paused or switched off a template: it may be sent from now on, or no more. */
#include "bridge/inbound/internal.h"
#include "core/clock.h"
#include "core/log.h"

static struct db_params *params_of(const struct queue_job *job, const struct channel_event *event)
{
    struct db_params *params = db_params_new();

    db_params_int(params, job->account_id);
    db_params_uuid(params, job->endpoint_id);
    db_params_text(params, event->template_name);
    db_params_text(params, event->template_language);
    db_params_text(params, event->template_id);
    db_params_text(params, event->template_status);
    return params;
}

enum inbound_step inbound_template(struct inbound *inbound, struct queue_job *job)
{
    g_autoptr(endpoint_t) endpoint = endpoints_get(inbound->bridge->endpoints, job->endpoint_id);
    g_autoptr(GError) error = NULL;
    g_autoptr(db_rows) rows = NULL;
    struct channel_event *event;
    enum inbound_step result = STEP_DONE;

    if (!endpoint || !endpoint->channel.ops || !job->body)
        return inbound_fault(inbound, job, "its endpoint is not known");
    event = inbound_event(endpoint, job, &error);
    if (!event)
        return inbound_fault(inbound, job, error->message);
    if (db_write(inbound->bridge->db, DB_STMT_TEMPLATE_STATUS, params_of(job, event), event->key, &rows, &error) == 0) {
        gint64 changed = db_rows_int(rows, 0, 0);
        /* one that is not known can be taken over with all that it says only: umpctl template sync */
        log_notice("endpoint", job->endpoint_id, "template", event->template_name ? event->template_name : event->template_id,
                   "language", event->template_language, "provider_status", event->template_status, "status",
                   changed > 0 ? "template-changed" : "template-unknown");
        queue_done(job);
    } else if (db_error_is_temporary(error)) {
        queue_retry(job, CLOCK_SECOND, error->message, false);
        result = STEP_WAIT;
    } else {
        result = inbound_fault(inbound, job, error->message);
    }
    channel_event_free(event);
    return result;
}
