/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/mail.h"

#include <string.h>

#include "core/clock.h"
#include "core/mail_parse.h"
#include "core/policy.h"
#include "core/ump_header.h"

/* A bridged mail may wait for days and carries the time of its message: its age says nothing. */
#define BRIDGE_MAX_AGE (100LL * 365 * 24 * 3600)

static char *only_from(const struct mail_header *header)
{
    guint count = mail_header_count(header, "From");
    g_autofree char *value = NULL;
    char *address = NULL;

    if (count != 1)
        return NULL;
    value = mail_header_get(header, "From");
    return mail_from_check(value, count, &address) == MAIL_FROM_OK ? address : NULL;
}

static void verify(struct mail *mail, const struct txn *txn, const struct mail_context *context)
{
    g_autofree char *value = NULL, *ump_header = NULL, *conversation = NULL, *extra = NULL;
    struct stamp_expect expect = {
        .sender = txn->sender.address,
        .from = mail->from ? mail->from : "",
        .message_id = mail->message_id ? mail->message_id : "",
        .now = ump_clock_now_us() / CLOCK_SECOND,
        .max_age = context->stamp_max_age,
    };

    if (mail_header_count(&mail->header, STAMP_FIELD) != 1) {
        mail->stamp_result = mail_header_count(&mail->header, STAMP_FIELD) == 0 ? STAMP_MISSING : STAMP_MALFORMED;
        return;
    }
    value = mail_header_get(&mail->header, STAMP_FIELD);
    mail->stamp_result = stamp_verify(context->keys, value, strlen(value), &expect, &mail->stamp);
    if (mail->stamp_result == STAMP_OK && mail->stamp.kind == STAMP_MILTER) {
        mail->trust = MAIL_TRUST_MILTER;
        return;
    }
    /* of a bridge's stamp, the fields that it vouches for are part of what is MACed */
    ump_header = mail_header_get(&mail->header, UMP_HEADER_FIELD);
    conversation = mail_header_get(&mail->header, UMP_HEADER_CONVERSATION);
    extra = stamp_extra(ump_header, conversation);
    expect.extra = extra;
    expect.max_age = BRIDGE_MAX_AGE;
    stamp_clear(&mail->stamp);
    mail->stamp_result = stamp_verify(context->keys, value, strlen(value), &expect, &mail->stamp);
    if (mail->stamp_result == STAMP_OK && mail->stamp.kind == STAMP_BRIDGE) {
        mail->trust = MAIL_TRUST_BRIDGE;
        mail->conversation_id = g_steal_pointer(&conversation);
    }
}

/* "by HOST (Postfix, from userid N)\n\tid QUEUE; date" → "HOST/QUEUE"; NULL: unknown form. */
static char *local_txn(const char *received)
{
    g_auto(GStrv) words = g_strsplit_set(received, " \t\r\n;", -1);
    const char *host = NULL, *queue = NULL;

    for (char **w = words; *w && w[1] && !queue; w++) {
        if (!host && g_str_equal(*w, "by"))
            host = w[1];
        else if (host && g_str_equal(*w, "id"))
            queue = w[1];
    }
    return queue && *queue ? g_strconcat(host, "/", queue, NULL) : NULL;
}

/* XFORWARD names a client for all that came by SMTP, so that a Received of the author's own making is not believed
 * even where an administrator lets Postfix leave its own out. */
static void look_for_local_user(struct mail *mail, const struct txn *txn)
{
    g_autofree char *received = NULL;

    if (txn->forward.addr || txn->forward.ident || mail->stamp_result != STAMP_MISSING)
        return;
    received = mail_header_get(&mail->header, "Received");
    if (!received)
        return;
    mail->local_uid = policy_received_uid(received);
    mail->local_txn = mail->local_uid >= 0 ? local_txn(received) : NULL;
    if (!mail->local_txn)
        mail->local_uid = -1;
}

void mail_open(struct mail *mail, const struct content *content, const struct txn *txn,
               const struct mail_context *context)
{
    const struct mail_field *fields;

    memset(mail, 0, sizeof *mail);
    mail->data = content->data;
    mail->length = content->length;
    mail->stamp_result = STAMP_MISSING;
    mail_header_scan(&mail->header, mail->data, mail->length);
    fields = (const struct mail_field *)(const void *)mail->header.fields->data;
    for (guint i = 0; i < mail->header.fields->len && !mail->has_ump; i++)
        mail->has_ump = mail_field_drop_ump(&fields[i], NULL);
    mail->local_uid = -1;
    if (mail->has_ump) {
        mail->from = only_from(&mail->header);
        mail->message_id = mail_header_get(&mail->header, "Message-ID");
        verify(mail, txn, context);
    }
    look_for_local_user(mail, txn);
}

void mail_close(struct mail *mail)
{
    mail_header_clear(&mail->header);
    stamp_clear(&mail->stamp);
    g_free(mail->from);
    g_free(mail->message_id);
    g_free(mail->conversation_id);
    g_free(mail->local_txn);
    memset(mail, 0, sizeof *mail);
}

static bool dropped(const struct mail_field *field, enum mail_trust trust)
{
    if (!mail_field_drop_ump(field, NULL))
        return false;
    switch (trust) {
    case MAIL_TRUST_BRIDGE:
        return !mail_field_is(field, UMP_HEADER_FIELD) && !mail_field_is(field, UMP_HEADER_CONVERSATION) &&
               !mail_field_is(field, UMP_HEADER_PREFERENCE) && !mail_field_is(field, UMP_HEADER_LOOP);
    case MAIL_TRUST_MILTER:
        return !mail_field_is(field, UMP_HEADER_PREFERENCE) && !mail_field_is(field, UMP_HEADER_TEMPLATE) &&
               !mail_field_is(field, UMP_HEADER_FROM);
    case MAIL_TRUST_NONE:
        break;
    }
    return true;
}

static void push(GArray *pieces, const char *from, const char *to)
{
    struct iovec piece = {.iov_base = (char *)from, .iov_len = (size_t)(to - from)};

    if (to > from)
        g_array_append_val(pieces, piece);
}

void mail_pieces(const struct mail *mail, enum mail_trust trust, const char *top, GArray *pieces)
{
    const struct mail_field *fields = (const struct mail_field *)(const void *)mail->header.fields->data;
    static const char line_feed[] = "\n";
    const char *at = mail->data, *end = mail->data + mail->length;

    g_array_set_size(pieces, 0);
    push(pieces, top, top + strlen(top));
    for (guint i = 0; mail->has_ump && i < mail->header.fields->len; i++) {
        if (dropped(&fields[i], trust)) {
            push(pieces, at, fields[i].raw);
            /* it stood behind a bare CR: that must not meet the line end that follows now */
            if (fields[i].raw > at && fields[i].raw[-1] == '\r')
                push(pieces, line_feed, line_feed + 1);
            at = fields[i].raw + fields[i].raw_len;
        }
    }
    push(pieces, at, end);
}
