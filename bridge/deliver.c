/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/deliver.h"

#include <curl/curl.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/mail_header.h"
#include "core/mail_from.h"
#include "core/ump_header.h"

#define SMTP_TIMEOUT_S 60L

struct lmtp_client *deliver_client_new(struct bridge *bridge, unsigned connections, GError **error)
{
    const struct lmtp_client_options options = {
        .address = config_get_string(bridge->config, "inbound", "lmtp_socket"),
        .hostname = bridge->hostname,
        .max_connections = connections,
    };

    return lmtp_client_new(&options, error);
}

/* The line "UMP-Stamp: …": it vouches for the fields that ump-lmtp is to trust. */
static char *stamp_line(struct bridge *bridge, const struct mail_header *header, const char *id, gint64 account,
                        const char *sender, const char *recipient, gint64 at)
{
    g_autofree char *from_field = mail_header_get(header, "From");
    g_autofree char *message_id = mail_header_get(header, "Message-ID");
    g_autofree char *ump = mail_header_get(header, UMP_HEADER_FIELD);
    g_autofree char *conversation = mail_header_get(header, UMP_HEADER_CONVERSATION);
    g_autofree char *extra = stamp_extra(ump, conversation);
    g_autofree char *login = g_strdup_printf("%" G_GINT64_FORMAT, account);
    g_autofree char *from = NULL, *value = NULL;
    const char *const recipients[] = { recipient, NULL };
    gint64 now = ump_clock_now_us();

    if (!from_field || mail_from_check(from_field, 1, &from) != MAIL_FROM_OK)
        from = g_strdup("");
    const struct stamp stamp = {
        .kind = STAMP_BRIDGE,
        .txn = (char *)(uintptr_t)id,
        .time = MIN(at > 0 ? at : now, now) / CLOCK_SECOND,
        .login = login,
        .checked = true,
        .sender = (char *)(uintptr_t)sender,
        .from = from,
        .message_id = message_id ? message_id : (char *)(uintptr_t) "",
        .extra = extra,
    };
    value = stamp_sign(bridge->stamps, &stamp, recipients);
    return g_strdup_printf("%s: %s\r\n", STAMP_FIELD, value);
}

static void set_result(struct deliver_result *result, enum deliver_outcome outcome, bool unreachable, char *reply)
{
    *result = (struct deliver_result){ outcome, unreachable, reply };
}

/* The last word on the one recipient. */
static void judge(const struct lmtp_tx *tx, const GError *error, struct deliver_result *result)
{
    const struct lmtp_rcpt_state *state = lmtp_rcpt(tx, 0);

    if (state->outcome == LMTP_REPLIED && state->reply.code >= 200) {
        unsigned class = state->reply.code / 100;
        set_result(result, class == 2 ? DELIVERED : class == 5 ? DELIVER_REFUSED : DELIVER_LATER, false,
                   lmtp_reply_format(&state->reply));
        return;
    }
    if (error && g_error_matches(error, LMTP_ERROR, LMTP_ERROR_ARGUMENT))
        set_result(result, DELIVER_REFUSED, false, g_strdup(error->message));
    else
        set_result(result, DELIVER_LATER, true, g_strdup(error ? error->message : "no reply"));
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((guchar)*text >= 0x80)
            return false;
    return true;
}

void deliver_local(struct bridge *bridge, struct lmtp_client *client, GBytes *mail, const char *id, gint64 account,
                   const char *sender, const char *recipient, gint64 at, struct deliver_result *result)
{
    gsize size;
    const char *data = g_bytes_get_data(mail, &size);
    g_auto(mail_header) header;
    g_autofree char *stamp = NULL;
    g_autoptr(GError) error = NULL;
    const struct lmtp_rcpt rcpt = { .address = recipient };
    int sent;

    mail_header_scan(&header, data, size);
    stamp = stamp_line(bridge, &header, id, account, sender, recipient, at);
    const struct lmtp_envelope envelope = {
        .sender = sender,
        .size = size + strlen(stamp),
        .body_8bitmime = true,
        .smtputf8 = !is_ascii(sender) || !is_ascii(recipient),
    };
    const struct iovec parts[] = { { stamp, strlen(stamp) }, { (void *)(uintptr_t)data, size } };
    g_autoptr(lmtp_tx) tx = lmtp_begin(client, &envelope);
    lmtp_add_rcpt(tx, &rcpt);
    sent = lmtp_send_envelope(tx, LMTP_WITH_DATA, &error);
    if (sent == 0 && lmtp_accepted_count(tx) > 0)
        lmtp_send_data(tx, parts, G_N_ELEMENTS(parts), &error);
    judge(tx, error, result);
}

bool deliver_is_local(struct bridge *bridge, const char *address)
{
    const char *at = strrchr(address, '@');
    const char *const *domains = config_get_list(bridge->config, "gateway", "domains");

    for (gsize i = 0; at && domains[i]; i++)
        if (g_ascii_strcasecmp(at + 1, domains[i]) == 0)
            return true;
    return false;
}

/* --- SMTP --- */

struct upload {
    const char *data;
    gsize left;
};

static size_t read_mail(char *buffer, size_t size, size_t n, void *data)
{
    struct upload *upload = data;
    size_t length = MIN(size * n, upload->left);

    memcpy(buffer, upload->data, length);
    upload->data += length;
    upload->left -= length;
    return length;
}

void deliver_smtp(struct bridge *bridge, GBytes *mail, const char *recipient, struct deliver_result *result)
{
    g_autoptr(CURL) curl = curl_easy_init();
    g_autofree char *url =
        g_strdup_printf("smtp://%s/%s", config_get_string(bridge->config, "receipts", "smtp"), bridge->hostname);
    g_autofree char *to = g_strdup_printf("<%s>", recipient);
    g_autoptr(curl_slist) recipients = curl_slist_append(NULL, to);
    struct upload upload;
    long code = 0;
    CURLcode status;

    upload.data = g_bytes_get_data(mail, &upload.left);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, SMTP_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_mail);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
    status = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    if (status == CURLE_OK)
        set_result(result, DELIVERED, false, g_strdup_printf("%ld", code));
    else
        set_result(result, code >= 500 ? DELIVER_REFUSED : DELIVER_LATER, code == 0,
                   g_strdup_printf("%s (%ld)", curl_easy_strerror(status), code));
}
