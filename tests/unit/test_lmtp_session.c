/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LMTP session over memory: tables of single cases, every smuggling form, close at every byte, and a second,
 * independent model of the protocol that must say the same over a million random command sequences.
 */
#include "unit.h"

#include "core/clock.h"
#include "lmtp/content.h"
#include "lmtp/session.h"

/* ---- A handler whose recipients say by their names what becomes of them ---- */

struct book {
    GString *mails; /* what was delivered: "[recipients]content\n" */
    guint begun, ended, batches;
};

static int code_in(const char *local, const char *prefix, int otherwise)
{
    const char *at = strstr(local, prefix);

    return at ? atoi(at + strlen(prefix)) : otherwise;
}

static void handle_recipients(void *data, struct txn *txn, guint first, bool data_follows)
{
    struct book *book = data;

    book->batches++;
    if (!txn->handler_data) {
        txn->handler_data = book;
        book->begun++;
    }
    for (guint i = first; i < txn->rcpts->len; i++) {
        struct txn_recipient *rcpt = txn_rcpt(txn, i);
        int code = code_in(rcpt->path.local, "r", 250);
        rcpt->accepted = code == 250;
        txn_reply_take(rcpt, g_strdup_printf("%d 2.1.5 %s", code, rcpt->path.local));
    }
}

static void handle_deliver(void *data, struct txn *txn, const struct content *content)
{
    struct book *book = data;

    g_string_append_c(book->mails, '[');
    for (guint i = 0; i < txn->rcpts->len; i++) {
        struct txn_recipient *rcpt = txn_rcpt(txn, i);
        if (!rcpt->accepted)
            continue;
        g_string_append_printf(book->mails, "%s ", rcpt->path.local);
        txn_reply_take(rcpt, g_strdup_printf("%d 2.0.0 final", code_in(rcpt->path.local, "f", 250)));
    }
    g_string_append_c(book->mails, ']');
    g_string_append_len(book->mails, content->data, (gssize)content->length);
    g_string_append_c(book->mails, '\n');
}

static void handle_end(void *data, struct txn *txn)
{
    struct book *book = data;

    if (txn->handler_data)
        book->ended++;
    txn->handler_data = NULL;
}

static const struct session_handler handler = {handle_recipients, handle_deliver, handle_end};

static const struct session_options options = {
    .hostname = "test", .command_timeout = CLOCK_SECOND, .data_timeout = CLOCK_SECOND, .data_deadline = CLOCK_MINUTE,
    .write_timeout = CLOCK_SECOND, .max_size = 100000, .memory_limit = 5000, .max_recipients = 1000,
};

struct outcome {
    GString *codes; /* "220 250 …": the last line of each reply */
    GString *text;
    struct book book;
    enum session_end end;
};

static void outcome_init(struct outcome *outcome)
{
    *outcome = (struct outcome){g_string_new(NULL), g_string_new(NULL), {g_string_new(NULL), 0, 0, 0}, SESSION_QUIT};
}

static void outcome_clear(struct outcome *outcome)
{
    g_string_free(outcome->codes, TRUE);
    g_string_free(outcome->text, TRUE);
    g_string_free(outcome->book.mails, TRUE);
}

static void read_codes(struct outcome *outcome)
{
    for (const char *p = outcome->text->str; *p; p = strchr(p, '\n') + 1)
        if (p[3] == ' ')
            g_string_append_printf(outcome->codes, "%s%.3s", outcome->codes->len ? " " : "", p);
}

static void run_session(struct outcome *outcome, const char *input, size_t length, size_t chunk, bool early)
{
    struct io_memory memory = {input, length, 0, chunk, outcome->text, early};
    struct io io = {&io_memory_ops, &memory};

    g_string_truncate(outcome->text, 0);
    g_string_truncate(outcome->codes, 0);
    g_string_truncate(outcome->book.mails, 0);
    outcome->book.begun = outcome->book.ended = outcome->book.batches = 0;
    outcome->end = session_run(&options, &handler, &outcome->book, &io, NULL);
    read_codes(outcome);
    assert_int_equal(outcome->book.begun, outcome->book.ended);
}

/* ---- Single cases ---- */

#define HELLO "LHLO c\r\n"
#define MAIL "MAIL FROM:<a@x.test>\r\n"

static const struct {
    const char *input, *codes;
    const char *mails; /* NULL: "" */
} cases[] = {
    {"", "220", NULL},
    {"QUIT\r\n", "220 221", NULL},
    {"NOOP\r\nnoop x\r\nVRFY a\r\nHELP\r\nRSET\r\n", "220 250 250 252 214 250", NULL},
    {"MAIL FROM:<a@x.test>\r\nNOOP\r\n", "220 421", NULL},
    {"RCPT TO:<a@x.test>\r\n", "220 421", NULL},
    {"DATA\r\n", "220 421", NULL},
    {"XFORWARD NAME=x\r\n", "220 421", NULL},
    {"EHLO c\r\nHELO c\r\n", "220 500 500", NULL},
    {"LHLO\r\n", "220 501", NULL},
    {HELLO HELLO MAIL HELLO MAIL, "220 250 250 250 250 250", NULL},
    {HELLO MAIL MAIL, "220 250 250 503", NULL},
    {HELLO "RCPT TO:<b@x.test>\r\nDATA\r\n", "220 250 503 503", NULL},
    {HELLO MAIL "DATA\r\nRSET\r\n", "220 250 250 503 250", NULL},
    {HELLO MAIL "RCPT TO:<r550@x.test>\r\nDATA\r\n", "220 250 250 550 503", NULL},
    {HELLO MAIL "RCPT TO:<b@x.test>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n", "220 250 250 250 354 250 221", "[b ]hi\r\n\n"},
    {HELLO MAIL "RCPT TO:<b@x.test>\r\nRCPT TO:<r451@x.test>\r\nRCPT TO:<f550@x.test>\r\nRCPT TO:<f451@x.test>\r\n"
     "DATA\r\n.\r\n", "220 250 250 250 451 250 250 354 250 550 451", "[b f550 f451 ]\n"},
    /* a syntax error among pipelined recipients keeps its place */
    {HELLO MAIL "RCPT TO:<b@x.test>\r\nRCPT TO:<\"\">\r\nRCPT TO:<c@x.test>\r\n", "220 250 250 250 501 250", NULL},
    {HELLO MAIL "XFORWARD NAME=x\r\n", "220 250 250 503", NULL},
    {HELLO "XFORWARD NAME=x ADDR=1.2.3.4 IDENT=[UNAVAILABLE]\r\n", "220 250 250", NULL},
    {HELLO "XFORWARD FOO=x\r\nXFORWARD\r\nXFORWARD NAME\r\nXFORWARD NAME=\r\nXFORWARD NAME=a+2\r\n",
     "220 250 501 501 501 501 421", NULL},
    {HELLO "a\r\nb\r\nc\r\nd\r\ne\r\nNOOP\r\n", "220 250 500 500 500 500 421", NULL},
    {HELLO "NOOP\nNOOP\r\n", "220 250 500", NULL},
    {"\n", "220 500", NULL},
    {HELLO MAIL "RCPT TO:<b@x.test>\nDATA\r\n", "220 250 250 500", NULL},
    {HELLO "MAIL FROM:<a@x.test> SIZE=0\r\nRSET\r\nMAIL FROM:<a@x.test> SIZE=-1\r\n", "220 250 250 250 501", NULL},
    {HELLO "MAIL FROM:<a@x.test> BODY=8BITMIME RET=HDRS ENVID=x SMTPUTF8\r\n", "220 250 250", NULL},
    {HELLO "MAIL FROM:<a@x.test> BODY=BINARYMIME\r\nNOOP\r\n", "220 250 501 250", NULL},
    {HELLO "MAIL FROM:<\xc3\xa4@x.test>\r\nMAIL FROM:<\xc3\xa4@x.test> SMTPUTF8\r\n", "220 250 553 250", NULL},
    {HELLO MAIL "RCPT TO:<b@x.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc@x.test\r\n", "220 250 250 250", NULL},
    {HELLO MAIL "RCPT TO:<b@x.test>\r\nDATA x\r\nDATA\r\n..\r\n...x\r\n.\r\n", "220 250 250 250 501 354 250",
     "[b ].\r\n..x\r\n\n"},
};

static void test_cases(void **state)
{
    struct outcome outcome;

    outcome_init(&outcome);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (size_t chunk = 0; chunk < 3; chunk++) {
            run_session(&outcome, cases[i].input, strlen(cases[i].input), chunk, false);
            if (!g_str_equal(outcome.codes->str, cases[i].codes))
                print_error("case %zu: %s\n", i, cases[i].input);
            assert_string_equal(outcome.codes->str, cases[i].codes);
            assert_string_equal(outcome.book.mails->str, cases[i].mails ? cases[i].mails : "");
        }
    }
    outcome_clear(&outcome);
}

static void test_extensions(void **state)
{
    static const char *const wanted[] = {"PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "SIZE 100000",
                                         "DSN", "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"};
    struct outcome outcome;

    outcome_init(&outcome);
    run_session(&outcome, HELLO, strlen(HELLO), 0, false);
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        assert_non_null(strstr(outcome.text->str, wanted[i]));
    outcome_clear(&outcome);
}

static void test_early_talker(void **state)
{
    struct outcome outcome;

    outcome_init(&outcome);
    run_session(&outcome, HELLO, strlen(HELLO), 0, true);
    assert_string_equal(outcome.codes->str, "421");
    assert_int_equal(outcome.end, SESSION_REFUSED);
    outcome_clear(&outcome);
}

/* ---- Limits ---- */

static void expect_codes(const GString *input, const char *codes)
{
    struct outcome outcome;

    outcome_init(&outcome);
    run_session(&outcome, input->str, input->len, 0, false);
    assert_string_equal(outcome.codes->str, codes);
    outcome_clear(&outcome);
}

static void test_line_lengths(void **state)
{
    g_autoptr(GString) input = g_string_new("NOOP ");

    /* 4,096 with its CRLF is the longest */
    while (input->len < 4094)
        g_string_append_c(input, 'x');
    g_string_append(input, "\r\nQUIT\r\n");
    expect_codes(input, "220 250 221");
    g_string_insert_c(input, 5, 'x');
    expect_codes(input, "220 500");
    g_string_assign(input, "");
    while (input->len < 10 * 1024 * 1024)
        g_string_append(input, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    expect_codes(input, "220 500");
    g_string_assign(input, HELLO "XFORWARD NAME=");
    while (input->len < strlen(HELLO) + 510)
        g_string_append_c(input, 'x');
    g_string_append(input, "\r\nQUIT\r\n");
    expect_codes(input, "220 250 250 221");
    g_string_insert_c(input, (gssize)strlen(HELLO "XFORWARD NAME="), 'x');
    expect_codes(input, "220 250 500");
}

static void test_recipients(void **state)
{
    g_autoptr(GString) input = g_string_new(HELLO MAIL);
    struct outcome outcome;

    for (int i = 0; i < 1001; i++)
        g_string_append_printf(input, "RCPT TO:<u%d@x.test>\r\n", i);
    outcome_init(&outcome);
    run_session(&outcome, input->str, input->len, 0, false);
    assert_true(g_str_has_suffix(outcome.codes->str, "250 452"));
    assert_null(strstr(outcome.codes->str, "452 "));
    /* asked in few batches, although every one of them was pipelined */
    assert_true(outcome.book.batches <= 3);
    outcome_clear(&outcome);
}

static void test_too_big(void **state)
{
    g_autoptr(GString) input = g_string_new(HELLO MAIL "RCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\nDATA\r\n");

    for (int i = 0; i < 2000; i++)
        g_string_append(input, "123456789012345678901234567890123456789012345678901234567890\r\n");
    g_string_append(input, ".\r\nQUIT\r\n");
    expect_codes(input, "220 250 250 250 250 354 552 552 221");
}

/* A mail above memory_limit goes through a file; its bytes are the same. */
static void test_spooled(void **state)
{
    g_autoptr(GString) body = g_string_new(NULL), expected = g_string_new("[b ]");
    g_autofree char *input = NULL;
    struct outcome outcome;

    for (int i = 0; i < 1000; i++)
        g_string_append_printf(body, "line %d of a mail\r\n", i);
    input = g_strconcat(HELLO MAIL "RCPT TO:<b@x.test>\r\nDATA\r\n", body->str, ".\r\n", NULL);
    g_string_append(expected, body->str);
    g_string_append_c(expected, '\n');
    outcome_init(&outcome);
    for (size_t chunk = 0; chunk < 100; chunk += 33) {
        run_session(&outcome, input, strlen(input), chunk, false);
        assert_string_equal(outcome.book.mails->str, expected->str);
    }
    outcome_clear(&outcome);
}

/* ---- Smuggling (FAILURES T07) ---- */

static void test_smuggling(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } ends[] = {{"\n.\n", 3}, {"\n.\r\n", 4}, {"\r.\r", 3}, {"\r\n.\r", 4}, {"\r\n\0.\r\n", 6}, {"\r.\r\n", 4},
                {"\r\n.\n", 4}, {"\n.\r", 3}, {"\r\n.\r\r\n", 6}, {"\r\n..\r\n", 6}, {"\n\n.\r\n", 5}, {"\r\r.\r\n", 5}};
    struct outcome outcome;

    outcome_init(&outcome);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        for (size_t chunk = 0; chunk < 4; chunk++) {
            g_autoptr(GString) input = g_string_new(HELLO MAIL "RCPT TO:<b@x.test>\r\nDATA\r\nfirst");
            g_string_append_len(input, ends[i].bytes, (gssize)ends[i].length);
            g_string_append(input, "MAIL FROM:<evil@x.test>\r\nRCPT TO:<victim@x.test>\r\nDATA\r\nevil\r\n.\r\nQUIT\r\n");
            run_session(&outcome, input->str, input->len, chunk, false);
            assert_string_equal(outcome.codes->str, "220 250 250 250 354 250 221");
            assert_null(strstr(outcome.book.mails->str, "[victim"));
        }
    }
    outcome_clear(&outcome);
}

/* What content_decode() should do, the slow way: on lines that CRLF alone ends. */
static char *unstuff(const char *data, size_t length, size_t *used)
{
    GString *out = g_string_new(NULL);
    size_t at = 0;

    while (at < length) {
        size_t end = at;
        while (end + 1 < length && !(data[end] == '\r' && data[end + 1] == '\n'))
            end++;
        if (end + 1 >= length)
            break; /* no line */
        if (end - at == 1 && data[at] == '.') {
            *used = end + 2;
            return g_string_free(out, FALSE);
        }
        if (data[at] == '.')
            at++;
        g_string_append_len(out, data + at, (gssize)(end + 2 - at));
        at = end + 2;
    }
    g_string_free(out, TRUE);
    return NULL;
}

static void gather(const char *piece, size_t length, void *context)
{
    g_string_append_len(context, piece, (gssize)length);
}

/* Every body of eight bytes out of {CR, LF, dot}: 6,561 of them, fed in one piece and byte by byte. */
static void test_every_body(void **state)
{
    static const char alphabet[] = "\r\n.";
    g_autoptr(GString) got = g_string_new(NULL);

    for (int n = 0; n < 6561; n++) {
        char data[16];
        size_t used = 0, step, at;
        int rest = n;
        g_autofree char *expected = NULL;
        for (int i = 0; i < 8; i++, rest /= 3)
            data[i] = alphabet[rest % 3];
        memcpy(data + 8, "\r\n.\r\n", 5);
        expected = unstuff(data, 13, &used);
        assert_non_null(expected);
        for (step = 1; step <= 13; step += 12) {
            enum content_state state_now = CONTENT_LINE;
            bool done = false;
            g_string_truncate(got, 0);
            for (at = 0; !done && at < 13;) {
                size_t taken;
                done = content_decode(&state_now, data + at, MIN(step, 13 - at), &taken, gather, got);
                at += taken;
            }
            assert_true(done);
            assert_int_equal(at, used);
            assert_string_equal(got->str, expected);
        }
    }
}

/* ---- Close at every byte ---- */

static void test_close_everywhere(void **state)
{
    g_autoptr(GString) input = g_string_new(HELLO "XFORWARD IDENT=abc\r\n" MAIL "RCPT TO:<b@x.test>\r\nDATA\r\n");
    struct outcome outcome;

    while (input->len < 2000)
        g_string_append(input, "Some: header or text of the mail, it does not matter\r\n");
    g_string_append(input, ".\r\n");
    outcome_init(&outcome);
    for (size_t n = 0; n <= input->len; n++) {
        run_session(&outcome, input->str, n, n % 7, false);
        assert_int_equal(outcome.end, SESSION_CLOSED);
        assert_true((outcome.book.mails->len > 0) == (n == input->len));
    }
    outcome_clear(&outcome);
}

/* ---- The reference model ---- */

enum kind { K_LHLO, K_MAIL, K_RCPT, K_DATA, K_XFORWARD, K_ANY, K_QUIT, K_BAD, K_SYNTAX, K_RSET, K_CONTENT };

/* One line each; code: what it is answered where it is allowed; K_SYNTAX counts as a bad command where `where` does. */
static const struct line {
    const char *text;
    enum kind kind;
    int code;
    int final;
    enum kind where; /* K_SYNTAX: the states of this kind */
} lines[] = {
    {"LHLO client", K_LHLO, 250, 0, 0},
    {"lhlo [127.0.0.1]", K_LHLO, 250, 0, 0},
    {"LHLO", K_SYNTAX, 501, 0, K_ANY},
    {"MAIL FROM:<a@x.test>", K_MAIL, 250, 0, 0},
    {"mail from:<> SIZE=12 BODY=8BITMIME", K_MAIL, 250, 0, 0},
    {"MAIL FROM:<a@x.test> NOSUCH=1", K_MAIL, 555, 0, 0},
    {"MAIL FROM:a@x.test", K_MAIL, 501, 0, 0},
    {"MAIL TO:<a@x.test>", K_SYNTAX, 501, 0, K_MAIL},
    {"RCPT TO:<one@x.test>", K_RCPT, 250, 250, 0},
    {"RCPT TO:<two@x.test> NOTIFY=NEVER", K_RCPT, 250, 250, 0},
    {"rcpt to:<f550@x.test>", K_RCPT, 250, 550, 0},
    {"RCPT TO:<f451@x.test>", K_RCPT, 250, 451, 0},
    {"RCPT TO:<r550@x.test>", K_RCPT, 550, 0, 0},
    {"RCPT TO:<r452@x.test>", K_RCPT, 452, 0, 0},
    {"RCPT TO:<>", K_RCPT, 501, 0, 0},
    {"RCPT FROM:<a@x.test>", K_SYNTAX, 501, 0, K_RCPT},
    {"DATA", K_DATA, 354, 0, 0},
    {"DATA now", K_SYNTAX, 501, 0, K_DATA},
    {"XFORWARD NAME=a ADDR=1.2.3.4", K_XFORWARD, 250, 0, 0},
    {"XFORWARD NAME", K_SYNTAX, 501, 0, K_XFORWARD},
    {"NOOP", K_ANY, 250, 0, 0},
    {"VRFY x", K_ANY, 252, 0, 0},
    {"RSET", K_RSET, 250, 0, 0},
    {"RSET x", K_SYNTAX, 501, 0, K_ANY},
    {"QUIT", K_QUIT, 221, 0, 0},
    {"WHAT", K_BAD, 500, 0, 0},
    {"EHLO c", K_BAD, 500, 0, 0},
    {"", K_BAD, 500, 0, 0},
    {"some text", K_BAD, 500, 0, 0},
    {".", K_BAD, 500, 0, 0},
    {"..", K_BAD, 500, 0, 0},
};

struct model {
    GString *codes, *mails, *rcpts;
    GArray *finals;
    int errors, named;
    bool greeted, mail, closed;
};

static void model_say(struct model *model, int code)
{
    g_string_append_printf(model->codes, " %d", code);
}

static void model_bad(struct model *model, int code)
{
    model->closed = ++model->errors == 5;
    model_say(model, model->closed ? 421 : code);
}

static void model_reset(struct model *model)
{
    model->mail = false;
    model->named = 0;
    g_string_truncate(model->rcpts, 0);
    g_array_set_size(model->finals, 0);
}

/* true: the command may be said now; else it was answered. */
static bool model_allows(struct model *model, enum kind kind)
{
    bool wants_mail = kind == K_RCPT || kind == K_DATA, wants_none = kind == K_MAIL || kind == K_XFORWARD;

    if ((wants_mail || wants_none) && !model->greeted) {
        model_say(model, 421);
        model->closed = true;
        return false;
    }
    if ((wants_mail && !model->mail) || (wants_none && model->mail)) {
        model_say(model, 503);
        return false;
    }
    return true;
}

static void model_rcpt(struct model *model, const struct line *line)
{
    const char *local = strchr(line->text, '<') + 1;

    model_say(model, line->code);
    if (line->code != 250)
        return;
    g_string_append_printf(model->rcpts, "%.*s ", (int)strcspn(local, "@"), local);
    g_array_append_val(model->finals, line->final);
}

/* Takes the content off the script, if it ends there. */
static void model_data(struct model *model, GPtrArray *script, guint *at)
{
    g_autoptr(GString) content = g_string_new(NULL);

    if (model->finals->len == 0) {
        model_say(model, 503);
        return;
    }
    model_say(model, 354);
    for (; *at < script->len; (*at)++) {
        const struct line *line = g_ptr_array_index(script, *at);
        if (g_str_equal(line->text, ".")) {
            (*at)++;
            g_string_append_printf(model->mails, "[%s]%s\n", model->rcpts->str, content->str);
            for (guint i = 0; i < model->finals->len; i++)
                model_say(model, g_array_index(model->finals, int, i));
            model_reset(model);
            return;
        }
        g_string_append_printf(content, "%s\r\n", line->text[0] == '.' ? line->text + 1 : line->text);
    }
    model->closed = true;
}

static void model_run(struct model *model, GPtrArray *script)
{
    guint at = 0;

    g_string_assign(model->codes, "220");
    while (at < script->len && !model->closed) {
        const struct line *line = g_ptr_array_index(script, at++);
        enum kind kind = line->kind == K_SYNTAX ? line->where : line->kind;
        if (!model_allows(model, kind))
            continue;
        switch (line->kind) {
        case K_SYNTAX:
        case K_BAD:
            model_bad(model, line->code);
            break;
        case K_LHLO:
            model->greeted = true;
            model_reset(model);
            model_say(model, 250);
            break;
        case K_MAIL:
            model->mail = line->code == 250;
            model_say(model, line->code);
            break;
        case K_RCPT:
            model_rcpt(model, line);
            break;
        case K_DATA:
            model_data(model, script, &at);
            break;
        case K_RSET:
            model_reset(model);
            model_say(model, 250);
            break;
        case K_QUIT:
            model->closed = true;
            model_say(model, 221);
            break;
        default:
            model_say(model, line->code);
        }
    }
}

static guint32 dice(guint64 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (guint32)(*state >> 16);
}

/* Mostly sensible orders, so that the depth is reached, with anything anywhere. */
static const struct line *next_line(guint64 *state, guint at)
{
    static const guint sensible[] = {0, 3, 8, 10, 12, 16, 28, 30, 29};

    if (dice(state) % 4 != 0)
        return &lines[sensible[MIN(at, G_N_ELEMENTS(sensible) - 1) == at ? at : dice(state) % G_N_ELEMENTS(sensible)]];
    return &lines[dice(state) % G_N_ELEMENTS(lines)];
}

static void compare(GPtrArray *script, struct outcome *outcome, struct model *model, GString *input, size_t chunk)
{
    g_string_truncate(input, 0);
    for (guint i = 0; i < script->len; i++)
        g_string_append_printf(input, "%s\r\n", ((const struct line *)g_ptr_array_index(script, i))->text);
    g_string_truncate(model->mails, 0);
    model_reset(model);
    model->errors = 0;
    model->greeted = model->closed = false;
    model_run(model, script);
    run_session(outcome, input->str, input->len, chunk, false);
    if (!g_string_equal(outcome->codes, model->codes) || !g_string_equal(outcome->book.mails, model->mails))
        print_error("sequence:\n%s", input->str);
    assert_string_equal(outcome->codes->str, model->codes->str);
    assert_string_equal(outcome->book.mails->str, model->mails->str);
}

static void test_model(void **state)
{
    struct model model = {g_string_new(NULL), g_string_new(NULL), g_string_new(NULL),
                          g_array_new(FALSE, FALSE, sizeof(int)), 0, 0, false, false, false};
    const char *wanted = g_getenv("UMP_SEQUENCES");
    guint rounds = wanted ? (guint)atoi(wanted) : 1000000;
    g_autoptr(GPtrArray) script = g_ptr_array_new();
    g_autoptr(GString) input = g_string_new(NULL);
    guint64 seed = 88172645463325252ULL;
    struct outcome outcome;

    outcome_init(&outcome);
    for (guint round = 0; round < rounds; round++) {
        guint count = 1 + dice(&seed) % 14;
        g_ptr_array_set_size(script, 0);
        for (guint i = 0; i < count; i++)
            g_ptr_array_add(script, (gpointer)next_line(&seed, i));
        compare(script, &outcome, &model, input, dice(&seed) % 3 == 0 ? 1 + dice(&seed) % 9 : 0);
    }
    outcome_clear(&outcome);
    g_string_free(model.codes, TRUE);
    g_string_free(model.mails, TRUE);
    g_string_free(model.rcpts, TRUE);
    g_array_unref(model.finals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases), cmocka_unit_test(test_extensions), cmocka_unit_test(test_early_talker),
        cmocka_unit_test(test_line_lengths), cmocka_unit_test(test_recipients), cmocka_unit_test(test_too_big),
        cmocka_unit_test(test_spooled), cmocka_unit_test(test_smuggling), cmocka_unit_test(test_every_body),
        cmocka_unit_test(test_close_everywhere), cmocka_unit_test(test_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
