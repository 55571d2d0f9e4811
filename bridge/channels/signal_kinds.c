/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message of the network (dataMessage, editMessage, what our own phone sent), of whatever kind, as
 * the message model says it.  What has no form of its own there becomes readable text; a kind that is
 * not known is shown as such.
 */
#include "bridge/channels/signal.h"

#include <string.h>

static void put_before(struct ump_message *message, const char *line)
{
    char *text = g_strconcat(line, message->text && *message->text ? "\n" : "", message->text, NULL);

    g_free(message->text);
    message->text = text;
}

static void read_text(const json_t *data, struct ump_message *message)
{
    g_autofree char *raw = channel_json_text(data, "message");

    if (raw)
        message->text = signal_text_in(raw, json_object_get(data, "mentions"), json_object_get(data, "textStyles"));
}

/* "1 week", "5 minutes". */
static char *period_text(gint64 seconds)
{
    static const struct {
        gint64 seconds;
        const char *word;
    } periods[] = {{604800, "week"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};

    for (gsize i = 0; i < G_N_ELEMENTS(periods); i++)
        if (seconds % periods[i].seconds == 0)
            return g_strdup_printf("%" G_GINT64_FORMAT " %s%s", seconds / periods[i].seconds, periods[i].word,
                                   seconds == periods[i].seconds ? "" : "s");
    return g_strdup("some time");
}

/* ---- References to other messages ---- */

/*
 * Whose message is meant.  Where a number is hidden and our own uuid is not set, a conversation of two tells: who
 * is not the other is we.
 */
static char *target_author(const json_t *object, const char *prefix, const struct channel_endpoint *endpoint,
                           const struct ump_message *message)
{
    static const char *const parts[] = {"Number", "Uuid", ""};
    g_autofree char *author = signal_author(object, prefix);
    const struct ump_party *other = message->direction == UMP_INBOUND ? &message->sender
                                    : message->recipients->len > 0   ? message->recipients->pdata[0]
                                                                      : NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *key = g_strconcat(prefix, parts[i], NULL), *raw = channel_json_text(object, key);
        g_autofree char *id = signal_identifier(raw);
        if (signal_is_own(endpoint, id))
            return g_strdup(endpoint->address);
    }
    if (author && !message->group.id && other && g_strcmp0(author, other->address) != 0 && g_strcmp0(author, other->alias) != 0)
        return g_strdup(endpoint->address);
    return g_steal_pointer(&author);
}

static void set_target(struct ump_message *message, gint64 stamp, char *author)
{
    g_free(message->reply_to_external_id);
    message->reply_to_external_id = signal_message_id(stamp, author);
    g_free(author);
}

/* Of the author of this very message. */
static void set_own_target(struct ump_message *message, gint64 stamp)
{
    const char *author = NULL;
    gint64 own;

    if (signal_message_id_split(message->external_id, &own, &author))
        set_target(message, stamp, g_strdup(author));
}

/* ---- Media ---- */

/* Where it is: the adapters ask for it by these words. */
static char *media_url(const char *id, const struct ump_message *message, const struct channel_endpoint *endpoint)
{
    g_autofree char *escaped = g_uri_escape_string(id, NULL, FALSE);
    const char *who = message->direction == UMP_INBOUND || message->recipients->len == 0
                          ? message->sender.address
                          : ((const struct ump_party *)message->recipients->pdata[0])->address;
    g_autofree char *place = g_uri_escape_string(message->group.id ? message->group.id : who, NULL, FALSE);

    return g_strdup_printf("%s/v1/attachments/%s?%s=%s", channel_base_url(endpoint), escaped,
                           message->group.id ? "group" : "recipient", place);
}

static void add_attachment(const json_t *item, const struct channel_endpoint *endpoint, struct ump_message *message)
{
    struct ump_media *media = ump_media_new();
    g_autofree char *id = channel_json_text(item, "id");
    gint64 size = channel_json_int(item, "size");

    media->type = channel_json_text(item, "contentType");
    media->name = channel_json_text(item, "filename");
    media->caption = channel_json_text(item, "caption");
    media->voice = signal_truth(item, "isVoiceNote") || signal_truth(item, "voiceNote");
    media->size = size >= 0 ? size : -1;
    if (id && strlen(id) <= 200)
        media->url = media_url(id, message, endpoint);
    else
        media->error = g_strdup("Signal did not say where it is");
    g_ptr_array_add(message->media, media);
}

static void read_attachments(const json_t *list, const struct channel_endpoint *endpoint, struct ump_message *message)
{
    const json_t *item;
    size_t i;

    message->type = UMP_MESSAGE_MEDIA;
    json_array_foreach(list, i, item)
        add_attachment(item, endpoint, message);
}

static void read_sticker(const json_t *sticker, const struct channel_endpoint *endpoint, struct ump_message *message)
{
    g_autofree char *pack = channel_json_text(sticker, "packId"), *emoji = channel_json_text(sticker, "emoji");
    gint64 id = channel_json_int(sticker, "stickerId");

    if (json_array_size(json_object_get(sticker, "attachments")) > 0) {
        read_attachments(json_object_get(sticker, "attachments"), endpoint, message);
    } else if (pack && id >= 0 && strlen(pack) == strspn(pack, "0123456789abcdefABCDEF") && endpoint->ops->parse_media) {
        struct ump_media *media = ump_media_new();
        media->name = g_strdup("sticker.webp");
        media->url = g_strdup_printf("%s/v1/sticker-packs/%s/%" G_GINT64_FORMAT, channel_base_url(endpoint), pack, id);
        g_ptr_array_add(message->media, media);
    }
    message->type = message->media->len > 0 ? UMP_MESSAGE_MEDIA : UMP_MESSAGE_INTERACTIVE;
    message->native_type = g_strdup("sticker");
    if (!message->text)
        message->text = emoji ? g_strdup_printf("Sticker %s", emoji) : g_strdup("Sticker");
}

/* ---- People ---- */

static char *card_name(const json_t *contact)
{
    static const char *const parts[] = {"prefix", "given", "middle", "family", "suffix", NULL};
    const json_t *name = json_object_get(contact, "name");
    char *shown = channel_json_words(name, parts);

    if (!shown)
        shown = channel_json_text(name, "nickname");
    return shown ? shown : channel_json_text(contact, "organization");
}

static char *make_vcard(const json_t *contact, const char *shown)
{
    static const char *const names[] = {"family", "given", "middle", "prefix", "suffix", NULL};
    static const char *const nickname[] = {"nickname", NULL}, *const org[] = {"organization", NULL};
    static const char *const value[] = {"value", NULL};
    static const char *const address[] = {"pobox", "", "street", "city", "region", "postcode", "country", NULL};
    GString *out = g_string_new("BEGIN:VCARD\nVERSION:3.0\nFN:");

    channel_vcard_text(out, shown ? shown : "unnamed");
    g_string_append_c(out, '\n');
    channel_vcard_fields(out, "N", json_object_get(contact, "name"), names);
    channel_vcard_fields(out, "NICKNAME", json_object_get(contact, "name"), nickname);
    channel_vcard_fields(out, "ORG", contact, org);
    channel_vcard_list(out, "TEL", json_object_get(contact, "phone"), value);
    channel_vcard_list(out, "EMAIL", json_object_get(contact, "email"), value);
    channel_vcard_list(out, "ADR", json_object_get(contact, "address"), address);
    g_string_append(out, "END:VCARD\n");
    return g_string_free(out, FALSE);
}

static void read_contacts(const json_t *list, struct ump_message *message)
{
    const json_t *contact;
    size_t i;

    message->type = UMP_MESSAGE_CONTACT;
    json_array_foreach(list, i, contact) {
        g_autofree char *name = card_name(contact);
        channel_add_card(message, name, json_object_get(contact, "phone"), "value", make_vcard(contact, name));
    }
}

/* ---- Polls, pins, payments ---- */

static void interactive(struct ump_message *message, const char *kind, GString *text)
{
    message->type = UMP_MESSAGE_INTERACTIVE;
    g_free(message->native_type);
    message->native_type = g_strdup(kind);
    if (message->text)
        channel_add_line(text, "%s", message->text);
    channel_take_text(message, text);
}

static void read_poll(const json_t *poll, struct ump_message *message)
{
    g_autofree char *question = channel_json_text(poll, "question");
    GString *text = g_string_new(NULL);
    const json_t *option;
    size_t i;

    channel_add_line(text, "Poll: %s", question ? question : "(no question)");
    json_array_foreach(json_object_get(poll, "options"), i, option) {
        g_autofree char *words = channel_value_text(option);
        channel_add_line(text, "%zu. %s", i + 1, words ? words : "?");
    }
    channel_add_line(text, "%s", signal_truth(poll, "allowMultiple") ? "(Several answers are allowed; vote in Signal.)"
                                                              : "(One answer is allowed; vote in Signal.)");
    interactive(message, "poll", text);
}

static void read_vote(const json_t *vote, struct ump_message *message)
{
    GString *text = g_string_new(NULL);
    const json_t *index;
    size_t i;

    channel_add_line(text, json_array_size(json_object_get(vote, "optionIndexes")) > 0 ? "Voted in the poll for" : "Took the vote in the poll back.");
    json_array_foreach(json_object_get(vote, "optionIndexes"), i, index) {
        gint64 number = json_is_integer(index) ? json_integer_value(index) : -1;
        if (number >= 0 && number < G_MAXINT32)
            g_string_append_printf(text, "%s option %" G_GINT64_FORMAT, i > 0 ? "," : "", number + 1);
    }
    interactive(message, "poll vote", text);
}

/* A key, what it is called, and the sentence that is shown for it. */
static const struct {
    const char *key, *kind, *sentence;
} notes[] = {
    {"pollTerminate", "poll ended", "The poll has ended."},
    {"pinMessage", "pin", "A message was pinned."},
    {"unpinMessage", "unpin", "A message is no longer pinned."},
    {"payment", "payment", "A payment was made; its amount is shown in Signal only."},
};

static bool read_note(const json_t *data, struct ump_message *message, const struct channel_endpoint *endpoint)
{
    for (gsize i = 0; i < G_N_ELEMENTS(notes); i++) {
        const json_t *object = json_object_get(data, notes[i].key);
        if (!json_is_object(object))
            continue;
        g_autofree char *note = channel_json_text(object, "note");
        gint64 stamp = signal_stamp(object, "targetSentTimestamp");
        GString *text = g_string_new(notes[i].sentence);
        if (note)
            channel_add_line(text, "%s", note);
        if (stamp > 0)
            set_target(message, stamp, target_author(object, "targetAuthor", endpoint, message));
        if (stamp > 0 && !message->reply_to_external_id)
            set_own_target(message, stamp);
        interactive(message, notes[i].kind, text);
        return true;
    }
    return false;
}

/* ---- About other messages ---- */

static void read_reaction(const json_t *reaction, const struct channel_endpoint *endpoint, struct ump_message *message)
{
    message->type = UMP_MESSAGE_REACTION;
    message->reaction = channel_json_text(reaction, "emoji");
    message->reaction_removed = signal_truth(reaction, "isRemove") || !message->reaction;
    set_target(message, signal_stamp(reaction, "targetSentTimestamp"), target_author(reaction, "targetAuthor", endpoint, message));
}

static void read_delete(const json_t *data, const struct channel_endpoint *endpoint, struct ump_message *message)
{
    const json_t *deleted = json_object_get(data, "remoteDelete"), *by_admin = json_object_get(data, "adminDelete");

    message->type = UMP_MESSAGE_DELETE;
    if (json_is_object(deleted))
        set_own_target(message, signal_stamp(deleted, "timestamp"));
    else
        set_target(message, signal_stamp(by_admin, "targetSentTimestamp"),
                   target_author(by_admin, "targetAuthor", endpoint, message));
}

static void read_quote(const json_t *quote, const struct channel_endpoint *endpoint, struct ump_message *message)
{
    gint64 stamp = signal_stamp(quote, "id");

    if (stamp > 0 && !message->reply_to_external_id)
        set_target(message, stamp, target_author(quote, "author", endpoint, message));
}

/* ---- The group, and how long messages live ---- */

static void read_expiration(gint64 seconds, struct ump_message *message)
{
    g_autofree char *period = period_text(seconds);

    message->type = UMP_MESSAGE_GROUP_EVENT;
    message->native_type = g_strdup("expiration");
    message->text = seconds > 0 ? g_strdup_printf("Messages of this conversation now disappear after %s.", period)
                                : g_strdup("Messages of this conversation no longer disappear.");
}

static void read_update(struct ump_message *message)
{
    message->type = UMP_MESSAGE_GROUP_EVENT;
    message->native_type = g_strdup("group update");
    message->text = message->group.title ? g_strdup_printf("The group “%s” has changed: its name, picture, settings or members.",
                                                           message->group.title)
                                         : g_strdup("The group has changed: its name, picture, settings or members.");
}

/*
 * Who sent it wants it gone after a time, and a mail stays (setting disappearing): "show" keeps it with a line that
 * says so, "expire" lets the mail go as well, "refuse" keeps that it came, and nothing of it.  When a message that is to
 * be viewed once has been viewed here nobody can tell: it expires by not being kept.
 */
static void apply_policy(const json_t *data, const struct channel_endpoint *endpoint, bool own, struct ump_message *message)
{
    gint64 seconds = channel_json_int(data, "expiresInSeconds");
    const char *policy = channel_setting(endpoint, "disappearing");
    bool once = signal_truth(data, "viewOnce"), expire = g_strcmp0(policy, "expire") == 0;
    bool refuse = (policy && !expire && strcmp(policy, "show") != 0) || (expire && once); /* also by a word that is not known */
    g_autofree char *period = period_text(MAX(seconds, 1)), *line = NULL;

    if ((seconds <= 0 && !once) || message->type == UMP_MESSAGE_REACTION || message->type == UMP_MESSAGE_DELETE ||
        message->type == UMP_MESSAGE_GROUP_EVENT)
        return;
    if (!refuse) {
        message->expires_after = expire ? seconds : 0;
        line = once ? g_strdup(own ? "[To be viewed once]" : "[The sender meant this to be viewed once]")
                    : g_strdup_printf("[Disappears from Signal%s after %s]", expire ? " and from here" : "", period);
        put_before(message, line);
        return;
    }
    if (message->type != UMP_MESSAGE_EDIT) {
        message->type = UMP_MESSAGE_INTERACTIVE;
        g_free(message->native_type);
        message->native_type = g_strdup("disappearing");
    }
    g_free(message->text);
    g_ptr_array_set_size(message->media, 0);
    g_ptr_array_set_size(message->cards, 0);
    message->text = once ? g_strdup("A message to be viewed once; it is not kept here. Read it in Signal.")
                         : g_strdup_printf("A message that disappears after %s; it is not kept here. Read it in Signal.", period);
}

/* ---- The kinds ---- */

/* What stands beside a message of any kind, or is no more than its wrapping. */
static bool is_frame(const char *key)
{
    static const char *const frame[] = {"timestamp", "message", "expiresInSeconds", "isExpirationUpdate", "viewOnce", "groupInfo",
        "quote", "mentions", "textStyles", "previews", "storyContext", "destination", "destinationNumber", "destinationUuid",
        "editMessage", NULL};

    return g_strv_contains(frame, key);
}

/* A kind of tomorrow: the key that holds it. */
static const char *strange_key(const json_t *data)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)data, key, value)
        if (!is_frame(key) && (json_is_object(value) || json_array_size(value) > 0))
            return key;
    return NULL;
}

static void read_unknown(const json_t *data, const char *key, struct ump_message *message)
{
    GString *text = g_string_new(NULL);
    const char *name;
    json_t *value;

    message->type = UMP_MESSAGE_UNKNOWN;
    message->native_type = g_strdup(key);
    if (message->text)
        channel_add_line(text, "%s", message->text);
    json_object_foreach(json_object_get(data, key), name, value) {
        g_autofree char *shown = channel_value_text(value);
        if (shown)
            channel_add_line(text, "%s: %s", name, shown);
    }
    channel_take_text(message, text);
}

static bool has_list(const json_t *data, const char *key)
{
    return json_array_size(json_object_get(data, key)) > 0;
}

static bool read_body(const json_t *data, const struct channel_endpoint *endpoint, struct ump_message *message)
{
    const char *strange;

    read_text(data, message);
    if (json_is_object(json_object_get(data, "reaction")))
        read_reaction(json_object_get(data, "reaction"), endpoint, message);
    else if (json_is_object(json_object_get(data, "remoteDelete")) || json_is_object(json_object_get(data, "adminDelete")))
        read_delete(data, endpoint, message);
    else if (json_is_object(json_object_get(data, "sticker")))
        read_sticker(json_object_get(data, "sticker"), endpoint, message);
    else if (json_is_object(json_object_get(data, "pollCreate")))
        read_poll(json_object_get(data, "pollCreate"), message);
    else if (json_is_object(json_object_get(data, "pollVote")))
        read_vote(json_object_get(data, "pollVote"), message);
    else if (has_list(data, "contacts"))
        read_contacts(json_object_get(data, "contacts"), message);
    else if (has_list(data, "attachments"))
        read_attachments(json_object_get(data, "attachments"), endpoint, message);
    else if (read_note(data, message, endpoint))
        return true;
    else if ((strange = strange_key(data)) != NULL)
        read_unknown(data, strange, message);
    else if (message->text)
        message->type = UMP_MESSAGE_TEXT;
    else
        return false;
    return true;
}

static void read_group(const json_t *data, struct ump_message *message)
{
    const json_t *group = json_object_get(data, "groupInfo");

    message->group.id = channel_json_text(group, "groupId");
    message->group.title = channel_json_text(group, "groupName");
}

static void read_story_context(const json_t *context, const struct channel_endpoint *endpoint, struct ump_message *message)
{
    g_autofree char *author = json_is_object(context) ? target_author(context, "author", endpoint, message) : NULL;

    if (author)
        put_before(message, signal_is_own(endpoint, author) ? "[About your story]" : "[About a story]");
}

static bool read_message(const json_t *data, const struct channel_endpoint *endpoint, bool own, struct ump_message *message,
                         const char **note)
{
    const json_t *group = json_object_get(data, "groupInfo");
    g_autofree char *group_type = channel_json_text(group, "type");
    bool any;

    read_group(data, message);
    if (signal_truth(data, "isExpirationUpdate")) {
        read_expiration(MAX(channel_json_int(data, "expiresInSeconds"), 0), message);
        return true;
    }
    any = read_body(data, endpoint, message);
    read_quote(json_object_get(data, "quote"), endpoint, message);
    read_story_context(json_object_get(data, "storyContext"), endpoint, message);
    if (any) {
        apply_policy(data, endpoint, own, message);
        return true;
    }
    if (message->group.id && (!group_type || g_ascii_strcasecmp(group_type, "DELIVER") != 0)) {
        read_update(message);
        return true;
    }
    *note = "nothing in it";
    return false;
}

bool signal_read_content(const json_t *data, const struct channel_endpoint *endpoint, bool own,
                         struct ump_message *message, const char **note)
{
    const json_t *inner = json_object_get(data, "dataMessage");
    gint64 target = signal_stamp(data, "targetSentTimestamp");

    if (!json_is_object(inner))
        return read_message(data, endpoint, own, message, note);
    if (!read_message(inner, endpoint, own, message, note)) /* edited to nothing */
        message->text = g_strdup("");
    if (message->type != UMP_MESSAGE_TEXT && message->type != UMP_MESSAGE_MEDIA && message->type != UMP_MESSAGE_INTERACTIVE &&
        message->text == NULL)
        message->text = g_strdup("");
    message->type = UMP_MESSAGE_EDIT;
    message->edited = true;
    g_ptr_array_set_size(message->media, 0); /* they came with the first form */
    set_own_target(message, target);
    return true;
}

void signal_read_story(const json_t *story, const struct channel_endpoint *endpoint, struct ump_message *message)
{
    const json_t *text = json_object_get(story, "textAttachment"), *file = json_object_get(story, "fileAttachment");

    message->text = channel_json_text(text, "text");
    message->type = UMP_MESSAGE_INTERACTIVE;
    message->native_type = g_strdup("story");
    if (json_is_object(file)) {
        add_attachment(file, endpoint, message);
        message->type = UMP_MESSAGE_MEDIA;
    }
    put_before(message, "[A story]");
}
