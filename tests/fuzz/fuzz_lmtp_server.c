/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LMTP session on any bytes: it ends, says only well-formed replies, ends every transaction that it began; and no
 * UMP-* field gets through to a mailbox without a stamp.
 */
#include "lmtp/session.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "lmtp/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct stamp_keys *keys;
static int open_transactions;

static void recipients(void *data, struct txn *txn, guint first, bool data_follows)
{
    if (!txn->handler_data)
        open_transactions++;
    txn->handler_data = &open_transactions;
    for (guint i = first; i < txn->rcpts->len; i++) {
        struct txn_recipient *rcpt = txn_rcpt(txn, i);
        rcpt->accepted = rcpt->path.local[0] != 'n';
        txn_reply(rcpt, rcpt->accepted ? "250 2.1.5 Ok" : "550 5.1.1 No");
    }
}

static void deliver(void *data, struct txn *txn, const struct content *content)
{
    const struct mail_context context = {keys, 3600};
    g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(struct iovec));
    g_autoptr(GString) whole = g_string_new(NULL);
    g_auto(mail_header) header = {0};
    struct mail mail;

    mail_open(&mail, content, txn, &context);
    g_assert_cmpint(mail.trust, ==, MAIL_TRUST_NONE);
    mail_pieces(&mail, mail.trust, "", pieces);
    for (guint i = 0; i < pieces->len; i++) {
        const struct iovec *piece = &g_array_index(pieces, struct iovec, i);
        g_string_append_len(whole, piece->iov_base, (gssize)piece->iov_len);
    }
    mail_header_scan(&header, whole->str, whole->len);
    for (guint i = 0; i < header.fields->len; i++)
        g_assert_false(mail_field_drop_ump(&g_array_index(header.fields, struct mail_field, i), NULL));
    mail_close(&mail);
    for (guint i = 0; i < txn->rcpts->len; i++)
        if (txn_rcpt(txn, i)->accepted)
            txn_reply(txn_rcpt(txn, i), "250 2.0.0 Ok");
}

static void end(void *data, struct txn *txn)
{
    if (txn->handler_data)
        open_transactions--;
    txn->handler_data = NULL;
}

static void check_replies(const GString *out)
{
    for (const char *p = out->str; *p;) {
        const char *line_end = strstr(p, "\r\n");
        g_assert_nonnull(line_end);
        g_assert_true(line_end - p >= 4 && p[0] >= '2' && p[0] <= '5' && g_ascii_isdigit(p[1]) && g_ascii_isdigit(p[2]));
        g_assert_true(p[3] == ' ' || p[3] == '-');
        p = line_end + 2;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct session_handler handler = {recipients, deliver, end};
    static const struct session_options options = {
        .hostname = "fuzz", .command_timeout = CLOCK_SECOND, .data_timeout = CLOCK_SECOND,
        .data_deadline = CLOCK_MINUTE, .write_timeout = CLOCK_SECOND, .max_size = 1 << 16, .memory_limit = 1 << 12,
        .max_recipients = 20,
    };
    g_autoptr(GString) out = g_string_new(NULL);
    struct io_memory memory = {(const char *)data, size, 0, size > 0 ? data[size - 1] % 8 : 0, out, false};
    struct io io = {&io_memory_ops, &memory};

    if (!keys)
        keys = stamp_keys_from_secret("k1", "0123456789abcdef0123456789abcdef", 32);
    session_run(&options, &handler, NULL, &io, NULL);
    g_assert_cmpint(open_transactions, ==, 0);
    check_replies(out);
    return 0;
}
