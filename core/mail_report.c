/* SPDX-License-Identifier: Apache-2.0 */
/* Mail that the gateway writes by itself, see mail_report.h. */
#include "core/mail_report.h"

#include <string.h>

#include "core/mail_clean.h"
#include "core/mail_flow.h"
#include "core/mail_header.h"
#include "core/mail_write.h"
#include "core/utf8_text.h"

enum { SUBJECT_COLUMNS = 76, EXCERPT_COLUMNS = 44, ORIGINAL_MAX = 65536, DIGEST_LINES = 200 };

static const struct {
    const char *word;    /* Action: */
    const char *kind;    /* of the Message-ID */
    const char *subject; /* in front of the original subject */
} actions[] = {
    [MAIL_REPORT_FAILED] = {"failed", "dsn-failed", "Not delivered"},
    [MAIL_REPORT_DELAYED] = {"delayed", "dsn-delayed", "Perhaps not delivered"},
    [MAIL_REPORT_DELIVERED] = {"delivered", "dsn-delivered", "Delivered"},
    [MAIL_REPORT_RELAYED] = {"relayed", "dsn-relayed", "Sent"},
};

const char mail_report_unknown_reason[] =
    "There is no answer of the provider's, so it is not known whether the message was sent.";
const char mail_report_unknown_advice[] =
    "Answer this mail with the word resend to send it again (the recipient may then get it twice), or with cancel to "
    "leave it.";

char *mail_report_message_id(const char *id, const char *kind, const char *domain)
{
    g_autofree char *word = g_strdup(kind);
    g_strcanon(word, "abcdefghijklmnopqrstuvwxyz0123456789-", '-');
    return g_strdup_printf("<ump.%s.%s@%s>", id, word, domain);
}

static char *boundary_of(const struct mail_report_context *context, const char *kind)
{
    g_autofree char *seed = g_strdup_printf("%s/%s", context->id, kind);
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, seed, -1);
    return g_strdup_printf("=_ump-%.32s", digest);
}

static void write_thread(GString *out, const struct mail_report_context *context)
{
    const char *parent = context->original_id ? context->original_id : context->anchor;
    bool both = context->anchor && context->original_id && strcmp(context->anchor, context->original_id) != 0;
    const char *const references[] = {both ? context->anchor : parent, both ? context->original_id : NULL, NULL};
    if (!parent)
        return;
    mail_write_message_id(out, "In-Reply-To", parent);
    mail_write_message_ids(out, "References", references);
}

/* The fields that all kinds share, up to and without Content-Type. */
static GString *begin_mail(const struct mail_report_context *context, const char *kind, const char *from_name, const char *subject)
{
    GString *out = g_string_sized_new(4096);
    g_autofree char *postmaster = g_strdup_printf("postmaster@notice.%s", context->domain);
    g_autofree char *id = mail_report_message_id(context->id, kind, context->domain);
    g_autofree char *line = mail_clean_line(subject, 0);
    g_autofree char *cut = utf8_cut(line, SUBJECT_COLUMNS);
    const char *from = context->from_address ? context->from_address : postmaster;
    mail_write_date(out, "Date", context->at);
    mail_write_address(out, "From", from_name, from);
    if (context->from_address)
        mail_write_address(out, "Reply-To", from_name, from);
    mail_write_address(out, "To", context->to_name, context->to_address);
    mail_write_text(out, "Subject", cut);
    mail_write_message_id(out, "Message-ID", id);
    write_thread(out, context);
    mail_write_structured(out, "Auto-Submitted", "auto-generated");
    mail_write_structured(out, "UMP-Loop", context->hostname ? context->hostname : context->domain);
    if (context->conversation_id)
        mail_write_structured(out, "UMP-Conversation-ID", context->conversation_id);
    mail_write_structured(out, "MIME-Version", "1.0");
    return out;
}

static void write_lines(GString *out, const char *text)
{
    for (const char *p = text; *p != '\0';) {
        gsize len = strcspn(p, "\n");
        gsize bare = len > 0 && p[len - 1] == '\r' ? len - 1 : len;
        g_string_append_len(out, p, (gssize)bare);
        g_string_append(out, "\r\n");
        p += len + (p[len] == '\n');
    }
}

/* A text part in the encoding that it needs. */
static void write_text(GString *out, const char *type, const char *text)
{
    bool plain = mail_text_is_7bit(text) && !strstr(text, "=_ump-");
    mail_write_structured(out, "Content-Type", type);
    mail_write_structured(out, "Content-Transfer-Encoding", plain ? "7bit" : "quoted-printable");
    g_string_append(out, "\r\n");
    if (plain)
        write_lines(out, text);
    else
        mail_write_quoted_printable(out, text, strlen(text));
}

static void write_flowed(GString *out, const char *text)
{
    g_autofree char *valid = utf8_valid(text, -1);
    g_autofree char *flowed = mail_flow(valid);
    write_text(out, "text/plain; charset=utf-8; format=flowed; delsp=yes", flowed);
}

static char *short_subject(const struct mail_report_context *context, const char *word)
{
    g_autofree char *line = mail_clean_line(context->original_subject, 0);
    g_autofree char *cut = utf8_cut(line, EXCERPT_COLUMNS);
    return cut[0] ? g_strdup_printf("%s: %s", word, cut) : g_strdup(word);
}

static bool is_original_field_hidden(const struct mail_field *field, void *unused)
{
    (void)unused;
    return mail_field_is(field, "UMP-Stamp") || mail_field_is(field, "Bcc");
}

/* The header block of the user's mail, without what nobody else is to see. */
static char *original_headers(const struct mail_report_context *context)
{
    gsize len = context->original_len > 0 ? context->original_len : strlen(context->original);
    g_auto(mail_header) header = {0};
    mail_header_scan(&header, context->original, len);
    g_auto(mail_header) only = {0};
    mail_header_scan(&only, context->original, MIN(header.header_len, (gsize)ORIGINAL_MAX));
    g_autoptr(GBytes) kept = mail_header_rewrite(&only, NULL, is_original_field_hidden, NULL);
    gsize size;
    const char *data = g_bytes_get_data(kept, &size);
    g_autofree char *valid = utf8_valid(data, (gssize)size);
    GString *text = g_string_new(NULL);
    for (const char *p = valid; *p != '\0'; p++) /* CRLF and bare CR → LF */
        if (*p != '\r')
            g_string_append_c(text, *p);
        else if (p[1] != '\n')
            g_string_append_c(text, '\n');
    return g_string_free(text, FALSE);
}

static void begin_report(GString *out, const char *boundary, const char *type)
{
    g_autofree char *value = g_strdup_printf("multipart/report; report-type=%s", type);
    mail_write_param(out, "Content-Type", value, "boundary", boundary);
    g_string_append_printf(out, "\r\n--%s\r\n", boundary);
}

static void end_report(GString *out, const struct mail_report_context *context, const char *boundary)
{
    if (context->original) {
        g_autofree char *headers = original_headers(context);
        g_string_append_printf(out, "\r\n--%s\r\n", boundary);
        write_text(out, "text/rfc822-headers; charset=utf-8", headers);
    }
    g_string_append_printf(out, "\r\n--%s--\r\n", boundary);
}

static void write_typed(GString *out, const char *field, const char *type, const char *value)
{
    if (!value)
        return;
    g_autofree char *typed = g_strdup_printf("%s;%s", type, value);
    mail_write_structured(out, field, typed);
}

static void write_recipient(GString *out, const struct mail_report_recipient *recipient)
{
    g_string_append(out, "\r\n");
    if (recipient->original && strchr(recipient->original, ';'))
        mail_write_structured(out, "Original-Recipient", recipient->original);
    else
        write_typed(out, "Original-Recipient", "rfc822", recipient->original);
    write_typed(out, "Final-Recipient", "rfc822", recipient->recipient);
    mail_write_structured(out, "Action", actions[recipient->action].word);
    mail_write_structured(out, "Status", recipient->status ? recipient->status : "5.0.0");
    write_typed(out, "Remote-MTA", "dns", recipient->remote);
    if (recipient->diagnostic) {
        g_autofree char *line = mail_clean_line(recipient->diagnostic, 500);
        bool typed = strchr(line, ';') != NULL;
        bool known = g_ascii_strncasecmp(line, "smtp;", 5) == 0 || g_ascii_strncasecmp(line, "x-", 2) == 0;
        g_autofree char *value = g_strdup_printf("%s%s", known ? "" : typed ? "x-" : "x-provider; ", line);
        mail_write_structured(out, "Diagnostic-Code", value);
    }
    if (recipient->at > 0)
        mail_write_date(out, "Last-Attempt-Date", recipient->at);
    if (recipient->final_log_id)
        mail_write_structured(out, "Final-Log-ID", recipient->final_log_id);
}

static enum mail_report_action worst_of(const struct mail_report_recipient *recipients, gsize n)
{
    enum mail_report_action worst = MAIL_REPORT_RELAYED;
    for (gsize i = 0; i < n; i++)
        worst = MIN(worst, recipients[i].action);
    return worst;
}

static void append_segments(GString *text, const struct mail_report_recipient *recipient)
{
    if (recipient->segments > 0)
        g_string_append_printf(text, "\nLength: %u SMS.\n", recipient->segments);
}

static void append_parts(GString *text, const struct mail_report_recipient *recipient)
{
    g_autofree char *line = recipient->parts ? mail_clean_line(recipient->parts, 2000) : NULL;

    if (line)
        g_string_append_printf(text, "\nIt went out as several messages. %s\n", line);
}

/* One plain sentence first; then what to do. */
static void append_sentences(GString *text, const struct mail_report_recipient *recipients, gsize n, enum mail_report_action action)
{
    if (n == 1) {
        g_autofree char *reason = mail_clean_line(recipients[0].reason, 500);
        g_autofree char *address = mail_clean_line(recipients[0].recipient, 200);
        if (reason[0])
            g_string_append_printf(text, "To %s: %s\n", address, reason);
        else
            g_string_append_printf(text, "%s: %s\n", actions[action].subject, address);
        append_parts(text, &recipients[0]);
        if (recipients[0].advice)
            g_string_append_printf(text, "\n%s\n", recipients[0].advice);
        append_segments(text, &recipients[0]);
        return;
    }
    if (action == MAIL_REPORT_FAILED)
        g_string_append_printf(text, "Your message was not delivered to all of its %" G_GSIZE_FORMAT " recipients.\n", n);
    else
        g_string_append_printf(text, "%s: %" G_GSIZE_FORMAT " recipients.\n", actions[action].subject, n);
    for (gsize i = 0; i < MIN(n, (gsize)DIGEST_LINES); i++) {
        g_autofree char *reason = mail_clean_line(recipients[i].reason, 300), *address = mail_clean_line(recipients[i].recipient, 200);
        g_string_append_printf(text, "\n%s: %s\n", address, reason[0] ? reason : actions[recipients[i].action].word);
        append_parts(text, &recipients[i]);
        if (recipients[i].advice)
            g_string_append_printf(text, "%s\n", recipients[i].advice);
        append_segments(text, &recipients[i]);
    }
}

GBytes *mail_report_dsn(const struct mail_report_context *context, const struct mail_report_recipient *recipients, gsize n)
{
    enum mail_report_action action = worst_of(recipients, n);
    const char *kind = actions[action].kind;
    g_autofree char *subject = short_subject(context, actions[action].subject), *boundary = boundary_of(context, kind);
    GString *out = begin_mail(context, kind, "Message delivery", subject);
    begin_report(out, boundary, "delivery-status");
    g_autoptr(GString) text = g_string_new(NULL);
    append_sentences(text, recipients, n, action);
    write_flowed(out, text->str);
    g_string_append_printf(out, "\r\n--%s\r\n", boundary);
    mail_write_structured(out, "Content-Type", "message/delivery-status");
    g_string_append(out, "\r\n");
    write_typed(out, "Reporting-MTA", "dns", context->hostname ? context->hostname : context->domain);
    if (context->envid)
        mail_write_structured(out, "Original-Envelope-Id", context->envid);
    if (context->arrived > 0)
        mail_write_date(out, "Arrival-Date", context->arrived);
    for (gsize i = 0; i < n; i++)
        write_recipient(out, &recipients[i]);
    end_report(out, context, boundary);
    return g_string_free_to_bytes(out);
}

static const char preview_here[] = "This is what would go out:";
static const char preview_ask[] = "Answer with the one word\n\n    send\n\n"
                                  "to send it as it stands, with the word cancel to leave it unsent, or with the text "
                                  "that is to go out in its place.\n";
static const char preview_empty[] = "No text would go out. Answer this mail with the text that is to go out, or with the "
                                    "word cancel.\n";

static void append_held(GString *body, const char *recipient, const char *why)
{
    g_autofree char *to = mail_clean_line(recipient, 200), *reason = mail_clean_line(why, 300);

    g_string_append_printf(body, "Nothing has been sent to %s yet, because it is not certain what you wrote", to);
    g_string_append_printf(body, "%s%s.\n\n", reason[0] ? ": " : "", reason);
}

static void append_size(GString *body, const struct mail_report_held *held)
{
    if (held->attachments > 0)
        g_string_append_printf(body, "\nWith it: %u attachment%s.\n", held->attachments, held->attachments == 1 ? "" : "s");
    if (held->segments > 0)
        g_string_append_printf(body, "\nLength: %u SMS.\n", held->segments);
}

char *mail_report_frame(const char *recipient, const char *why)
{
    GString *text = g_string_new(NULL);

    append_held(text, recipient, why);
    g_string_append_printf(text, "%s\n%s%s%s\n%s\n", preview_here, preview_ask, preview_empty, mail_report_unknown_reason,
                           mail_report_unknown_advice);
    return g_string_free(text, FALSE);
}

GBytes *mail_report_preview(const struct mail_report_context *context, const struct mail_report_held *held)
{
    g_autofree char *subject = short_subject(context, "Please confirm");
    GString *out = begin_mail(context, "preview", "Message not sent yet", subject);
    g_autoptr(GString) body = g_string_new(NULL);

    append_held(body, held->recipient, held->why);
    if (held->text[0] != '\0' || held->attachments > 0) {
        g_string_append_printf(body, "%s\n", preview_here);
        if (held->text[0] != '\0')
            g_string_append_printf(body, "\n%s\n", held->text);
        append_size(body, held);
        g_string_append_printf(body, "\n%s", preview_ask);
    } else {
        g_string_append(body, preview_empty);
    }
    write_flowed(out, body->str);
    return g_string_free_to_bytes(out);
}

GBytes *mail_report_mdn(const struct mail_report_context *context, const char *recipient, gint64 read_at)
{
    g_autofree char *subject = short_subject(context, "Read"), *boundary = boundary_of(context, "mdn"), *to = mail_clean_line(recipient, 200);
    GString *out = begin_mail(context, "mdn", NULL, subject);
    begin_report(out, boundary, "disposition-notification");
    g_autofree char *body = g_strdup_printf("Your message to %s was read.\n", to);
    write_flowed(out, body);
    g_string_append_printf(out, "\r\n--%s\r\n", boundary);
    mail_write_structured(out, "Content-Type", "message/disposition-notification");
    g_string_append(out, "\r\n");
    g_autofree char *agent = g_strdup_printf("%s; ump", context->hostname ? context->hostname : context->domain);
    mail_write_structured(out, "Reporting-UA", agent);
    write_typed(out, "Final-Recipient", "rfc822", recipient);
    if (context->original_id)
        mail_write_message_id(out, "Original-Message-ID", context->original_id);
    mail_write_structured(out, "Disposition", "automatic-action/MDN-sent-automatically; displayed");
    if (read_at > 0)
        mail_write_date(out, "X-Read-Date", read_at);
    end_report(out, context, boundary);
    return g_string_free_to_bytes(out);
}

GBytes *mail_report_digest(const struct mail_report_context *context, const struct mail_report_recipient *recipients, gsize n)
{
    g_autofree char *subject = g_strdup_printf("%" G_GSIZE_FORMAT " messages were not delivered", n);
    GString *out = begin_mail(context, "digest", "Message delivery", subject);
    g_autoptr(GString) body = g_string_new(NULL);
    g_string_append_printf(body, "%" G_GSIZE_FORMAT " of your messages were not delivered.\n", n);
    for (gsize i = 0; i < MIN(n, (gsize)DIGEST_LINES); i++) {
        g_autofree char *reason = mail_clean_line(recipients[i].reason, 300), *address = mail_clean_line(recipients[i].recipient, 200);
        g_string_append_printf(body, "\n%s (%s): %s\n", address, recipients[i].status ? recipients[i].status : "5.0.0", reason);
    }
    if (n > DIGEST_LINES)
        g_string_append_printf(body, "\nand %" G_GSIZE_FORMAT " more.\n", n - DIGEST_LINES);
    write_flowed(out, body->str);
    return g_string_free_to_bytes(out);
}

GBytes *mail_report_notice(const struct mail_report_context *context, const char *kind, const char *subject, const char *text,
                           const struct mail_report_file *file)
{
    GString *out = begin_mail(context, kind, "Message gateway", subject);
    if (!file) {
        write_flowed(out, text);
        return g_string_free_to_bytes(out);
    }
    g_autofree char *boundary = boundary_of(context, kind);
    mail_write_param(out, "Content-Type", "multipart/mixed", "boundary", boundary);
    g_string_append_printf(out, "\r\n--%s\r\n", boundary);
    write_flowed(out, text);
    g_string_append_printf(out, "\r\n--%s\r\n", boundary);
    mail_write_structured(out, "Content-Type", file->type);
    mail_write_param(out, "Content-Disposition", "attachment", "filename", file->name);
    mail_write_structured(out, "Content-Transfer-Encoding", "base64");
    g_string_append(out, "\r\n");
    mail_write_base64(out, file->data, file->len);
    g_string_append_printf(out, "\r\n--%s--\r\n", boundary);
    return g_string_free_to_bytes(out);
}
