/* SPDX-License-Identifier: Apache-2.0 */
/* Which recipient goes where; and what all sessions share. */
#include "lmtp/door.h"

#include <string.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/db.h"
#include "core/error.h"
#include "core/ids.h"
#include "core/media_store.h"
#include "core/policy_alarm.h"
#include "core/policy_cache.h"
#include "core/program_db.h"
#include "core/stamp.h"
#include "lmtp/index.h"
#include "lmtp/mail.h"
#include "lmtp/reply.h"
#include "lmtp/store.h"
#include "lmtp/success.h"
#include "lmtp/underway.h"

/* Many sessions at once wait for the store far longer than this; it is nothing to them, and their commits are shared. */
#define BATCH_GAP_US 6000

static void recipients(void *data, struct txn *txn, guint first, bool data_follows)
{
    struct door *door = data;
    g_autoptr(GPtrArray) local = g_ptr_array_new();

    if (!txn->handler_data)
        txn->handler_data = g_new0(struct door_txn, 1);
    for (guint i = first; i < txn->rcpts->len; i++) {
        struct txn_recipient *rcpt = txn_rcpt(txn, i);
        if (rcpt->same)
            continue;
        rcpt->gateway = address_is_gateway_domain(rcpt->path.domain, strlen(rcpt->path.domain), &door->space);
        if (rcpt->gateway)
            gateway_check(door, txn, rcpt);
        else
            g_ptr_array_add(local, rcpt);
    }
    if (local->len > 0)
        local_check(door, txn, (struct txn_recipient *const *)local->pdata, local->len, data_follows);
    for (guint i = first; i < txn->rcpts->len; i++) {
        struct txn_recipient *rcpt = txn_rcpt(txn, i);
        if (rcpt->same) {
            rcpt->accepted = rcpt->same->accepted;
            txn_reply(rcpt, rcpt->same->reply);
        }
    }
}

static void deliver(void *data, struct txn *txn, const struct content *content)
{
    struct door *door = data;
    const struct mail_context context = {door->stamp_keys, door->stamp_max_age};
    g_autoptr(GPtrArray) local = g_ptr_array_new(), gateway = g_ptr_array_new();
    struct mail mail;

    for (guint i = 0; i < txn->rcpts->len; i++) {
        struct txn_recipient *rcpt = txn_rcpt(txn, i);
        if (rcpt->accepted && !rcpt->same)
            g_ptr_array_add(rcpt->gateway ? gateway : local, rcpt);
    }
    mail_open(&mail, content, txn, &context);
    if (gateway->len > 0)
        gateway_deliver(door, txn, &mail, (struct txn_recipient *const *)gateway->pdata, gateway->len);
    if (local->len > 0)
        local_deliver(door, txn, &mail, (struct txn_recipient *const *)local->pdata, local->len);
    mail_close(&mail);
    for (guint i = 0; i < txn->rcpts->len; i++) {
        struct txn_recipient *rcpt = txn_rcpt(txn, i);
        if (rcpt->accepted && rcpt->same && rcpt->same->reply)
            txn_reply(rcpt, rcpt->same->reply);
    }
}

static void end(void *data, struct txn *txn)
{
    struct door *door = data;
    struct door_txn *kept = txn->handler_data;

    if (kept)
        door->store_ops->end(door->store, &kept->hold);
    g_clear_pointer(&txn->handler_data, g_free);
}

const struct session_handler door_handler = {recipients, deliver, end};

/* ---- Life ---- */

static bool open_store(struct door *door, GError **error)
{
    const char *setting = config_get_string(door->config, "lmtp", "store"), *where = NULL;
    const struct store_options options = {
        .hostname = door->hostname,
        .connections = (unsigned)config_get_int(door->config, "lmtp", "max_sessions"),
        .timeout_ms = (unsigned)config_get_duration_ms(door->config, "lmtp", "store_timeout"),
        .final_ms = (unsigned)config_get_duration_ms(door->config, "lmtp", "store_timeout"),
    };

    door->store_ops = store_find(setting, &where);
    if (!door->store_ops) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "[lmtp] store: there is no store \"%s\"; use lmtp:/path", setting);
        return false;
    }
    door->store = door->store_ops->open(where, &options, error);
    return door->store != NULL;
}

static void read_settings(struct door *door)
{
    const struct config *config = door->config;

    door->domains = config_get_list(config, "gateway", "domains");
    door->hostname = config_get_string(config, "gateway", "hostname");
    door->delimiter = config_get_string(config, "lmtp", "recipient_delimiter");
    door->stamp_max_age = config_get_duration(config, "lmtp", "stamp_max_age") / CLOCK_SECOND;
    door->database_ms = (unsigned)config_get_duration_ms(config, "lmtp", "database_wait");
    door->window = config_get_duration(config, "conversation", "window");
    door->segment_messages = config_get_int(config, "conversation", "segment_messages");
    door->segment_silence = config_get_duration(config, "conversation", "segment_silence");
    door->send_expires = config_get_duration(config, "outbound", "expire");
    policy_site_init(&door->site, config, door->ids_keys);
    door->space = (struct address_space){door->site.domains, door->site.channels, door->site.region};
}

struct door *door_open(const struct config *config, GError **error)
{
    struct door *door = g_new0(struct door, 1);
    const char *const *domains = config_get_list(config, "gateway", "domains");

    door->config = config;
    if (!domains[0]) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "[gateway] domains is not set");
        goto failed;
    }
    door->stamp_keys = stamp_keys_load(config_get_string(config, "gateway", "stamp_key_file"), error);
    if (door->stamp_keys)
        door->ids_keys = ids_keys_load(config_get_string(config, "gateway", "id_key_file"), error);
    if (!door->ids_keys)
        goto failed;
    read_settings(door);
    door->media = media_store_open(config_get_string(config, "media", "dir"),
                                   config_get_size(config, "media", "max_size"), error);
    if (!door->media || !open_store(door, error))
        goto failed;
    door->underway = underway_new();
    door->facts = policy_cache_new(config_get_duration(config, "lmtp", "facts_lifetime"));
    door->success = success_open(config, door->store_ops, door->store, error);
    if (!door->success)
        goto failed;
    door->db = program_open_db(config, "ump_lmtp", "ump-lmtp", true, BATCH_GAP_US, error);
    if (door->db)
        door->alarm = policy_alarm_new(door->db);
    if (door->db)
        door->index = index_open(door->db, config, door->underway, error);
    if (door->index)
        return door;
failed:
    door_close(door);
    return NULL;
}

void door_close(struct door *door)
{
    if (!door)
        return;
    index_close(door->index);
    success_close(door->success);
    if (door->alarm)
        policy_alarm_free(door->alarm);
    db_close(door->db, 5000);
    if (door->store)
        door->store_ops->close(door->store);
    underway_free(door->underway);
    policy_cache_free(door->facts);
    media_store_close(door->media);
    stamp_keys_free(door->stamp_keys);
    ids_keys_free(door->ids_keys);
    g_free(door);
}
