/* SPDX-License-Identifier: Apache-2.0 */
#include "core/policy_alarm.h"

#include <pthread.h>

#include "core/clock.h"
#include "core/db.h"
#include "core/log.h"

#define ALARM_EVERY CLOCK_HOUR
#define ALARM_KEYS_MAX 10000

struct policy_alarm {
    struct db *db;
    pthread_mutex_t lock;
    GHashTable *last; /* "who reason" → gint64 * of the monotonic clock */
};

struct policy_alarm *policy_alarm_new(struct db *db)
{
    struct policy_alarm *alarm = g_new0(struct policy_alarm, 1);
    alarm->db = db;
    pthread_mutex_init(&alarm->lock, NULL);
    alarm->last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return alarm;
}

void policy_alarm_free(struct policy_alarm *alarm)
{
    if (alarm == NULL)
        return;
    g_hash_table_destroy(alarm->last);
    pthread_mutex_destroy(&alarm->lock);
    g_free(alarm);
}

static bool is_due(struct policy_alarm *alarm, const char *key)
{
    gint64 now = ump_clock_mono_us();
    pthread_mutex_lock(&alarm->lock);
    if (g_hash_table_size(alarm->last) >= ALARM_KEYS_MAX)
        g_hash_table_remove_all(alarm->last);
    const gint64 *last = g_hash_table_lookup(alarm->last, key);
    bool due = last == NULL || now - *last >= ALARM_EVERY;
    if (due)
        g_hash_table_replace(alarm->last, g_strdup(key), g_memdup2(&now, sizeof now));
    pthread_mutex_unlock(&alarm->lock);
    return due;
}

static void tell(struct policy_alarm *alarm, const char *who, const struct policy_facts *facts, const char *cap)
{
    g_autoptr(GError) error = NULL;
    struct db_params *params = db_params_new();
    db_params_int(params, facts->account_id);
    db_params_text(params, who);
    db_params_text(params, cap);
    if (db_query_once(alarm->db, DB_STMT_CAP_ALARM, params, 0, NULL, &error) < 0)
        log_warning("who", who, "alarm", cap, "reason", error->message, "status", "alarm-not-told");
}

void policy_alarm_look(struct policy_alarm *alarm, const struct policy_request *request,
                       const struct policy_facts *facts, const struct policy_verdict *verdict)
{
    switch (verdict->reason) {
    case POLICY_CAP_USER:
    case POLICY_CAP_MACHINE:
    case POLICY_CAP_SPEND:
    case POLICY_CAP_RANGE:
        break;
    default:
        return;
    }
    g_autofree char *who = policy_who_format(&request->who);
    g_autofree char *key = g_strconcat(who, " ", verdict->log, NULL);
    if (!is_due(alarm, key))
        return;
    log_warning("who", who, "recipient", LOG_ADDRESS(request->recipient), "alarm", verdict->log, "status", "alarm");
    if (alarm->db != NULL && facts != NULL && facts->known)
        tell(alarm, who, facts, verdict->log);
}
