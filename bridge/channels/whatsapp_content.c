/* SPDX-License-Identifier: Apache-2.0 */
/* What a message to WhatsApp says: {"type", "<type>": {…}, "context"}, by whichever provider it goes. */
#include "bridge/channels/whatsapp.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

#define KB G_GINT64_CONSTANT(1000)
#define MB (1000 * KB)

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(object, key, json_string(text));
}

/* ---- Media ---- */

static const struct {
    const char *type, *kind;
    gint64 max;
    bool caption;
} kinds[] = {
    {"image/jpeg", "image", 5 * MB, true},   {"image/png", "image", 5 * MB, true},
    {"video/mp4", "video", 16 * MB, true},   {"video/3gpp", "video", 16 * MB, true},
    {"audio/aac", "audio", 16 * MB, false},  {"audio/mp4", "audio", 16 * MB, false},
    {"audio/mpeg", "audio", 16 * MB, false}, {"audio/amr", "audio", 16 * MB, false},
    {"audio/ogg", "audio", 16 * MB, false},  {"image/webp", "sticker", 100 * KB, false},
};

const char *whatsapp_media_kind(const struct ump_media *media, bool with_text)
{
    for (size_t i = 0; media->type && i < G_N_ELEMENTS(kinds); i++)
        if (g_ascii_strcasecmp(kinds[i].type, media->type) == 0)
            return media->size <= kinds[i].max && (kinds[i].caption || !with_text) ? kinds[i].kind : "document";
    return "document"; /* takes everything */
}

/* In characters or octets, as the provider counts. */
static int check_caption(const char *text, const struct channel_endpoint *endpoint, GError **error)
{
    const struct channel_capabilities *can = channel_capabilities_of(endpoint->ops, endpoint->channel);
    bool octets = can && can->text_in_octets;
    size_t length = octets ? strlen(text) : (size_t)g_utf8_strlen(text, -1);

    if (!can || can->max_caption == 0 || length <= can->max_caption)
        return 0;
    g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "with an attachment the text may have %u %s", can->max_caption,
                octets ? "bytes" : "characters");
    return -1;
}

static int put_media(const struct channel_send *send, const struct channel_endpoint *endpoint, json_t *body, GError **error)
{
    const struct ump_message *message = send->message;
    const struct ump_media *media = message->media->pdata[0];
    bool with_text = message->text && *message->text;
    const char *kind = whatsapp_media_kind(media, with_text);
    json_t *object = json_object();

    if (send->media_ids)
        set_text(object, "id", send->media_ids[0]);
    else
        set_text(object, "link", send->media_urls[0]);
    if (with_text)
        set_text(object, "caption", message->text);
    if (strcmp(kind, "document") == 0)
        set_text(object, "filename", media->name && *media->name ? media->name : "file");
    json_object_set_new(body, "type", json_string(kind));
    json_object_set_new(body, kind, object);
    return with_text ? check_caption(message->text, endpoint, error) : 0;
}

/* ---- Templates ---- */

/* Neither line breaks and tabs nor more than four spaces in a row are allowed in a variable. */
static char *one_line(const char *text)
{
    GString *out = g_string_new(NULL);
    bool line = false, space = false;

    for (const char *p = text; *p; p++) {
        if (*p == '\n' || *p == '\r') {
            line = true;
        } else if (*p == ' ' || *p == '\t') {
            space = true;
        } else {
            if (out->len > 0 && (line || space))
                g_string_append(out, line ? " / " : " ");
            line = space = false;
            g_string_append_c(out, *p);
        }
    }
    return g_string_free(out, FALSE);
}

/* "body.1" → component and name. */
static json_t *component_of(json_t *components, const char *place, const char **name)
{
    const char *dot = strchr(place, '.');
    g_autofree char *type = dot ? g_strndup(place, (gsize)(dot - place)) : g_strdup("body");
    json_t *component, *last = json_array_get(components, json_array_size(components) - 1);

    *name = dot ? dot + 1 : place;
    if (g_strcmp0(json_string_value(json_object_get(last, "type")), type) == 0)
        return json_object_get(last, "parameters");
    component = json_pack("{s:s, s:[]}", "type", type, "parameters");
    json_array_append_new(components, component);
    return json_object_get(component, "parameters");
}

static void put_template(const struct channel_template *template, json_t *body)
{
    json_t *components = json_array();
    json_t *object = json_pack("{s:s, s:{s:s}}", "name", template->name, "language", "code",
                               template->language ? template->language : "en_US");

    for (guint i = 0; template->places && template->places[i] && template->variables[i]; i++) {
        const char *name;
        json_t *parameters = component_of(components, template->places[i], &name);
        g_autofree char *value = one_line(template->variables[i]);
        json_t *parameter = json_pack("{s:s, s:s}", "type", "text", "text", value);
        if (!g_ascii_isdigit(*name))
            json_object_set_new(parameter, "parameter_name", json_string(name));
        json_array_append_new(parameters, parameter);
    }
    if (json_array_size(components) > 0)
        json_object_set(object, "components", components);
    json_decref(components);
    json_object_set_new(body, "type", json_string("template"));
    json_object_set_new(body, "template", object);
}

/* ---- A message ---- */

static int put_reaction(const struct channel_send *send, json_t *body, GError **error)
{
    const struct ump_message *message = send->message;
    const char *emoji = message->reaction && *message->reaction ? message->reaction : message->text;

    if (!send->reply_to_provider_id)
        return channel_refuse(error, "the message that you reacted to is not one of this conversation on WhatsApp");
    json_object_set_new(body, "type", json_string("reaction"));
    json_object_set_new(body, "reaction", json_pack("{s:s, s:s}", "message_id", send->reply_to_provider_id, "emoji",
                                                    message->reaction_removed || !emoji ? "" : emoji));
    return 0;
}

int whatsapp_put_content(const struct channel_send *send, const struct channel_endpoint *endpoint, json_t *body,
                         GError **error)
{
    const struct ump_message *message = send->message;
    struct channel_send counted = *send;

    if (message->text && !g_utf8_validate(message->text, -1, NULL))
        return channel_refuse(error, "the text is not valid Unicode");
    if (send->template) {
        put_template(send->template, body);
        return 0;
    }
    if (message->type == UMP_MESSAGE_REACTION)
        return put_reaction(send, body, error);
    if (!counted.media_urls)
        counted.media_urls = send->media_ids;
    if (channel_check_limits(&counted, endpoint, error) < 0)
        return -1;
    if (send->reply_to_provider_id)
        json_object_set_new(body, "context", json_pack("{s:s}", "message_id", send->reply_to_provider_id));
    if (message->media->len > 0 && counted.media_urls)
        return put_media(send, endpoint, body, error);
    json_object_set_new(body, "type", json_string("text"));
    json_object_set_new(body, "text", json_pack("{s:s}", "body", message->text));
    return 0;
}
