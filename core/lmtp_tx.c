/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction of the LMTP client: envelope, then content.
 *
 * Nothing before the final dot can make the server take the message, so everything up to it may be tried again
 * on another connection; after the last byte of the dot has been handed to the kernel, a missing reply leaves
 * the recipient in doubt. */
#include "core/lmtp_internal.h"

#include <string.h>

/* Commands in one write at most: the replies must fit into the server's send buffer while we write. */
#define MAX_PIPELINED 200
#define PIECES 512

struct rcpt {
    char *address, *notify, *orcpt;
    struct lmtp_rcpt_state state;
};

enum stage { STAGE_NEW, STAGE_ENVELOPE, STAGE_DATA, STAGE_DONE };

struct lmtp_tx {
    struct lmtp_client *client;
    struct lmtp_envelope envelope; /* strings borrowed until the envelope is sent */
    GArray *rcpts;                 /* of struct rcpt */
    guint said;                    /* of them: RCPT was said and answered */
    unsigned accepted;
    struct lmtp_reply mail_reply, data_reply;
    struct lmtp_conn *conn;
    enum stage stage;
    bool broken; /* the connection is in no known state */
};

/* What waits for its reply, in order. */
enum expected { EXPECT_ANY, EXPECT_MAIL, EXPECT_RCPT, EXPECT_DATA };

struct group {
    struct lmtp_tx *tx;
    GString *text;
    guint8 expected[MAX_PIPELINED];
    guint count;
    bool pipelining;
};

static struct rcpt *rcpt_at(const struct lmtp_tx *tx, guint i)
{
    return &g_array_index(tx->rcpts, struct rcpt, i);
}

static void rcpt_clear(void *data)
{
    struct rcpt *r = data;
    g_free(r->address);
    g_free(r->notify);
    g_free(r->orcpt);
    lmtp_reply_clear(&r->state.reply);
}

struct lmtp_tx *lmtp_begin(struct lmtp_client *client, const struct lmtp_envelope *envelope)
{
    struct lmtp_tx *tx = g_new0(struct lmtp_tx, 1);
    tx->client = client;
    tx->envelope = *envelope;
    tx->rcpts = g_array_new(FALSE, FALSE, sizeof(struct rcpt));
    g_array_set_clear_func(tx->rcpts, rcpt_clear);
    return tx;
}

void lmtp_add_rcpt(struct lmtp_tx *tx, const struct lmtp_rcpt *rcpt)
{
    struct rcpt r = { g_strdup(rcpt->address), g_strdup(rcpt->notify), g_strdup(rcpt->orcpt), { 0 } };
    g_array_append_val(tx->rcpts, r);
}

void lmtp_end(struct lmtp_tx *tx)
{
    if (!tx)
        return;
    if (tx->conn) {
        tx->conn->transactions++;
        tx->conn->needs_rset = tx->stage == STAGE_ENVELOPE;
        lmtp_pool_give(tx->client, tx->conn, !tx->broken && tx->stage != STAGE_DATA);
    }
    g_array_unref(tx->rcpts);
    lmtp_reply_clear(&tx->mail_reply);
    lmtp_reply_clear(&tx->data_reply);
    g_free(tx);
}

/* ---- what may be said ---- */

/* No control characters; outside of quotes neither space nor angle bracket. */
static bool path_is_sane(const char *path)
{
    bool quoted = false;
    for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
        if (*p < ' ' || *p == 0x7f)
            return false;
        if (*p == '\\' && quoted && p[1] >= ' ' && p[1] != 0x7f)
            p++;
        else if (*p == '"')
            quoted = !quoted;
        else if (!quoted && (*p == ' ' || *p == '<' || *p == '>'))
            return false;
    }
    return !quoted;
}

static bool value_is_sane(const char *value)
{
    for (const unsigned char *p = (const unsigned char *)value; p && *p; p++)
        if (*p <= ' ' || *p == 0x7f)
            return false;
    return true;
}

static int refuse(GError **error, const char *what)
{
    g_set_error_literal(error, LMTP_ERROR, LMTP_ERROR_ARGUMENT, what);
    return -1;
}

static int check(const struct lmtp_tx *tx, GError **error)
{
    const struct lmtp_envelope *e = &tx->envelope;
    if (tx->stage == STAGE_NEW &&
        ((e->sender && !path_is_sane(e->sender)) || !value_is_sane(e->ret) || !value_is_sane(e->envid)))
        return refuse(error, "the envelope sender or its parameters cannot be said in SMTP");
    for (guint i = tx->said; i < tx->rcpts->len; i++) {
        const struct rcpt *r = rcpt_at(tx, i);
        if (!r->address || !*r->address || !path_is_sane(r->address) || !value_is_sane(r->notify) ||
            !value_is_sane(r->orcpt))
            return refuse(error, "a recipient or its parameters cannot be said in SMTP");
    }
    return 0;
}

/* ---- a group of commands and its replies ---- */

static void take_rcpt_reply(struct lmtp_tx *tx, struct lmtp_reply *reply)
{
    struct rcpt *r = rcpt_at(tx, tx->said++);
    lmtp_reply_clear(&r->state.reply);
    r->state.reply = *reply;
    r->state.accepted = reply->code / 100 == 2;
    r->state.outcome = r->state.accepted ? LMTP_NOT_SENT : LMTP_REPLIED;
    tx->accepted += r->state.accepted;
    *reply = (struct lmtp_reply){ 0 };
}

static void keep_reply(struct lmtp_reply *kept, struct lmtp_reply *reply)
{
    lmtp_reply_clear(kept);
    *kept = *reply;
    *reply = (struct lmtp_reply){ 0 };
}

static int read_expected(struct lmtp_tx *tx, enum expected what, GError **error)
{
    struct lmtp_reply reply = { 0 };
    if (lmtp_conn_read(tx->conn, &reply, tx->client->options.command_timeout_ms, error) < 0)
        return -1;
    if (reply.code == 421) { /* the server leaves: nothing that it says next can be relied on */
        g_autofree char *text = lmtp_reply_format(&reply);
        lmtp_reply_clear(&reply);
        g_set_error(error, LMTP_ERROR, LMTP_ERROR_PROTOCOL, "%s", text);
        return -1;
    }
    if (what == EXPECT_MAIL)
        keep_reply(&tx->mail_reply, &reply);
    else if (what == EXPECT_RCPT)
        take_rcpt_reply(tx, &reply);
    else if (what == EXPECT_DATA)
        keep_reply(&tx->data_reply, &reply);
    lmtp_reply_clear(&reply);
    return 0;
}

static int flush_group(struct group *g, GError **error)
{
    struct iovec piece = { g->text->str, g->text->len };
    int64_t deadline = g_get_monotonic_time() + 1000LL * g->tx->client->options.command_timeout_ms;
    if (!g->count)
        return 0;
    if (lmtp_conn_write(g->tx->conn, &piece, 1, deadline, error) < 0)
        return -1;
    for (guint i = 0; i < g->count; i++)
        if (read_expected(g->tx, g->expected[i], error) < 0)
            return -1;
    g->count = 0;
    g_string_truncate(g->text, 0);
    return 0;
}

/* The command is complete in g->text. */
static int end_command(struct group *g, enum expected what, GError **error)
{
    g_string_append_len(g->text, "\r\n", 2);
    g->expected[g->count++] = (guint8)what;
    return !g->pipelining || g->count == MAX_PIPELINED ? flush_group(g, error) : 0;
}

/* ---- commands ---- */

/* xtext of RFC 3461, as XFORWARD has it. */
static void append_xtext(GString *out, const char *value)
{
    for (const unsigned char *p = (const unsigned char *)value; *p; p++)
        if (*p > ' ' && *p < 0x7f && *p != '+' && *p != '=')
            g_string_append_c(out, (char)*p);
        else
            g_string_append_printf(out, "+%02X", *p);
}

static int say_xforward(struct group *g, GError **error)
{
    const struct lmtp_envelope *e = &g->tx->envelope;
    const struct {
        unsigned flag;
        const char *name, *value;
    } attributes[] = {
        { XF_NAME, "NAME", e->xf_name },    { XF_ADDR, "ADDR", e->xf_addr }, { XF_PORT, "PORT", e->xf_port },
        { XF_PROTO, "PROTO", e->xf_proto }, { XF_HELO, "HELO", e->xf_helo }, { XF_IDENT, "IDENT", e->xf_ident },
        { XF_SOURCE, "SOURCE", e->xf_source },
    };
    gsize start = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(attributes); i++) {
        const char *value = attributes[i].value;
        if (!value || strlen(value) > 255 || !(g->tx->conn->xforward & attributes[i].flag))
            continue;
        if (start && g->text->len - start > 200) { /* a command has at most 512 bytes */
            start = 0;
            if (end_command(g, EXPECT_ANY, error) < 0)
                return -1;
        }
        if (!start) {
            g_string_append(g->text, "XFORWARD");
            start = g->text->len;
        }
        g_string_append_printf(g->text, " %s=", attributes[i].name);
        append_xtext(g->text, value);
    }
    return start ? end_command(g, EXPECT_ANY, error) : 0;
}

static int say_mail(struct group *g, GError **error)
{
    const struct lmtp_envelope *e = &g->tx->envelope;
    unsigned ext = g->tx->conn->extensions;
    if (e->smtputf8 && !(ext & LMTP_EXT_SMTPUTF8))
        return refuse(error, "the LMTP server does not take SMTPUTF8 mail");
    g_string_append_printf(g->text, "MAIL FROM:<%s>", e->sender ? e->sender : "");
    if (e->size && (ext & LMTP_EXT_SIZE))
        g_string_append_printf(g->text, " SIZE=%" G_GUINT64_FORMAT, e->size);
    if (e->body_8bitmime && (ext & LMTP_EXT_8BITMIME))
        g_string_append(g->text, " BODY=8BITMIME");
    if (e->smtputf8)
        g_string_append(g->text, " SMTPUTF8");
    if (e->ret && (ext & LMTP_EXT_DSN))
        g_string_append_printf(g->text, " RET=%s", e->ret);
    if (e->envid && (ext & LMTP_EXT_DSN))
        g_string_append_printf(g->text, " ENVID=%s", e->envid);
    return end_command(g, EXPECT_MAIL, error);
}

static int say_rcpts(struct group *g, GError **error)
{
    bool dsn = g->tx->conn->extensions & LMTP_EXT_DSN;
    for (guint i = g->tx->said; i < g->tx->rcpts->len; i++) {
        const struct rcpt *r = rcpt_at(g->tx, i);
        g_string_append_printf(g->text, "RCPT TO:<%s>", r->address);
        if (dsn && r->notify)
            g_string_append_printf(g->text, " NOTIFY=%s", r->notify);
        if (dsn && r->orcpt)
            g_string_append_printf(g->text, " ORCPT=%s", r->orcpt);
        if (end_command(g, EXPECT_RCPT, error) < 0)
            return -1;
    }
    return 0;
}

static int say_data(struct group *g, GError **error)
{
    g_string_append(g->text, "DATA");
    return end_command(g, EXPECT_DATA, error);
}

/* ---- phase 1 ---- */

/* A refused MAIL is everybody's answer, whatever RCPT was told. */
static void spread_mail_reply(struct lmtp_tx *tx)
{
    for (guint i = 0; i < tx->rcpts->len; i++) {
        struct lmtp_rcpt_state *s = &rcpt_at(tx, i)->state;
        lmtp_reply_clear(&s->reply);
        s->reply = tx->mail_reply;
        s->reply.text = g_strdup(tx->mail_reply.text);
        s->outcome = LMTP_REPLIED;
        s->accepted = false;
    }
    tx->accepted = 0;
    tx->said = tx->rcpts->len;
}

/* After DATA was answered. */
static void enter_data(struct lmtp_tx *tx)
{
    bool go_on = tx->data_reply.code == 354;
    tx->stage = go_on ? STAGE_DATA : STAGE_ENVELOPE;
    /* A server that wants content for nobody: the connection is given up (RFC 2033 4.2 has no word for it). */
    tx->broken = tx->broken || (go_on && !tx->accepted);
    if (go_on || !tx->accepted)
        return;
    for (guint i = 0; i < tx->rcpts->len; i++) {
        struct lmtp_rcpt_state *s = &rcpt_at(tx, i)->state;
        if (!s->accepted)
            continue;
        lmtp_reply_clear(&s->reply);
        s->reply = tx->data_reply;
        s->reply.text = g_strdup(tx->data_reply.text);
        s->outcome = LMTP_REPLIED;
    }
}

static int talk(struct group *g, enum lmtp_phase phase, GError **error)
{
    struct lmtp_tx *tx = g->tx;
    if (tx->conn->needs_rset) {
        g_string_append(g->text, "RSET");
        if (end_command(g, EXPECT_ANY, error) < 0)
            return -1;
        tx->conn->needs_rset = false;
    }
    if (say_xforward(g, error) < 0 || say_mail(g, error) < 0)
        return -1;
    tx->stage = STAGE_ENVELOPE;
    if (!g->pipelining && tx->mail_reply.code / 100 != 2)
        return 0;
    if (say_rcpts(g, error) < 0)
        return -1;
    if (phase == LMTP_WITH_DATA && (g->pipelining || tx->accepted) && say_data(g, error) < 0)
        return -1;
    return flush_group(g, error);
}

static void forget_answers(struct lmtp_tx *tx)
{
    for (guint i = 0; i < tx->rcpts->len; i++) {
        struct lmtp_rcpt_state *s = &rcpt_at(tx, i)->state;
        lmtp_reply_clear(&s->reply);
        *s = (struct lmtp_rcpt_state){ 0 };
    }
    tx->said = tx->accepted = 0;
    tx->stage = STAGE_NEW;
    lmtp_reply_clear(&tx->mail_reply);
    lmtp_reply_clear(&tx->data_reply);
}

static int try_envelope(struct lmtp_tx *tx, enum lmtp_phase phase, GError **error)
{
    struct group g = { .tx = tx, .text = g_string_sized_new(512) };
    g.pipelining = tx->conn->extensions & LMTP_EXT_PIPELINING;
    int r = talk(&g, phase, error);
    g_string_free(g.text, TRUE);
    if (r < 0)
        return -1;
    if (tx->mail_reply.code / 100 != 2)
        spread_mail_reply(tx);
    if (tx->data_reply.code)
        enter_data(tx);
    return 0;
}

int lmtp_send_envelope(struct lmtp_tx *tx, enum lmtp_phase phase, GError **error)
{
    g_assert(tx->stage == STAGE_NEW && !tx->conn);
    if (check(tx, error) < 0)
        return -1;
    for (int attempt = 0; attempt < 2; attempt++) {
        GError *failure = NULL;
        tx->conn = lmtp_pool_take(tx->client, attempt > 0, error);
        if (!tx->conn)
            return -1;
        if (try_envelope(tx, phase, &failure) == 0)
            return 0;
        bool lasting = failure->code == LMTP_ERROR_ARGUMENT;
        /* A kept connection that the server has closed meanwhile (perhaps with 421): a new one. */
        bool again = attempt == 0 && tx->conn->used && !lasting && failure->code != LMTP_ERROR_TIMEOUT;
        lmtp_pool_give(tx->client, tx->conn, lasting && !tx->conn->heard && tx->stage == STAGE_NEW);
        tx->conn = NULL;
        forget_answers(tx);
        if (!again) {
            g_propagate_error(error, failure);
            return -1;
        }
        g_clear_error(&failure);
    }
    g_assert_not_reached();
}

int lmtp_send_more_rcpts(struct lmtp_tx *tx, GError **error)
{
    g_assert(tx->conn && tx->stage == STAGE_ENVELOPE && !tx->broken && !tx->data_reply.code);
    if (check(tx, error) < 0)
        return -1;
    if (tx->mail_reply.code / 100 != 2) {
        spread_mail_reply(tx);
        return 0;
    }
    struct group g = { .tx = tx, .text = g_string_sized_new(256) };
    g.pipelining = tx->conn->extensions & LMTP_EXT_PIPELINING;
    int r = say_rcpts(&g, error) < 0 ? -1 : flush_group(&g, error);
    g_string_free(g.text, TRUE);
    tx->broken = r < 0;
    return r;
}

/* ---- phase 2 ---- */

static int ask_for_data(struct lmtp_tx *tx, GError **error)
{
    struct group g = { .tx = tx, .text = g_string_sized_new(16) };
    int r = say_data(&g, error); /* not pipelining: answered */
    g_string_free(g.text, TRUE);
    if (r == 0)
        enter_data(tx);
    return r;
}

static int send_content(struct lmtp_tx *tx, const struct iovec *parts, size_t count, GError **error)
{
    struct lmtp_encoder encoder;
    struct iovec pieces[PIECES];
    size_t n;
    int64_t deadline = g_get_monotonic_time() + 1000LL * tx->client->options.final_timeout_ms;
    lmtp_encoder_init(&encoder, parts, count);
    while ((n = lmtp_encoder_next(&encoder, pieces, PIECES)))
        if (lmtp_conn_write(tx->conn, pieces, n, deadline, error) < 0)
            return -1;
    return 0;
}

static int read_final(struct lmtp_tx *tx, GError **error)
{
    for (guint i = 0; i < tx->rcpts->len; i++)
        if (rcpt_at(tx, i)->state.accepted)
            rcpt_at(tx, i)->state.outcome = LMTP_AMBIGUOUS;
    for (guint i = 0; i < tx->rcpts->len; i++) {
        struct lmtp_rcpt_state *s = &rcpt_at(tx, i)->state;
        if (!s->accepted)
            continue;
        if (lmtp_conn_read(tx->conn, &s->reply, tx->client->options.final_timeout_ms, error) < 0)
            return -1;
        s->outcome = LMTP_REPLIED;
        tx->broken = tx->broken || s->reply.code == 421;
    }
    return 0;
}

int lmtp_send_data(struct lmtp_tx *tx, const struct iovec *parts, size_t count, GError **error)
{
    g_assert(tx->conn && tx->stage != STAGE_NEW && tx->stage != STAGE_DONE);
    if (!tx->accepted)
        return 0;
    bool refused = tx->data_reply.code && tx->data_reply.code != 354;
    if (tx->stage == STAGE_ENVELOPE && !refused) {
        if (ask_for_data(tx, error) < 0) {
            tx->broken = true;
            return -1;
        }
    }
    if (tx->stage != STAGE_DATA)
        return 0; /* refused: that is everyone's answer */
    if (send_content(tx, parts, count, error) < 0 || read_final(tx, error) < 0) {
        tx->broken = true;
        return -1;
    }
    tx->stage = STAGE_DONE;
    return 0;
}

/* ---- answers ---- */

unsigned lmtp_rcpt_count(const struct lmtp_tx *tx)
{
    return tx->rcpts->len;
}

unsigned lmtp_accepted_count(const struct lmtp_tx *tx)
{
    return tx->accepted;
}

const struct lmtp_rcpt_state *lmtp_rcpt(const struct lmtp_tx *tx, unsigned index)
{
    g_assert(index < tx->rcpts->len);
    return &rcpt_at(tx, index)->state;
}

const struct lmtp_reply *lmtp_mail_reply(const struct lmtp_tx *tx)
{
    return &tx->mail_reply;
}
