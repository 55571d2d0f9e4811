/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a composed mail, see mail_compose_text.h. */
#include "core/mail_compose_text.h"

#include <math.h>
#include <string.h>

#include "core/mail_clean.h"
#include "core/utf8_text.h"

enum { SUBJECT_COLUMNS = 60, EXCERPT_COLUMNS = 30 };

static const struct {
    const char *channel, *label;
} labels[] = {
    {"sms", "SMS"},   {"mms", "MMS"},     {"rcs", "RCS"}, {"whatsapp", "WhatsApp"}, {"signal", "Signal"},
    {"telegram", "Telegram"}, {"messenger", "Messenger"}, {"instagram", "Instagram"}, {"imessage", "iMessage"}, {"xmpp", "XMPP"},
    {"line", "LINE"},   {"viber", "Viber"},     {"matrix", "Matrix"}, {"slack", "Slack"},   {"discord", "Discord"},
};

char *mail_channel_label(const char *channel)
{
    for (guint i = 0; channel && i < G_N_ELEMENTS(labels); i++)
        if (g_ascii_strcasecmp(channel, labels[i].channel) == 0)
            return g_strdup(labels[i].label);
    char *label = mail_clean_line(channel && channel[0] ? channel : "chat", 20);
    label[0] = g_ascii_toupper(label[0]);
    return label;
}

static const struct {
    const char *prefix, *symbol, *word, *title, *extension;
} kinds[] = {
    {"image/jpeg", "📷", "picture", "Picture", "jpg"},   {"image/svg", "📷", "picture", "Picture", "svg"},
    {"image/", "📷", "picture", "Picture", NULL},      {"video/3gpp", "🎬", "video", "Video", "3gp"},
    {"video/", "🎬", "video", "Video", NULL},      {"audio/mpeg", "🎵", "recording", "Recording", "mp3"},
    {"audio/", "🎵", "recording", "Recording", NULL},    {"text/vcard", "👤", "contact card", "Contact card", "vcf"},
    {"text/x-vcard", "👤", "contact card", "Contact card", "vcf"}, {"text/plain", "📄", "document", "Document", "txt"},
    {"application/pdf", "📄", "document", "Document", "pdf"}, {"", "📄", "document", "Document", "bin"},
};

static guint kind_of(const struct ump_media *media)
{
    guint i = 0;
    while (kinds[i].prefix[0] && !(media->type && g_ascii_strncasecmp(media->type, kinds[i].prefix, strlen(kinds[i].prefix)) == 0))
        i++;
    return i;
}

const char *mail_compose_media_word(const struct ump_media *media)
{
    return media->voice ? "voice message" : kinds[kind_of(media)].word;
}

char *mail_compose_media_name(const struct ump_media *media, guint number)
{
    char *name = mail_clean_filename(media->name);
    if (name[0] != '\0')
        return name;
    g_free(name);
    guint kind = kind_of(media);
    g_autofree char *type = mail_clean_type(media->type);
    const char *subtype = strchr(type, '/') + 1;
    bool usable = strlen(subtype) <= 5 && strspn(subtype, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(subtype);
    g_autofree char *stem = g_strdelimit(g_strdup(mail_compose_media_word(media)), " ", '-');
    return g_strdup_printf("%s-%u.%s", stem, number, kinds[kind].extension ? kinds[kind].extension : usable ? subtype : "bin");
}

static const struct ump_party *partner_of(const struct ump_message *msg)
{
    if (msg->direction == UMP_OUTBOUND && msg->recipients->len > 0)
        return msg->recipients->pdata[0];
    return &msg->sender;
}

char *mail_compose_partner(const struct ump_message *msg)
{
    if (msg->group.id) {
        char *title = mail_clean_name(msg->group.title, NULL);
        if (title[0] != '\0')
            return title;
        g_free(title);
        return g_strdup("the group");
    }
    const struct ump_party *partner = partner_of(msg);
    char *name = mail_clean_name(partner->name, partner->address);
    if (name[0] != '\0')
        return name;
    g_free(name);
    return g_strdup("unknown");
}

static bool has_text(const char *text)
{
    return text && text[strspn(text, " \t\r\n")] != '\0';
}

/* “first words…” of a text, or NULL when there is none */
static char *excerpt(const char *text)
{
    if (!has_text(text))
        return NULL;
    g_autofree char *line = mail_clean_line(text, 0);
    g_autofree char *cut = utf8_cut(line, EXCERPT_COLUMNS);
    return cut[0] ? g_strdup_printf("“%s”", cut) : NULL;
}

static char *media_subject(const struct ump_message *msg)
{
    const struct ump_media *media = msg->media->pdata[0];
    guint kind = kind_of(media);
    g_autofree char *name = mail_clean_filename(media->name);
    const char *title = media->voice ? "Voice message" : kinds[kind].title;
    const char *symbol = media->voice ? "🎤" : kinds[kind].symbol;
    const char *shown = name[0] && !media->voice ? name : title;
    if (msg->media->len == 1)
        return g_strdup_printf("%s %s", symbol, shown);
    return g_strdup_printf("%s %s and %u more", symbol, shown, msg->media->len - 1);
}

static char *reaction_subject(const struct ump_message *msg, const struct mail_compose_context *context)
{
    g_autofree char *emoji = mail_clean_line(msg->reaction, 16);
    g_autofree char *target = excerpt(context->target_text);
    const char *symbol = emoji[0] ? emoji : "Reaction";
    if (msg->reaction_removed)
        return g_strdup_printf("Reaction %s taken back%s%s", emoji, target ? ": " : "", target ? target : "");
    return g_strdup_printf("%s to %s", symbol, target ? target : "a message");
}

static char *card_subject(const struct ump_message *msg)
{
    const struct ump_card *card = msg->cards->len > 0 ? msg->cards->pdata[0] : NULL;
    g_autofree char *name = mail_clean_name(card ? card->name : NULL, NULL);
    return g_strdup_printf("👤 Contact: %s", name[0] ? name : "unnamed");
}

static char *location_subject(const struct ump_message *msg)
{
    const char *place = has_text(msg->location.name) ? msg->location.name : msg->location.address;
    return g_strdup_printf("📍 Location%s%s", has_text(place) ? ": " : "", has_text(place) ? place : "");
}

/* Long before the cut: nobody reads a subject of a megabyte. */
static char *words_subject(const struct ump_message *msg, const struct mail_compose_context *context)
{
    const char *text = has_text(msg->subject) ? msg->subject : msg->text;
    switch (msg->type) {
    case UMP_MESSAGE_REACTION:
        return reaction_subject(msg, context);
    case UMP_MESSAGE_LOCATION:
        return location_subject(msg);
    case UMP_MESSAGE_CONTACT:
        return card_subject(msg);
    case UMP_MESSAGE_DELETE: {
        g_autofree char *target = excerpt(context->target_text);
        return g_strdup_printf("Deleted by the sender%s%s", target ? ": " : "", target ? target : "");
    }
    case UMP_MESSAGE_EDIT:
        return g_strdup_printf("Edited: %.2000s", text ? text : "");
    default:
        break;
    }
    if (has_text(text))
        return g_strdup(text);
    if (msg->media->len > 0)
        return media_subject(msg);
    return g_strdup(msg->type == UMP_MESSAGE_TEXT ? "(empty message)" : "Message of an unknown kind");
}

char *mail_compose_subject(const struct ump_message *msg, const struct mail_compose_context *context)
{
    g_autofree char *partner = mail_compose_partner(msg), *label = mail_channel_label(msg->channel), *subject = NULL;
    g_autofree char *own = mail_compose_message_id(msg->id ? msg->id : "", context->domain ? context->domain : "");
    bool is_anchor = !context->anchor || strcmp(context->anchor, own) == 0;
    switch (context->subject_style) {
    case MAIL_SUBJECT_STABLE:
        subject = g_strdup_printf("%sChat with %s", is_anchor ? "" : "Re: ", partner);
        break;
    case MAIL_SUBJECT_PRIVATE:
        subject = msg->direction == UMP_OUTBOUND ? g_strdup_printf("%s to %s", label, partner)
                             : g_strdup_printf("New %s from %s", label, partner);
        break;
    default:
        subject = words_subject(msg, context);
        break;
    }
    g_autofree char *line = mail_clean_line(subject, 0);
    return utf8_cut(line, SUBJECT_COLUMNS);
}

/* --- the text part --- */

/* Lines with LF, no NUL, no controls but tab. */
static void append_text(GString *out, const char *text)
{
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : g_strdup("");
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        guchar c = (guchar)*p;
        if (c == '\r')
            g_string_append(out, p[1] == '\n' ? "" : "\n");
        else if (c >= ' ' || c == '\n' || c == '\t') {
            gunichar u = c < 0x80 ? c : g_utf8_get_char(p);
            if (u == 0x2028 || u == 0x2029 || u == 0x85)
                g_string_append_c(out, '\n');
            else if (u != 0x7F && !(u >= 0x80 && u < 0xA0))
                g_string_append_len(out, p, g_utf8_next_char(p) - p);
        }
    }
}

static void append_number(GString *out, double number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append(out, g_ascii_formatd(text, sizeof text, "%.6f", isfinite(number) ? number : 0));
}

static void append_pair(GString *out, const char *before, const struct ump_location *at, const char *between)
{
    g_string_append(out, before);
    append_number(out, at->latitude);
    g_string_append(out, between);
    append_number(out, at->longitude);
}

static void append_location(GString *out, const struct ump_location *at)
{
    g_string_append(out, "Location");
    const char *lines[] = {at->name, at->address};
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        if (!has_text(lines[i]))
            continue;
        g_autofree char *line = mail_clean_line(lines[i], 300);
        g_string_append_printf(out, "%s%s", i == 0 ? ": " : "\n", line);
    }
    g_string_append_c(out, '\n');
    if (!at->set)
        return;
    append_pair(out, "geo:", at, ",");
    append_pair(out, "\nhttps://www.openstreetmap.org/?mlat=", at, "&mlon=");
    append_pair(out, "#map=16/", at, "/");
    g_string_append_c(out, '\n');
}

static void append_cards(GString *out, const GPtrArray *cards)
{
    for (guint i = 0; i < cards->len; i++) {
        const struct ump_card *card = cards->pdata[i];
        g_autofree char *name = mail_clean_name(card->name, NULL);
        g_string_append_printf(out, "Contact: %s\n", name[0] ? name : "unnamed");
        for (guint k = 0; k < card->phones->len; k++) {
            g_autofree char *phone = mail_clean_line(card->phones->pdata[k], 60);
            g_string_append_printf(out, "  %s\n", phone);
        }
    }
}

static void append_size(GString *out, gint64 size)
{
    if (size >= 1024 * 1024)
        g_string_append_printf(out, ", %" G_GINT64_FORMAT ".%d MB", size / 1048576, (int)(size % 1048576 * 10 / 1048576));
    else if (size >= 0)
        g_string_append_printf(out, ", %" G_GINT64_FORMAT " kB", (size + 1023) / 1024);
}

/* What could not be fetched is told in words, never silently left out. */
static void append_stubs(GString *out, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const struct ump_media *media = list->pdata[i];
        if (media->content)
            continue;
        g_autofree char *name = mail_compose_media_name(media, i + 1);
        g_autofree char *why = mail_clean_line(media->error ? media->error : "it could not be fetched", 200);
        if (out->len > 0)
            g_string_append_c(out, '\n');
        g_string_append_printf(out, "[Attachment unavailable: %s (%s", name, mail_compose_media_word(media));
        append_size(out, media->size);
        g_string_append_printf(out, "): %s]\n", why);
    }
}

static void append_reaction(GString *out, const struct ump_message *msg, const struct mail_compose_context *context)
{
    g_autofree char *emoji = mail_clean_line(msg->reaction, 16);
    g_autofree char *target = excerpt(context->target_text);
    const char *to = target ? target : "a message";
    if (msg->reaction_removed)
        g_string_append_printf(out, "The reaction %s to %s was taken back.\n", emoji, to);
    else
        g_string_append_printf(out, "Reaction to %s: %s\n", to, emoji);
}

static void append_kind(GString *out, const struct ump_message *msg, const struct mail_compose_context *context)
{
    switch (msg->type) {
    case UMP_MESSAGE_EDIT:
        g_string_append(out, "Edited message:\n\n");
        append_text(out, msg->text);
        break;
    case UMP_MESSAGE_DELETE:
        g_string_append(out, "A message was deleted by the sender.\n");
        break;
    case UMP_MESSAGE_LOCATION:
        append_location(out, &msg->location);
        append_text(out, msg->text);
        break;
    case UMP_MESSAGE_CONTACT:
        append_cards(out, msg->cards);
        append_text(out, msg->text);
        break;
    case UMP_MESSAGE_REACTION:
        append_reaction(out, msg, context);
        break;
    case UMP_MESSAGE_UNKNOWN: {
        g_autofree char *kind = mail_clean_line(msg->native_type, 60);
        g_string_append_printf(out, "This message is of a kind that cannot be shown here%s%s%s.\n", kind[0] ? " (" : "", kind,
                       kind[0] ? ")" : "");
        if (has_text(msg->text))
            g_string_append_c(out, '\n');
        append_text(out, msg->text);
        break;
    }
    default:
        append_text(out, msg->text);
        break;
    }
}

char *mail_compose_body(const struct ump_message *msg, const struct mail_compose_context *context)
{
    GString *out = g_string_sized_new(msg->text ? strlen(msg->text) + 64 : 64);
    if (has_text(msg->subject)) {
        g_autofree char *subject = mail_clean_line(msg->subject, 300);
        g_string_append_printf(out, "%s\n\n", subject);
    }
    append_kind(out, msg, context);
    if (out->len > 0 && out->str[out->len - 1] != '\n')
        g_string_append_c(out, '\n');
    append_stubs(out, msg->media);
    return g_string_free(out, FALSE);
}
