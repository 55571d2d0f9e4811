/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol as a table {verb, states, check, run}: check validates the arguments and replies to what is wrong,
 * run acts.
 */
#include "lmtp/session.h"

#include <string.h>

#include "core/clock.h"
#include "lmtp/reply.h"

enum {
    STATE_NEW = 1,   /* before LHLO */
    STATE_READY = 2, /* no transaction */
    STATE_MAIL = 4   /* MAIL was accepted */
};
#define STATE_ANY (STATE_NEW | STATE_READY | STATE_MAIL)

struct session {
    const struct session_options *options;
    const struct session_handler *handler;
    void *handler_data;
    struct io *io;
    struct io_reader reader;
    GString *out;     /* replies not written yet */
    guint state;
    guint errors;
    char *lhlo;
    struct txn_forward forward;
    struct txn *txn;
    guint answered;   /* recipients of txn whose RCPT has its reply in out */
    struct smtp_path path; /* from check to run */
    struct session_stats stats;
    bool over;
    enum session_end end;
};

struct command {
    const char *verb;
    guint states;
    size_t max_line; /* CRLF included */
    bool (*check)(struct session *session, const char *args, size_t length);
    void (*run)(struct session *session, const char *args, size_t length);
};

/* ---- Output ---- */

static void say(struct session *session, const char *line)
{
    g_string_append(session->out, line);
    g_string_append_len(session->out, "\r\n", 2);
}

static void finish(struct session *session, enum session_end end)
{
    session->over = true;
    session->end = end;
}

/* A peer that does not read its replies within the time is left. */
static void flush(struct session *session)
{
    enum io_result result;

    if (session->out->len == 0)
        return;
    result = session->io->ops->write(session->io->handle, session->out->str, session->out->len,
                                     ump_clock_mono_us() + session->options->write_timeout);
    g_string_truncate(session->out, 0);
    if (result != IO_OK)
        finish(session, result == IO_TIMEOUT ? SESSION_TIMEOUT : SESSION_CLOSED);
}

static void refuse(struct session *session, enum reply reply)
{
    say(session, reply_text(reply));
    finish(session, SESSION_REFUSED);
}

/* A command that makes no sense; the fifth ends the session. */
static void bad_command(struct session *session, enum reply reply)
{
    if (++session->errors >= SESSION_BAD_COMMANDS)
        refuse(session, REPLY_TOO_MANY_ERRORS);
    else
        say(session, reply_text(reply));
}

/* ---- The transaction ---- */

/* RCPTs are answered together: as late as the protocol lets us, so that the store is asked once for all of them. */
static void answer_recipients(struct session *session, bool data_follows)
{
    struct txn *txn = session->txn;

    if (!txn || session->answered == txn->rcpts->len)
        return;
    session->handler->recipients(session->handler_data, txn, session->answered, data_follows);
    for (; session->answered < txn->rcpts->len; session->answered++) {
        struct txn_recipient *rcpt = txn_rcpt(txn, session->answered);
        if (!rcpt->reply) {
            rcpt->accepted = false;
            txn_reply(rcpt, reply_text(REPLY_INTERNAL));
        }
        txn->accepted += rcpt->accepted ? 1 : 0;
        say(session, rcpt->reply);
    }
}

static void reset(struct session *session)
{
    if (session->txn) {
        session->handler->end(session->handler_data, session->txn);
        g_clear_pointer(&session->txn, txn_free);
    }
    session->answered = 0;
    txn_forward_clear(&session->forward);
    if (session->state == STATE_MAIL)
        session->state = STATE_READY;
}

/* ---- Commands ---- */

static bool check_name(struct session *session, const char *args, size_t length)
{
    bool fine = length > 0 && length <= 255;

    for (size_t i = 0; fine && i < length; i++)
        fine = args[i] > ' ' && args[i] <= '~';
    if (!fine)
        bad_command(session, REPLY_SYNTAX);
    return fine;
}

static void run_lhlo(struct session *session, const char *args, size_t length)
{
    reset(session);
    g_free(session->lhlo);
    session->lhlo = g_strndup(args, length);
    session->state = STATE_READY;
    g_string_append_printf(session->out,
                           "250-%s\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
                           "250-SMTPUTF8\r\n250-SIZE %zu\r\n250-DSN\r\n"
                           "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n",
                           session->options->hostname, session->options->max_size);
}

static void run_smtp(struct session *session, const char *args, size_t length)
{
    bad_command(session, REPLY_NOT_SMTP);
}

/* "FROM:" or "TO:" and the path behind it. */
static bool check_path(struct session *session, const char *keyword, const char *args, size_t length, guint flags)
{
    size_t n = strlen(keyword);
    enum smtp_path_result result;

    if (length < n || g_ascii_strncasecmp(args, keyword, n) != 0) {
        bad_command(session, REPLY_SYNTAX);
        return false;
    }
    smtp_path_clear(&session->path);
    result = smtp_path_parse(args + n, length - n, flags, &session->path);
    if (result != SMTP_PATH_OK)
        say(session, smtp_path_reply(result, flags));
    return result == SMTP_PATH_OK;
}

static bool check_mail(struct session *session, const char *args, size_t length)
{
    return check_path(session, "FROM:", args, length, SMTP_PATH_MAIL);
}

static void run_mail(struct session *session, const char *args, size_t length)
{
    session->txn = txn_new(&session->path, &session->forward, session->lhlo);
    session->answered = 0;
    session->state = STATE_MAIL;
    session->stats.transactions++;
    say(session, reply_text(REPLY_SENDER_OK));
}

static bool check_rcpt(struct session *session, const char *args, size_t length)
{
    guint flags = SMTP_PATH_RCPT | (session->txn->sender.smtputf8 ? SMTP_PATH_ALLOW_UTF8 : 0);

    if (session->txn->rcpts->len >= session->options->max_recipients) {
        answer_recipients(session, false);
        say(session, reply_text(REPLY_TOO_MANY_RECIPIENTS));
        return false;
    }
    smtp_path_clear(&session->path);
    if (length < 3 || g_ascii_strncasecmp(args, "TO:", 3) != 0 ||
        smtp_path_parse(args + 3, length - 3, flags, &session->path) != SMTP_PATH_OK) {
        answer_recipients(session, false); /* replies keep their order */
        return check_path(session, "TO:", args, length, flags);
    }
    return true;
}

static void run_rcpt(struct session *session, const char *args, size_t length)
{
    txn_add(session->txn, &session->path);
}

static bool check_data(struct session *session, const char *args, size_t length)
{
    if (length > 0) {
        bad_command(session, REPLY_SYNTAX);
        return false;
    }
    if (session->txn->accepted == 0)
        say(session, reply_text(REPLY_NO_RECIPIENTS));
    return session->txn->accepted > 0;
}

/* Reads the content; false: the session is over. */
static bool read_content(struct session *session, struct content *content)
{
    struct io_reader *reader = &session->reader;
    enum content_state state = CONTENT_LINE;
    gint64 last = ump_clock_mono_us() + session->options->data_deadline;

    for (;;) {
        enum io_result result;
        size_t used;
        bool done = content_decode(&state, reader->buffer + reader->start, io_reader_waiting(reader), &used,
                                   content_add, content);
        reader->start += used;
        if (done)
            return true;
        result = io_reader_fill(reader, MIN(last, ump_clock_mono_us() + session->options->data_timeout), false);
        if (result == IO_TIMEOUT) {
            say(session, reply_text(REPLY_TIMEOUT));
            finish(session, SESSION_TIMEOUT);
            return false;
        }
        if (result != IO_OK) {
            finish(session, SESSION_CLOSED);
            return false;
        }
    }
}

static void deliver(struct session *session, struct content *content)
{
    struct txn *txn = session->txn;
    enum reply refusal = REPLY_OK;

    if (content->too_big)
        refusal = REPLY_TOO_BIG;
    else if (content_finish(content) < 0)
        refusal = REPLY_NO_SPACE;
    for (guint i = 0; i < txn->rcpts->len; i++) {
        struct txn_recipient *rcpt = txn_rcpt(txn, i);
        if (rcpt->accepted)
            txn_reply_take(rcpt, refusal == REPLY_OK ? NULL : g_strdup(reply_text(refusal)));
    }
    if (refusal == REPLY_OK)
        session->handler->deliver(session->handler_data, txn, content);
    for (guint i = 0; i < txn->rcpts->len; i++) {
        struct txn_recipient *rcpt = txn_rcpt(txn, i);
        if (rcpt->accepted)
            say(session, rcpt->reply ? rcpt->reply : reply_text(REPLY_INTERNAL));
    }
}

static void run_data(struct session *session, const char *args, size_t length)
{
    struct content content;

    say(session, reply_text(REPLY_DATA));
    flush(session);
    if (session->over)
        return;
    content_init(&content, session->options->memory_limit, session->options->max_size, session->options->spool_dir);
    if (read_content(session, &content)) {
        session->stats.mails++;
        deliver(session, &content);
    }
    content_clear(&content);
    reset(session);
}

static bool check_empty(struct session *session, const char *args, size_t length)
{
    if (length > 0)
        bad_command(session, REPLY_SYNTAX);
    return length == 0;
}

static void run_rset(struct session *session, const char *args, size_t length)
{
    reset(session);
    say(session, reply_text(REPLY_OK));
}

static void run_noop(struct session *session, const char *args, size_t length)
{
    say(session, reply_text(REPLY_OK));
}

static void run_vrfy(struct session *session, const char *args, size_t length)
{
    say(session, reply_text(REPLY_VRFY));
}

static void run_help(struct session *session, const char *args, size_t length)
{
    say(session, reply_text(REPLY_HELP));
}

static void run_quit(struct session *session, const char *args, size_t length)
{
    say(session, reply_text(REPLY_BYE));
    finish(session, SESSION_QUIT);
}

/* ---- XFORWARD ---- */

static char **forward_slot(struct txn_forward *forward, const char *name, size_t length)
{
    const struct {
        const char *name;
        char **slot;
    } slots[] = {{"NAME", &forward->name}, {"ADDR", &forward->addr}, {"PORT", &forward->port},
                 {"PROTO", &forward->proto}, {"HELO", &forward->helo}, {"IDENT", &forward->ident},
                 {"SOURCE", &forward->source}};

    for (size_t i = 0; i < G_N_ELEMENTS(slots); i++)
        if (strlen(slots[i].name) == length && g_ascii_strncasecmp(slots[i].name, name, length) == 0)
            return slots[i].slot;
    return NULL;
}

static bool forward_value(const char *text, size_t length, char **out)
{
    g_autofree char *value = NULL;

    if (length == 0 || !smtp_xtext_decode(text, length, &value))
        return false;
    for (const char *p = value; *p; p++)
        if ((guchar)*p < ' ' || *p == 0x7f)
            return false;
    g_free(*out);
    *out = g_str_equal(value, "[UNAVAILABLE]") || g_str_equal(value, "[TEMPUNAVAIL]") ? NULL
                                                                                    : g_steal_pointer(&value);
    return true;
}

static bool parse_forward(struct txn_forward *forward, const char *args, size_t length)
{
    const char *p = args, *end = args + length;
    guint n = 0;

    while (p < end) {
        const char *space = memchr(p, ' ', (size_t)(end - p));
        const char *stop = space ? space : end;
        const char *equals = memchr(p, '=', (size_t)(stop - p));
        char **slot = equals ? forward_slot(forward, p, (size_t)(equals - p)) : NULL;
        if (!slot || !forward_value(equals + 1, (size_t)(stop - equals - 1), slot))
            return false;
        n++;
        for (p = stop; p < end && *p == ' '; p++)
            ;
    }
    return n > 0;
}

static bool check_xforward(struct session *session, const char *args, size_t length)
{
    struct txn_forward scratch = {0};
    bool fine = parse_forward(&scratch, args, length);

    txn_forward_clear(&scratch);
    if (!fine)
        bad_command(session, REPLY_SYNTAX);
    return fine;
}

static void run_xforward(struct session *session, const char *args, size_t length)
{
    parse_forward(&session->forward, args, length);
    say(session, reply_text(REPLY_OK));
}

/* ---- The table ---- */

static const struct command commands[] = {
    {"MAIL", STATE_READY, SESSION_LINE_MAX, check_mail, run_mail},
    {"RCPT", STATE_MAIL, SESSION_LINE_MAX, check_rcpt, run_rcpt},
    {"DATA", STATE_MAIL, SESSION_LINE_MAX, check_data, run_data},
    {"XFORWARD", STATE_READY, SESSION_XFORWARD_MAX, check_xforward, run_xforward},
    {"RSET", STATE_ANY, SESSION_LINE_MAX, check_empty, run_rset},
    {"LHLO", STATE_ANY, SESSION_LINE_MAX, check_name, run_lhlo},
    {"QUIT", STATE_ANY, SESSION_LINE_MAX, check_empty, run_quit},
    {"NOOP", STATE_ANY, SESSION_LINE_MAX, NULL, run_noop},
    {"VRFY", STATE_ANY, SESSION_LINE_MAX, NULL, run_vrfy},
    {"HELP", STATE_ANY, SESSION_LINE_MAX, NULL, run_help},
    {"HELO", STATE_ANY, SESSION_LINE_MAX, NULL, run_smtp},
    {"EHLO", STATE_ANY, SESSION_LINE_MAX, NULL, run_smtp},
};

static const struct command *find_command(const char *line, size_t verb)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strlen(commands[i].verb) == verb && g_ascii_strncasecmp(commands[i].verb, line, verb) == 0)
            return &commands[i];
    return NULL;
}

static void wrong_state(struct session *session, const struct command *command)
{
    if (session->state == STATE_NEW)
        refuse(session, REPLY_LHLO_FIRST);
    else if (session->state == STATE_READY)
        say(session, reply_text(REPLY_MAIL_FIRST));
    else
        say(session, reply_text(command->run == run_mail ? REPLY_NESTED_MAIL : REPLY_IN_TRANSACTION));
}

static void handle_line(struct session *session, const char *line, size_t length)
{
    const char *space = memchr(line, ' ', length);
    size_t verb = space ? (size_t)(space - line) : length;
    const struct command *command = find_command(line, verb);
    const char *args = line + verb;
    size_t left = length - verb;

    session->stats.commands++;
    while (left > 0 && *args == ' ') {
        args++;
        left--;
    }
    while (left > 0 && args[left - 1] == ' ')
        left--;
    if (!command || command->run != run_rcpt)
        answer_recipients(session, command && command->run == run_data);
    if (!command)
        bad_command(session, REPLY_UNKNOWN_COMMAND);
    else if (length + 2 > command->max_line)
        refuse(session, REPLY_LINE_TOO_LONG);
    else if (!(command->states & session->state))
        wrong_state(session, command);
    else if (!command->check || command->check(session, args, left))
        command->run(session, args, left);
}

/* ---- The loop ---- */

/* Waits for more; between transactions the wait gives way to a stop, and to others who have no thread. */
static void wait_for_more(struct session *session)
{
    const struct session_options *options = session->options;
    gint64 last = ump_clock_mono_us() + options->command_timeout;
    bool idle = !session->txn && io_reader_waiting(&session->reader) == 0;

    for (;;) {
        gint64 now = ump_clock_mono_us();
        gint64 slice = idle && options->crowded ? MIN(last, now + CLOCK_SECOND) : last;
        enum io_result result = io_reader_fill(&session->reader, slice, idle);
        if (result == IO_OK)
            return;
        if (result == IO_TIMEOUT && slice < last) {
            if (!options->crowded(options->crowded_data))
                continue;
            say(session, reply_text(REPLY_MAKING_ROOM));
            finish(session, SESSION_STOPPED);
        } else if (result == IO_TIMEOUT) {
            say(session, reply_text(REPLY_TIMEOUT));
            finish(session, SESSION_TIMEOUT);
        } else if (result == IO_STOP) {
            say(session, reply_text(REPLY_STOPPING));
            finish(session, SESSION_STOPPED);
        } else {
            finish(session, SESSION_CLOSED);
        }
        return;
    }
}

static void step(struct session *session)
{
    const char *line;
    size_t length;

    switch (io_reader_line(&session->reader, SESSION_LINE_MAX, &line, &length)) {
    case IO_LINE:
        handle_line(session, line, length);
        break;
    case IO_LINE_BARE:
        answer_recipients(session, false);
        refuse(session, REPLY_BARE_NEWLINE);
        break;
    case IO_LINE_LONG:
        answer_recipients(session, false);
        refuse(session, REPLY_LINE_TOO_LONG);
        break;
    case IO_LINE_MORE:
        answer_recipients(session, false);
        flush(session);
        if (!session->over)
            wait_for_more(session);
        break;
    }
}

enum session_end session_run(const struct session_options *options, const struct session_handler *handler,
                             void *handler_data, struct io *io, struct session_stats *stats)
{
    struct session session = {.options = options, .handler = handler, .handler_data = handler_data, .io = io,
                              .state = STATE_NEW, .end = SESSION_QUIT};

    session.out = g_string_sized_new(1024);
    io_reader_init(&session.reader, io);
    if (io->ops->pending(io->handle)) {
        refuse(&session, REPLY_EARLY_TALKER);
    } else {
        g_string_append_printf(session.out, "220 %s LMTP\r\n", options->hostname);
        flush(&session);
    }
    while (!session.over)
        step(&session);
    flush(&session);
    reset(&session);
    smtp_path_clear(&session.path);
    g_free(session.lhlo);
    g_string_free(session.out, TRUE);
    io_reader_clear(&session.reader);
    if (stats)
        *stats = session.stats;
    return session.end;
}
