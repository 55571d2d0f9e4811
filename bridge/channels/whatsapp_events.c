/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "value" of WhatsApp's webhooks: {"metadata", "contacts", "messages", "message_echoes", "statuses", …}, each
 * a list.  What is unknown is kept; where somebody sent it, it is shown as a notice.
 */
#include "bridge/channels/whatsapp.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/hmac.h"

#define MAX_KEY 200

/* ---- Parts of a body ---- */

/* A value of one item alone; NULL when the body holds nothing else. */
static GBytes *cut_body(const struct whatsapp_walk *walk, const char *list, const json_t *item, const json_t *contact)
{
    static const char *const kept[] = {"messaging_product", "metadata", NULL};
    json_t *value;

    if (!walk->wrap)
        return NULL;
    value = json_object();
    for (const char *const *key = kept; *key; key++)
        if (json_object_get(walk->value, *key))
            json_object_set(value, *key, json_object_get(walk->value, *key));
    if (contact)
        json_object_set_new(value, "contacts", json_pack("[O]", contact));
    json_object_set_new(value, list, json_pack("[O]", item));
    return walk->wrap(walk, value);
}

/* The provider's id of it; else its hash. */
static char *key_of(const char *prefix, const char *id, const json_t *item)
{
    guint8 digest[32];

    if (id && strlen(prefix) + strlen(id) <= MAX_KEY)
        return g_strconcat(prefix, id, NULL);
    char *text = json_dumps(item, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    hmac_sha256(text ? text : "", text ? strlen(text) : 0, digest);
    g_free(text);
    g_autofree char *hex = hmac_hex(digest, sizeof digest);
    return g_strconcat(prefix, "sha256:", hex, NULL);
}

static void add_other(const struct whatsapp_walk *walk, const char *list, const json_t *item, const char *note)
{
    g_autofree char *key = key_of("other:", NULL, item);

    channel_add_other(walk->events, note, key);
    if (list)
        ((struct channel_event *)walk->events->pdata[walk->events->len - 1])->body = cut_body(walk, list, item, NULL);
}

/* ---- People ---- */

/* "+16505551234" is "16505551234". */
static bool same_id(const json_t *object, const char *key, const char *id)
{
    g_autofree char *value = channel_json_text(object, key);

    return value && strcmp(value + (*value == '+'), id + (*id == '+')) == 0;
}

/* The entry of contacts that is about the sender. */
static const json_t *contact_of(const json_t *value, const char *id, const char *user_id)
{
    const json_t *list = json_object_get(value, "contacts"), *contact;
    size_t i;

    json_array_foreach(list, i, contact)
        if ((id && same_id(contact, "wa_id", id)) || (user_id && same_id(contact, "user_id", user_id)))
            return contact;
    return json_array_size(list) == 1 ? json_array_get(list, 0) : NULL;
}

static char *name_of(const json_t *contact)
{
    char *name = channel_json_text(json_object_get(contact, "profile"), "name");

    return name ? name : channel_json_text(json_object_get(contact, "profile"), "username");
}

/* A person has a number, or an id of the business's alone, or both. */
static void read_party(struct ump_party *party, char *number, char *user_id)
{
    g_autofree char *phone = number, *id = user_id;
    const char *address = phone ? phone : id;

    party->address = whatsapp_identifier(address);
    if (phone && id && strcmp(phone, id) != 0)
        party->alias = g_strdup(id);
}

static char *first_text(const json_t *object, const char *const *keys)
{
    for (; *keys; keys++) {
        char *text = channel_json_text(object, *keys);
        if (text)
            return text;
    }
    return NULL;
}

/* ---- Messages ---- */

static struct ump_message *new_message(const struct whatsapp_walk *walk, const json_t *item)
{
    struct ump_message *message = ump_message_new();

    message->channel = g_strdup(walk->endpoint->channel);
    message->provider = g_strdup(walk->endpoint->provider);
    message->endpoint_address = g_strdup(walk->endpoint->address);
    message->external_id = channel_json_text(item, "id");
    message->network_id = channel_json_text(item, "foreign_id");
    message->occurred_at = channel_json_epoch(item, "timestamp");
    message->group.id = channel_json_text(item, "group_id");
    return message;
}

static void push_message(const struct whatsapp_walk *walk, struct ump_message *message, const char *list, const json_t *item,
                         const json_t *contact, const char *note)
{
    struct channel_event *event = channel_event_new();

    event->kind = CHANNEL_EVENT_MESSAGE;
    event->key = key_of("", message->external_id, item);
    event->note = g_strdup(note);
    event->at = message->occurred_at;
    event->lane = g_strdup(message->group.id ? message->group.id : message->sender.address);
    event->message = message;
    event->body = cut_body(walk, list, item, contact);
    g_ptr_array_add(walk->events, event);
}

static void add_message(const struct whatsapp_walk *walk, const json_t *item)
{
    static const char *const user_ids[] = {"from_user_id", "user_id", NULL}, *const ids[] = {"user_id", "wa_id", NULL};
    g_autofree char *from = channel_json_text(item, "from"), *user_id = first_text(item, user_ids);
    const json_t *contact = contact_of(walk->value, from, user_id);
    g_autofree char *told = first_text(contact, ids);
    struct ump_message *message = new_message(walk, item);
    struct channel_event *event;

    read_party(&message->sender, g_steal_pointer(&from), g_strdup(user_id ? user_id : told));
    if (!message->sender.address) { /* nobody to show it from */
        ump_message_free(message);
        add_other(walk, "messages", item, "message without a sender");
        return;
    }
    if (message->sender.alias && g_strcmp0(message->sender.alias, message->sender.address + 1) == 0)
        g_clear_pointer(&message->sender.alias, g_free); /* the same, as a number and as an id */
    message->sender.name = name_of(contact);
    message->direction = UMP_INBOUND;
    g_ptr_array_add(message->recipients, ump_party_new(walk->endpoint->address, NULL));
    whatsapp_read_kind(walk, item, message);
    push_message(walk, message, "messages", item, contact, "message");
    event = walk->events->pdata[walk->events->len - 1];
    if (message->type == UMP_MESSAGE_TEXT || message->type == UMP_MESSAGE_INTERACTIVE)
        event->opt = channel_opt_keyword(walk->endpoint, message->text);
}

/* Sent from the business's phone: belongs into Sent. */
static void add_echo(const struct whatsapp_walk *walk, const json_t *item)
{
    static const char *const numbers[] = {"to", "recipient_id", NULL}, *const ids[] = {"to_user_id", "recipient_user_id", NULL};
    struct ump_message *message = new_message(walk, item);
    struct ump_party *to = ump_party_new(NULL, NULL);

    read_party(to, first_text(item, numbers), first_text(item, ids));
    if (!to->address && message->group.id)
        to->address = g_strdup(message->group.id);
    if (!to->address) {
        ump_party_free(to);
        ump_message_free(message);
        add_other(walk, "message_echoes", item, "echo without a recipient");
        return;
    }
    message->direction = UMP_OUTBOUND;
    message->sender.address = g_strdup(walk->endpoint->address);
    g_ptr_array_add(message->recipients, to);
    whatsapp_read_kind(walk, item, message);
    push_message(walk, message, "message_echoes", item, NULL, "echo");
    g_free(((struct channel_event *)walk->events->pdata[walk->events->len - 1])->lane);
    ((struct channel_event *)walk->events->pdata[walk->events->len - 1])->lane =
        g_strdup(message->group.id ? message->group.id : to->address);
}

/* ---- Groups, and people whose ids change ---- */

static void add_notice(const struct whatsapp_walk *walk, const char *list, const json_t *item, struct ump_message *message,
                       const json_t *contact, const char *id)
{
    message->type = UMP_MESSAGE_GROUP_EVENT;
    message->direction = UMP_INBOUND;
    g_free(message->external_id);
    message->external_id = key_of(id, NULL, item);
    g_ptr_array_add(message->recipients, ump_party_new(walk->endpoint->address, NULL));
    push_message(walk, message, list, item, contact, list);
}

static char *people_text(const json_t *list)
{
    static const char *const ids[] = {"wa_id", "input", "user_id", NULL};
    GString *names = g_string_new(NULL);
    const json_t *person;
    size_t i;

    json_array_foreach(list, i, person) {
        g_autofree char *raw = first_text(person, ids), *id = whatsapp_identifier(raw);
        if (id)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", id);
    }
    return g_string_free(names, names->len == 0);
}

static char *group_text(const json_t *item, const char *kind)
{
    g_autofree char *added = people_text(json_object_get(item, "added_participants"));
    g_autofree char *removed = people_text(json_object_get(item, "removed_participants"));
    g_autofree char *subject = channel_json_text(item, "subject");

    if (added || removed)
        return g_strdup_printf("%s%s%s%s%s", added ? added : "", added ? " joined the group." : "", added && removed ? "\n" : "",
                               removed ? removed : "", removed ? " left the group." : "");
    if (subject)
        return g_strdup_printf("The group is now called “%s”.", subject);
    return g_strdup_printf("The group has changed (%s).", kind);
}

static void add_group(const struct whatsapp_walk *walk, const json_t *item)
{
    static const char *const ids[] = {"wa_id", "input", "user_id", NULL};
    g_autofree char *kind = channel_json_text(item, "type");
    struct ump_message *message = new_message(walk, item);
    const json_t *person = json_array_get(json_object_get(item, "added_participants"), 0);
    g_autofree char *who = NULL;

    if (!person)
        person = json_array_get(json_object_get(item, "removed_participants"), 0);
    who = first_text(person, ids);
    if (!message->group.id) {
        ump_message_free(message);
        add_other(walk, "groups", item, kind ? kind : "group");
        return;
    }
    message->sender.address = who ? whatsapp_identifier(who) : g_strdup(walk->endpoint->address);
    message->group.title = channel_json_text(item, "subject");
    message->native_type = g_strdup(kind ? kind : "group");
    message->text = group_text(item, message->native_type);
    add_notice(walk, "groups", item, message, NULL, "group:");
}

static void add_user_id(const struct whatsapp_walk *walk, const json_t *item)
{
    const json_t *id = json_object_get(item, "user_id");
    g_autofree char *number = channel_json_text(item, "wa_id"), *before = channel_json_text(id, "previous");
    g_autofree char *now = json_is_object(id) ? channel_json_text(id, "current") : channel_json_text(item, "user_id");
    struct ump_message *message = new_message(walk, item);

    message->sender.address = whatsapp_identifier(number ? number : before);
    if (!message->sender.address || !now) {
        ump_message_free(message);
        add_other(walk, "user_id_update", item, "user_id_update");
        return;
    }
    message->sender.alias = g_steal_pointer(&now);
    message->native_type = g_strdup("user_id_update");
    message->text = channel_json_text(item, "detail");
    if (!message->text)
        message->text = g_strdup("The id of this person at WhatsApp has changed; messages go on as before.");
    add_notice(walk, "user_id_update", item, message, NULL, "user_id:");
}

/* ---- What people did beside writing ---- */

#define NETWORK "WhatsApp" /* who tells what nobody is named for; cannot be answered */

/* "Somebody followed the button of a marketing message (product sku_id).\nClick: click_id" */
static char *click_text(const json_t *item, bool named)
{
    const json_t *data = json_object_get(item, "marketing_messages_link_click_data");
    g_autofree char *part = channel_json_text(data, "click_component"), *product = channel_json_text(data, "product_id");
    g_autofree char *click = channel_json_text(data, "click_id");

    return g_strdup_printf("%s the %s of a marketing message%s%s%s.%s%s", named ? "Followed" : "Somebody followed",
                           g_strcmp0(part, "cta") == 0 ? "button" : "link", product ? " (product " : "", product ? product : "",
                           product ? ")" : "", click ? "\nClick: " : "", click ? click : "");
}

/* Meta names nobody for a click; it is WhatsApp's then to tell. */
static void add_action(const struct whatsapp_walk *walk, const json_t *item)
{
    static const char *const senders[] = {"from", "wa_id", "from_user_id", "user_id", NULL};
    g_autofree char *kind = channel_json_text(item, "action_type"), *raw = first_text(item, senders);
    const json_t *contact = raw ? contact_of(walk->value, raw, raw) : NULL; /* another's may stand there */
    struct ump_message *message;

    if (g_strcmp0(channel_setting(walk->endpoint, "user_actions"), "keep") == 0) {
        add_other(walk, "user_actions", item, kind ? kind : "user_actions");
        return;
    }
    message = new_message(walk, item);
    message->sender.address = raw ? whatsapp_identifier(raw) : g_strdup(NETWORK);
    message->sender.name = name_of(contact);
    message->native_type = g_strdup(kind ? kind : "user_action");
    message->text = g_strcmp0(kind, "marketing_messages_link_click") == 0
                        ? click_text(item, raw != NULL)
                        : g_strdup_printf("WhatsApp tells of an action: %s", message->native_type);
    add_notice(walk, "user_actions", item, message, contact, "action:");
}

/* Marketing messages alone are meant: Meta refuses those itself, everything else still goes. */
static void add_preference(const struct whatsapp_walk *walk, const json_t *item)
{
    static const char *const ids[] = {"wa_id", "user_id", NULL};
    g_autofree char *raw = first_text(item, ids), *detail = channel_json_text(item, "detail");
    g_autofree char *value = channel_json_text(item, "value"), *category = channel_json_text(item, "category");
    const json_t *contact = contact_of(walk->value, raw, raw);
    bool marketing = g_strcmp0(category, "marketing_messages") == 0;
    struct ump_message *message;

    if (!raw) {
        add_other(walk, "user_preferences", item, "user_preferences");
        return;
    }
    message = new_message(walk, item);
    message->sender.address = whatsapp_identifier(raw);
    message->sender.name = name_of(contact);
    message->native_type = g_strdup("user_preferences");
    if (marketing && g_strcmp0(value, "stop") == 0)
        message->text = g_strdup("Wants no more marketing messages. WhatsApp will refuse marketing templates; everything else still goes.");
    else if (marketing && g_strcmp0(value, "resume") == 0)
        message->text = g_strdup("Wants marketing messages again.");
    else
        message->text = detail ? g_steal_pointer(&detail) : g_strdup_printf("A preference has changed: %s", value ? value : "unknown");
    add_notice(walk, "user_preferences", item, message, contact, "preference:");
}

/* ---- Statuses ---- */

/* Meta tells what kind of message it counts, not the price: that is the endpoint's to say. */
static void read_price(const json_t *pricing, const struct channel_endpoint *endpoint, struct channel_event *event)
{
    g_autofree char *category = channel_json_text(pricing, "category"), *type = channel_json_text(pricing, "type");
    g_autofree char *key = category ? g_strconcat("price_", category, NULL) : NULL;
    const char *price = key ? channel_setting(endpoint, key) : NULL;
    const char *currency = channel_setting(endpoint, "price_currency");

    if (!json_is_object(pricing))
        return;
    if (json_is_false(json_object_get(pricing, "billable")) || (type && g_str_has_prefix(type, "free")))
        event->cost = 0;
    else if (price)
        event->cost = channel_amount(price);
    if (event->cost >= 0)
        event->currency = g_strdup(currency ? currency : "USD");
}

static void add_status(const struct whatsapp_walk *walk, const json_t *item)
{
    static const char *const whom[] = {"recipient_id", "recipient_user_id", NULL};
    g_autofree char *word = channel_json_text(item, "status"), *id = channel_json_text(item, "id");
    g_autofree char *raw = first_text(item, whom), *group = channel_json_text(item, "group_id");
    g_autofree char *prefix = g_strdup_printf("status:%s:", word ? word : "");
    struct channel_event *event = channel_event_new();

    event->kind = CHANNEL_EVENT_STATUS;
    event->note = g_strdup(word ? word : "status");
    event->status = whatsapp_status(word);
    event->opt_identifier = whatsapp_identifier(raw);
    event->recipient = group ? g_strdup(event->opt_identifier) : NULL;
    event->key = key_of(prefix, group ? NULL : id, item);
    event->lane = g_strdup(id ? id : event->key);
    event->provider_id = g_steal_pointer(&id);
    event->attempt_id = channel_json_text(item, "biz_opaque_callback_data");
    event->at = channel_json_epoch(item, "timestamp");
    read_price(json_object_get(item, "pricing"), walk->endpoint, event);
    if (event->status == CHANNEL_STATUS_FAILED) {
        whatsapp_error(json_array_get(json_object_get(item, "errors"), 0), &event->error_code, &event->error_text);
        if (!event->error_code)
            event->error_code = g_strdup("failed");
    }
    event->body = cut_body(walk, "statuses", item, NULL);
    g_ptr_array_add(walk->events, event);
}

/* ---- Lists that we do not know ---- */

/* Somebody did something by it: a call, or what comes tomorrow. */
static void add_strange(const struct whatsapp_walk *walk, const char *list, const json_t *item)
{
    static const char *const senders[] = {"from", "wa_id", "from_user_id", "user_id", NULL};
    static const char *const kinds[] = {"type", "event", "action_type", NULL};
    g_autofree char *from = first_text(item, senders), *kind = first_text(item, kinds);
    const json_t *contact = contact_of(walk->value, from, from);
    struct ump_message *message;

    if (!from || whatsapp_same_digits(from, walk->endpoint->address)) {
        add_other(walk, list, item, kind ? kind : list);
        return;
    }
    message = new_message(walk, item);
    message->direction = UMP_INBOUND;
    message->type = UMP_MESSAGE_UNKNOWN;
    message->sender.address = whatsapp_identifier(from);
    message->sender.name = name_of(contact);
    message->native_type = kind ? g_strdup_printf("%s: %s", list, kind) : g_strdup(list);
    g_ptr_array_add(message->recipients, ump_party_new(walk->endpoint->address, NULL));
    if (!message->external_id)
        message->external_id = key_of("other:", NULL, item);
    push_message(walk, message, list, item, contact, list);
}

/* ---- Templates ---- */

/* {event: "APPROVED", message_template_name, message_template_language, message_template_id} */
static bool add_template(const struct whatsapp_walk *walk)
{
    g_autofree char *name = channel_json_text(walk->value, "message_template_name");
    g_autofree char *status = channel_json_text(walk->value, "event");
    struct channel_event *event;

    if (!name || !status)
        return false;
    event = channel_event_new();
    event->kind = CHANNEL_EVENT_TEMPLATE;
    event->key = key_of("template:", NULL, walk->value);
    event->lane = g_strdup(event->key);
    event->note = g_strdup(walk->field);
    event->template_name = g_steal_pointer(&name);
    event->template_language = channel_json_text(walk->value, "message_template_language");
    event->template_id = channel_json_text(walk->value, "message_template_id");
    event->template_status = g_ascii_strdown(status, -1);
    g_ptr_array_add(walk->events, event);
    return true;
}

/* ---- The walk ---- */

static const struct {
    const char *list;
    void (*add)(const struct whatsapp_walk *walk, const json_t *item);
} lists[] = {
    {"messages", add_message}, {"message_echoes", add_echo}, {"statuses", add_status},
    {"groups", add_group},     {"user_id_update", add_user_id},   {"user_actions", add_action},
    {"user_preferences", add_preference},
};

static bool is_known(const char *list)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        if (strcmp(lists[i].list, list) == 0)
            return true;
    return false;
}

void whatsapp_walk_value(const struct whatsapp_walk *walk)
{
    guint before = walk->events->len;
    const json_t *item, *list;
    const char *key;
    json_t *value;
    size_t i;

    for (size_t l = 0; l < G_N_ELEMENTS(lists); l++) {
        bool strange = false; /* what is no object has the body kept, once */
        list = json_object_get(walk->value, lists[l].list);
        json_array_foreach(list, i, item) {
            if (json_is_object(item))
                lists[l].add(walk, item);
            else if (!strange)
                add_other(walk, NULL, item, lists[l].list);
            strange = strange || !json_is_object(item);
        }
    }
    json_object_foreach((json_t *)(uintptr_t)walk->value, key, value)
        if (json_is_array(value) && !is_known(key) && strcmp(key, "contacts") != 0)
            json_array_foreach(value, i, item)
                if (json_is_object(item))
                    add_strange(walk, key, item);
    if (walk->events->len == before && !add_template(walk))
        add_other(walk, NULL, walk->value, walk->field);
}

size_t whatsapp_count_items(const json_t *value)
{
    size_t count = 1;
    const char *key;
    json_t *list;

    json_object_foreach((json_t *)(uintptr_t)value, key, list)
        if (json_is_array(list) && strcmp(key, "contacts") != 0)
            count += MAX(json_array_size(list), 1) - 1;
    return count;
}
