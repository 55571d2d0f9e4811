/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message of the network, of whatever kind, as the message model says it.  What has no form of
 * its own there becomes readable text; what is not known stays UMP_MESSAGE_UNKNOWN with every text
 * that it holds, and the network's word for it.
 */
#include "bridge/channels/whatsapp.h"

#include <string.h>

#include "core/hmac.h"

static void read_text(const json_t *body, struct ump_message *message)
{
    message->type = UMP_MESSAGE_TEXT;
    message->text = channel_json_text(body, "body");
}

/* ---- Media ---- */

/* "SfInY0gG…", or hex → hex; NULL when it is no SHA-256. */
static char *hash_of(const json_t *body)
{
    g_autofree char *text = channel_json_text(body, "sha256");
    guint8 digest[32];

    if (text && strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64)
        return g_ascii_strdown(text, -1);
    if (!text || !channel_base64(text, digest, sizeof digest))
        return NULL;
    return hmac_hex(digest, sizeof digest);
}

static void read_media(const struct whatsapp_walk *walk, const json_t *body, struct ump_message *message)
{
    struct ump_media *media = ump_media_new();
    char *semicolon;

    message->type = UMP_MESSAGE_MEDIA;
    message->text = channel_json_text(body, "caption");
    media->type = channel_json_text(body, "mime_type");
    if (media->type && (semicolon = strchr(media->type, ';')) != NULL) /* "audio/ogg; codecs=opus" */
        *semicolon = '\0';
    media->name = channel_json_text(body, "filename");
    media->sha256 = hash_of(body);
    media->voice = json_is_true(json_object_get(body, "voice"));
    media->url = walk->media_url(body, walk->endpoint);
    if (!media->url)
        media->error = g_strdup("the provider did not say where it is");
    g_ptr_array_add(message->media, media);
}

static void read_sticker(const struct whatsapp_walk *walk, const json_t *body, struct ump_message *message)
{
    struct ump_media *media;

    read_media(walk, body, message);
    media = message->media->pdata[0];
    if (!media->name)
        media->name = g_strdup(media->type && strcmp(media->type, "image/webp") != 0 ? "sticker" : "sticker.webp");
    if (!message->text)
        message->text = g_strdup(json_is_true(json_object_get(body, "animated")) ? "Sticker (animated)" : "Sticker");
}

/* ---- Places and people ---- */

static void read_location(const json_t *body, struct ump_message *message)
{
    message->type = UMP_MESSAGE_LOCATION;
    message->location.set = whatsapp_number(body, "latitude", &message->location.latitude) &&
                            whatsapp_number(body, "longitude", &message->location.longitude);
    message->location.name = channel_json_text(body, "name");
    message->location.address = channel_json_text(body, "address");
    message->text = channel_json_text(body, "url");
}

static char *card_name(const json_t *name)
{
    static const char *const parts[] = {"first_name", "middle_name", "last_name", NULL};
    char *formatted = channel_json_text(name, "formatted_name");

    return formatted ? formatted : channel_json_words(name, parts);
}

static char *make_vcard(const json_t *contact, const char *shown)
{
    static const char *const names[] = {"last_name", "first_name", "middle_name", "prefix", "suffix", NULL};
    static const char *const org[] = {"company", "department", NULL}, *const title[] = {"title", NULL};
    static const char *const phone[] = {"phone", NULL}, *const email[] = {"email", NULL}, *const url[] = {"url", NULL};
    static const char *const address[] = {"", "", "street", "city", "state", "zip", "country", NULL};
    static const char *const birthday[] = {"birthday", NULL};
    const json_t *name = json_object_get(contact, "name"), *work = json_object_get(contact, "org");
    GString *out = g_string_new("BEGIN:VCARD\nVERSION:3.0\nFN:");

    channel_vcard_text(out, shown ? shown : "unnamed");
    g_string_append_c(out, '\n');
    channel_vcard_fields(out, "N", name, names);
    channel_vcard_fields(out, "ORG", work, org);
    channel_vcard_fields(out, "TITLE", work, title);
    channel_vcard_list(out, "TEL", json_object_get(contact, "phones"), phone);
    channel_vcard_list(out, "EMAIL", json_object_get(contact, "emails"), email);
    channel_vcard_list(out, "ADR", json_object_get(contact, "addresses"), address);
    channel_vcard_list(out, "URL", json_object_get(contact, "urls"), url);
    channel_vcard_fields(out, "BDAY", contact, birthday);
    g_string_append(out, "END:VCARD\n");
    return g_string_free(out, FALSE);
}

static void read_contacts(const json_t *list, struct ump_message *message)
{
    const json_t *contact;
    size_t i;

    message->type = UMP_MESSAGE_CONTACT;
    json_array_foreach(list, i, contact) {
        g_autofree char *name = card_name(json_object_get(contact, "name"));
        channel_add_card(message, name, json_object_get(contact, "phones"), "phone", make_vcard(contact, name));
    }
}

/* ---- Answers to what we offered ---- */

static void read_button(const json_t *body, struct ump_message *message)
{
    message->type = UMP_MESSAGE_INTERACTIVE;
    message->text = channel_json_text(body, "text");
    if (!message->text)
        message->text = channel_json_text(body, "payload");
}

/* The answers of a form: {"name": "value", …} as JSON in a string. */
static void add_form(GString *out, const json_t *reply)
{
    const char *text = json_string_value(json_object_get(reply, "response_json"));
    json_t *form = NULL, *value;
    const char *key;

    if (text)
        channel_json_load(text, strlen(text), &form, NULL);
    json_object_foreach(form, key, value) {
        g_autofree char *shown = channel_value_text(value);
        if (shown && strcmp(key, "flow_token") != 0)
            channel_add_line(out, "%s: %s", key, shown);
    }
    if (!json_is_object(form) && text)
        channel_add_line(out, "%s", text);
    json_decref(form);
}

static void add_text(GString *out, const json_t *object, const char *key, const char *before)
{
    g_autofree char *text = channel_json_text(object, key);

    if (text)
        channel_add_line(out, "%s%s", before, text);
}

/* Items of a list: {title, description}. */
static void add_rows(GString *out, const json_t *section)
{
    const json_t *row;
    size_t i;

    add_text(out, section, "title", "");
    json_array_foreach(json_object_get(section, "rows"), i, row) {
        g_autofree char *title = channel_json_text(row, "title"), *more = channel_json_text(row, "description");
        if (title)
            channel_add_line(out, "- %s%s%s", title, more ? ": " : "", more ? more : "");
    }
}

/* What our own side offers from its phone: a question with buttons, a list, an address. */
static void add_offer(GString *out, const json_t *body)
{
    const json_t *action = json_object_get(body, "action"), *item;
    const json_t *address = json_object_get(action, "parameters");
    size_t i;

    add_text(out, json_object_get(body, "header"), "text", "");
    add_text(out, json_object_get(body, "body"), "text", "");
    add_text(out, json_object_get(body, "footer"), "text", "");
    json_array_foreach(json_object_get(action, "buttons"), i, item)
        add_text(out, json_object_get(item, "reply"), "title", "- ");
    json_array_foreach(json_object_get(action, "sections"), i, item)
        add_rows(out, item);
    add_text(out, address, "display_text", "- ");
    add_text(out, address, "url", "");
}

/* The name of a template that was sent, and what stood in its places. */
static void read_template(const json_t *body, struct ump_message *message)
{
    g_autofree char *name = channel_json_text(body, "name");
    const json_t *component, *parameter;
    GString *text = g_string_new(NULL);
    size_t i, k;

    message->type = UMP_MESSAGE_INTERACTIVE;
    message->native_type = g_strdup("template");
    channel_add_line(text, "Template %s", name ? name : "without a name");
    json_array_foreach(json_object_get(body, "components"), i, component)
        json_array_foreach(json_object_get(component, "parameters"), k, parameter)
            add_text(text, parameter, "text", "- ");
    channel_take_text(message, text);
}

static void read_interactive(const json_t *body, struct ump_message *message)
{
    g_autofree char *kind = channel_json_text(body, "type");
    const json_t *reply = kind ? json_object_get(body, kind) : NULL;
    static const char *const keys[] = {"title", "description", "body", NULL};
    GString *text = g_string_new(NULL);

    message->type = UMP_MESSAGE_INTERACTIVE;
    message->native_type = g_strdup(kind);
    for (const char *const *key = keys; *key; key++) {
        g_autofree char *line = channel_json_text(reply, *key);
        if (line)
            channel_add_line(text, "%s", line);
    }
    add_form(text, reply);
    if (text->len == 0) {
        g_autofree char *id = channel_json_text(reply, "id");
        if (id)
            channel_add_line(text, "%s", id);
        add_offer(text, body);
    }
    channel_take_text(message, text);
}

static void read_order(const json_t *body, struct ump_message *message)
{
    g_autofree char *catalog = channel_json_text(body, "catalog_id"), *words = channel_json_text(body, "text");
    GString *text = g_string_new(NULL);
    const json_t *item;
    size_t i;

    message->type = UMP_MESSAGE_INTERACTIVE;
    message->native_type = g_strdup("order");
    channel_add_line(text, "Order%s%s:", catalog ? " from the catalog " : "", catalog ? catalog : "");
    json_array_foreach(json_object_get(body, "product_items"), i, item) {
        g_autofree char *product = channel_json_text(item, "product_retailer_id");
        g_autofree char *currency = channel_json_text(item, "currency");
        double price = 0;
        gint64 quantity = channel_json_int(item, "quantity");
        bool priced = whatsapp_number(item, "item_price", &price);
        channel_add_line(text, "%" G_GINT64_FORMAT " × %s", MAX(quantity, 1), product ? product : "unnamed product");
        if (priced)
            g_string_append_printf(text, " at %.2f %s", price, currency ? currency : "");
    }
    if (words)
        channel_add_line(text, "%s", words);
    channel_take_text(message, text);
}

/* ---- About other messages ---- */

static void read_reaction(const json_t *body, struct ump_message *message)
{
    message->type = UMP_MESSAGE_REACTION;
    message->reaction = channel_json_text(body, "emoji");
    message->reaction_removed = !message->reaction;
    message->reply_to_external_id = channel_json_text(body, "message_id");
}

static char *original_of(const json_t *body)
{
    char *id = channel_json_text(body, "original_message_id");

    return id ? id : channel_json_text(body, "message_id");
}

/* The message as it now is stands within. */
static void read_edit(const json_t *body, struct ump_message *message)
{
    const json_t *now = json_object_get(body, "message");
    g_autofree char *kind = channel_json_text(now, "type");
    const json_t *inner = kind ? json_object_get(now, kind) : NULL;

    message->type = UMP_MESSAGE_EDIT;
    message->edited = true;
    g_free(message->reply_to_external_id);
    message->reply_to_external_id = original_of(body);
    message->text = channel_json_text(inner, "body");
    if (!message->text)
        message->text = channel_json_text(inner, "caption");
    if (!message->text)
        message->text = channel_json_text(body, "body");
}

static void read_revoke(const json_t *body, struct ump_message *message)
{
    message->type = UMP_MESSAGE_DELETE;
    g_free(message->reply_to_external_id);
    message->reply_to_external_id = original_of(body);
}

/* ---- The network itself ---- */

static void read_system(const json_t *body, struct ump_message *message)
{
    g_autofree char *kind = channel_json_text(body, "type"), *id = channel_json_text(body, "wa_id");

    if (!id)
        id = channel_json_text(body, "new_wa_id");
    if (!id)
        id = channel_json_text(body, "user_id");
    message->type = UMP_MESSAGE_GROUP_EVENT;
    message->native_type = g_strdup(kind ? kind : "system");
    message->text = channel_json_text(body, "body");
    if (!message->text)
        message->text = g_strdup_printf("WhatsApp says: %s", message->native_type);
    if (id && message->sender.address) {
        g_free(message->sender.alias);
        message->sender.alias = whatsapp_identifier(id);
    }
}

static void read_unknown(const json_t *object, const json_t *body, const char *kind, struct ump_message *message)
{
    static const char *const keys[] = {"body", "text", "title", "caption", "description", "url", "type", NULL};
    const json_t *error = json_array_get(json_object_get(object, "errors"), 0);
    g_autofree char *code = NULL, *words = NULL;
    GString *text = g_string_new(NULL);

    message->type = UMP_MESSAGE_UNKNOWN;
    message->native_type = g_strdup(kind);
    for (const char *const *key = keys; *key; key++) {
        g_autofree char *line = channel_json_text(body, *key);
        if (line)
            channel_add_line(text, "%s", line);
    }
    if (whatsapp_error(error, &code, &words) && words)
        channel_add_line(text, "%s", words);
    channel_take_text(message, text);
}

/* ---- What stands beside any kind ---- */

static void put_before(struct ump_message *message, const char *line)
{
    char *text = g_strconcat(line, message->text ? "\n" : "", message->text, NULL);

    g_free(message->text);
    message->text = text;
}

static void read_context(const json_t *context, struct ump_message *message)
{
    const json_t *product = json_object_get(context, "referred_product");
    g_autofree char *catalog = channel_json_text(product, "catalog_id");
    g_autofree char *id = channel_json_text(product, "product_retailer_id");

    if (!message->reply_to_external_id)
        message->reply_to_external_id = channel_json_text(context, "id");
    if (id) {
        g_autofree char *line = g_strdup_printf("[About the product %s of the catalog %s]", id, catalog ? catalog : "?");
        put_before(message, line);
    }
    if (json_is_true(json_object_get(context, "frequently_forwarded")))
        put_before(message, "[Forwarded many times]");
    else if (json_is_true(json_object_get(context, "forwarded")))
        put_before(message, "[Forwarded]");
}

/* Who clicked an advertisement writes about it. */
static void read_referral(const json_t *referral, struct ump_message *message)
{
    g_autofree char *headline = channel_json_text(referral, "headline"), *url = channel_json_text(referral, "source_url");
    g_autofree char *line = NULL;

    if (!headline && !url)
        return;
    line = g_strdup_printf("[From the advertisement %s%s%s]", headline ? headline : "", headline && url ? ", " : "",
                           url ? url : "");
    put_before(message, line);
}

static bool is_carried(const struct ump_message *message)
{
    return message->type == UMP_MESSAGE_TEXT || message->type == UMP_MESSAGE_MEDIA || message->type == UMP_MESSAGE_LOCATION ||
           message->type == UMP_MESSAGE_CONTACT || message->type == UMP_MESSAGE_INTERACTIVE;
}

static void read_body(const struct whatsapp_walk *walk, const json_t *object, const json_t *body, const char *kind,
                      struct ump_message *message)
{
    static const struct {
        const char *kind;
        void (*read)(const json_t *body, struct ump_message *message);
    } plain[] = {
        {"text", read_text},         {"location", read_location}, {"contacts", read_contacts}, {"button", read_button},
        {"interactive", read_interactive}, {"order", read_order}, {"reaction", read_reaction}, {"edit", read_edit},
        {"revoke", read_revoke},     {"system", read_system},     {"template", read_template},
    };
    static const char *const media[] = {"image", "video", "audio", "voice", "document", NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
        if (strcmp(plain[i].kind, kind) == 0 && (json_is_object(body) || json_is_array(body))) {
            plain[i].read(body, message);
            return;
        }
    if (g_strv_contains(media, kind) && json_is_object(body)) {
        read_media(walk, body, message);
        if (strcmp(kind, "voice") == 0)
            ((struct ump_media *)message->media->pdata[0])->voice = true;
    } else if (strcmp(kind, "sticker") == 0 && json_is_object(body)) {
        read_sticker(walk, body, message);
    } else if (strcmp(kind, "request_welcome") == 0) {
        message->type = UMP_MESSAGE_INTERACTIVE;
        message->native_type = g_strdup(kind);
        message->text = g_strdup("The person has opened the chat for the first time.");
    } else {
        read_unknown(object, body, kind, message);
    }
}

void whatsapp_read_kind(const struct whatsapp_walk *walk, const json_t *object, struct ump_message *message)
{
    g_autofree char *kind = channel_json_text(object, "type");

    if (!kind)
        kind = g_strdup(json_is_object(json_object_get(object, "text")) ? "text" : "unknown");
    read_body(walk, object, json_object_get(object, kind), kind, message);
    if (!is_carried(message))
        return;
    read_referral(json_object_get(object, "referral"), message);
    read_context(json_object_get(object, "context"), message);
}
