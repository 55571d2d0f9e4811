/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store "lmtp:": relay to Dovecot's LMTP server over kept connections.  RCPT is asked when our peer says RCPT, and
 * the transaction kept open for the content; it is used when the mail is the same for everybody in it, else given up
 * (RSET) for one transaction per group of recipients.
 */
#include "lmtp/store.h"

#include "core/lmtp_client.h"
#include "lmtp/reply.h"
#include "lmtp/turns.h"

struct relay {
    struct lmtp_client *client;
    struct turns *turns;
};

struct store_hold {
    struct lmtp_tx *tx;
    GPtrArray *rcpts; /* struct txn_recipient *, in the order in which tx has them */
};

static void *relay_open(const char *where, const struct store_options *options, GError **error)
{
    const struct lmtp_client_options client = {
        .address = where,
        .hostname = options->hostname,
        .max_connections = options->connections,
        .command_timeout_ms = options->timeout_ms,
        .final_timeout_ms = options->final_ms,
    };

    struct lmtp_client *made = lmtp_client_new(&client, error);
    if (!made)
        return NULL;
    struct relay *relay = g_new0(struct relay, 1);
    relay->client = made;
    relay->turns = turns_new();
    return relay;
}

static void relay_close(void *store)
{
    struct relay *relay = store;

    if (!relay)
        return;
    lmtp_client_free(relay->client);
    turns_free(relay->turns);
    g_free(relay);
}

static void relay_end(void *store, struct store_hold **hold)
{
    if (!*hold)
        return;
    lmtp_end((*hold)->tx);
    g_ptr_array_unref((*hold)->rcpts);
    g_clear_pointer(hold, g_free);
}

static bool is_ascii(const struct txn *txn, struct txn_recipient *const *rcpts, guint count)
{
    bool ascii = !txn->sender.utf8;

    for (guint i = 0; i < count; i++)
        ascii = ascii && !rcpts[i]->path.utf8;
    return ascii;
}

static struct store_hold *begin(struct lmtp_client *client, const struct txn *txn,
                                struct txn_recipient *const *rcpts, guint count)
{
    struct store_hold *hold = g_new0(struct store_hold, 1);
    const struct lmtp_envelope envelope = {
        .sender = txn->sender.address,
        .body_8bitmime = txn->sender.body == SMTP_BODY_8BITMIME || txn->sender.smtputf8,
        .smtputf8 = !is_ascii(txn, rcpts, count),
    };

    hold->tx = lmtp_begin(client, &envelope);
    hold->rcpts = g_ptr_array_new();
    return hold;
}

static void add(struct store_hold *hold, struct txn_recipient *const *rcpts, guint count)
{
    for (guint i = 0; i < count; i++) {
        const struct lmtp_rcpt rcpt = {.address = rcpts[i]->path.address};
        lmtp_add_rcpt(hold->tx, &rcpt);
        g_ptr_array_add(hold->rcpts, rcpts[i]);
    }
}

static void take_reply(struct txn_recipient *rcpt, const struct lmtp_reply *reply)
{
    g_autofree char *line = lmtp_reply_format(reply);

    txn_reply_take(rcpt, reply_clean(line));
}

static enum reply reply_of_error(const GError *error)
{
    return g_error_matches(error, LMTP_ERROR, LMTP_ERROR_ARGUMENT) ? REPLY_STORE_ADDRESS : REPLY_STORE_DOWN;
}

static void check_together(struct relay *relay, struct store_hold **hold, const struct txn *txn,
                           struct txn_recipient *const *rcpts, guint count, bool data_follows, GError **error)
{
    guint first = *hold ? (*hold)->rcpts->len : 0;
    int result;

    if (*hold) {
        add(*hold, rcpts, count);
        result = lmtp_send_more_rcpts((*hold)->tx, error);
    } else {
        *hold = begin(relay->client, txn, rcpts, count);
        add(*hold, rcpts, count);
        /* one recipient, one copy: nothing can part them any more, so DATA goes in the same write */
        result = lmtp_send_envelope((*hold)->tx, data_follows && count == 1 ? LMTP_WITH_DATA : LMTP_ENVELOPE_ONLY, error);
    }
    if (result < 0) {
        relay_end(relay, hold);
        return;
    }
    for (guint i = 0; i < count; i++) {
        const struct lmtp_rcpt_state *state = lmtp_rcpt((*hold)->tx, first + i);
        rcpts[i]->accepted = state->accepted;
        take_reply(rcpts[i], &state->reply);
    }
}

static void relay_check(void *store, struct store_hold **hold, const struct txn *txn,
                        struct txn_recipient *const *rcpts, guint count, bool data_follows)
{
    g_autoptr(GError) error = NULL;

    check_together(store, hold, txn, rcpts, count, data_follows, &error);
    if (!error)
        return;
    /* one address that the store cannot be told must not stop the others */
    if (count > 1 && reply_of_error(error) == REPLY_STORE_ADDRESS) {
        for (guint i = 0; i < count; i++) {
            relay_end(store, hold);
            relay_check(store, hold, txn, &rcpts[i], 1, false);
        }
        relay_end(store, hold);
        return;
    }
    for (guint i = 0; i < count; i++) {
        rcpts[i]->accepted = false;
        txn_reply(rcpts[i], reply_text(reply_of_error(error)));
    }
}

/* Is the transaction that is open one for exactly these? */
static bool covers(const struct store_hold *hold, struct txn_recipient *const *rcpts, guint count)
{
    guint at = 0;

    for (guint i = 0; i < hold->rcpts->len; i++) {
        struct txn_recipient *rcpt = g_ptr_array_index(hold->rcpts, i);
        if (!lmtp_rcpt(hold->tx, i)->accepted)
            continue;
        if (at == count || rcpts[at] != rcpt)
            return false;
        at++;
    }
    return at == count;
}

/* Reads the outcomes; the recipients that can be tried again are left in again. */
static void read_outcomes(struct store_hold *hold, GPtrArray *again)
{
    for (guint i = 0; i < hold->rcpts->len; i++) {
        struct txn_recipient *rcpt = g_ptr_array_index(hold->rcpts, i);
        const struct lmtp_rcpt_state *state = lmtp_rcpt(hold->tx, i);
        if (!rcpt->accepted)
            continue; /* was refused at RCPT */
        if (state->outcome == LMTP_REPLIED) {
            take_reply(rcpt, &state->reply);
        } else if (state->outcome == LMTP_AMBIGUOUS) {
            txn_reply(rcpt, reply_text(REPLY_STORE_LOST));
        } else {
            txn_reply(rcpt, reply_text(REPLY_STORE_DOWN));
            g_ptr_array_add(again, rcpt);
        }
    }
}

static void send_anew(struct relay *relay, const struct txn *txn, struct txn_recipient *const *rcpts,
                      guint count, const struct iovec *parts, size_t n_parts)
{
    struct store_hold *hold = begin(relay->client, txn, rcpts, count);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) again = g_ptr_array_new();

    add(hold, rcpts, count);
    if (lmtp_send_envelope(hold->tx, LMTP_WITH_DATA, &error) < 0) {
        for (guint i = 0; i < count; i++)
            txn_reply(rcpts[i], reply_text(reply_of_error(error)));
    } else {
        lmtp_send_data(hold->tx, parts, n_parts, NULL);
        read_outcomes(hold, again);
    }
    relay_end(relay, &hold);
}

static void relay_now(struct relay *relay, struct store_hold **hold, const struct txn *txn,
                      struct txn_recipient *const *rcpts, guint count, const struct iovec *parts, size_t n_parts)
{
    g_autoptr(GPtrArray) again = NULL;

    if (!*hold || !covers(*hold, rcpts, count)) {
        relay_end(relay, hold);
        send_anew(relay, txn, rcpts, count, parts, n_parts);
        return;
    }
    again = g_ptr_array_new();
    lmtp_send_data((*hold)->tx, parts, n_parts, NULL);
    read_outcomes(*hold, again);
    relay_end(relay, hold);
    if (again->len > 0) /* the connection was lost before anything of the mail was taken */
        send_anew(relay, txn, (struct txn_recipient *const *)again->pdata, again->len, parts, n_parts);
}

/* There are as many connections as sessions: who waits for his turn keeps nobody from his. */
static void relay_deliver(void *store, struct store_hold **hold, const struct txn *txn,
                          struct txn_recipient *const *rcpts, guint count, const struct iovec *parts, size_t n_parts)
{
    struct relay *relay = store;

    turns_take(relay->turns, rcpts, count);
    relay_now(relay, hold, txn, rcpts, count, parts, n_parts);
    turns_give(relay->turns, rcpts, count);
}

const struct store_ops store_lmtp = {"lmtp", relay_open, relay_close, relay_check, relay_deliver, relay_end};
