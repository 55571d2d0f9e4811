/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/answer.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/db.h"
#include "core/ids.h"
#include "core/log.h"
#include "core/mail_report.h"
#include "core/parts.h"
#include "core/text_format.h"
#include "lmtp/answer_words.h"
#include "lmtp/reply.h"

struct answer {
    const struct submission *submission;
    struct txn_recipient *rcpt;
    const struct policy_request *request;
    const struct policy_facts *facts; /* of the notice's address: who answers */
    char message[IDS_UUID_TEXT];
    struct db_rows *report;
    json_t *metadata;           /* of the message */
    struct text_known *frame;   /* our own sentences in the notice */
    struct extracted_text text; /* what he wrote */
};

static void say(const struct answer *answer, enum reply reply, const char *status)
{
    txn_reply(answer->rcpt, reply_text(reply));
    log_info("id", answer->message, "queue", answer->submission->txn->forward.ident, "login",
             answer->submission->mail->stamp.login, "status", status);
}

static void say_verdict(const struct answer *answer, struct policy_verdict *verdict)
{
    g_autofree char *line = policy_verdict_reply(verdict);

    txn_reply_take(answer->rcpt, reply_clean(line));
    log_info("id", answer->message, "login", answer->submission->mail->stamp.login, "reason", verdict->log, "status",
             "answer-refused");
}

/* The author, or for a team's message whoever may write as that team. */
static bool is_his(const struct answer *answer)
{
    const char *author = db_rows_text_of(answer->report, 0, "sender_mailbox");
    const char *owner = db_rows_text_of(answer->report, 0, "owner_mailbox");
    const struct policy_facts *facts = answer->facts;

    if (facts->user_email && ((author && g_ascii_strcasecmp(facts->user_email, author) == 0) ||
                              (owner && g_ascii_strcasecmp(facts->user_email, owner) == 0)))
        return true;
    return owner && facts->from_team && answer->request->from &&
           g_ascii_strcasecmp(answer->request->from, owner) == 0;
}

static int load_report(struct answer *answer, GError **error)
{
    const struct door *door = answer->submission->door;
    struct db_params *params = db_params_new();

    db_params_int(params, answer->facts->account_id);
    db_params_uuid(params, answer->message);
    db_params_text(params, "");
    return db_query_once(door->db, DB_STMT_MESSAGE_REPORT, params, door->database_ms, &answer->report, error);
}

/* What goes out on his word. */
struct going {
    guint segments;
    json_t *parts; /* core/parts.h; NULL: one message */
};

/* The message as it was sent at first, asked about again. */
typedef struct again {
    struct policy_request request;
    const char *refs[2];
    struct policy_facts facts;
} again_t;

static void again_clear(struct again *again)
{
    policy_facts_clear(&again->facts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(again_t, again_clear)

/* What he may have lost since: the login, a grant, the endpoint.  A machine's message is whose mailbox it came from.  False:
 * refused, the reply is set. */
static bool check_right(const struct answer *answer, struct again *again)
{
    const struct door *door = answer->submission->door;
    const char *recipient = json_string_value(json_object_get(answer->metadata, "recipient"));
    const char *endpoint = db_rows_text_of(answer->report, 0, "endpoint_id");
    bool person = g_strcmp0(db_rows_text_of(answer->report, 0, "sender_kind"), "user") == 0;
    g_auto(policy_verdict_t) verdict = {0};

    again->refs[0] = json_string_value(json_object_get(answer->metadata, "in_reply_to"));
    again->request = *answer->request;
    again->request.recipient = recipient ? recipient : "";
    again->request.refs = again->refs;
    again->request.channel = db_rows_text_of(answer->report, 0, "channel");
    again->request.ump_from = db_rows_text_of(answer->report, 0, "endpoint_address");
    if (!recipient || policy_facts_load(door->db, &door->site, &again->request, door->database_ms, &again->facts, NULL) < 0) {
        policy_verdict_reason(POLICY_UNAVAILABLE, &verdict);
    } else if (!person) {
        return true;
    } else if (policy_check_right(&door->site, &again->request, &again->facts, &verdict) == POLICY_ACCEPT) {
        if (g_strcmp0(again->facts.endpoint_id, endpoint) == 0)
            return true;
        policy_verdict_clear(&verdict);
        policy_verdict_reason(POLICY_NO_ENDPOINT, &verdict);
    }
    say_verdict(answer, &verdict);
    return false;
}

/* What goes out now is judged as if it had been sent at first: the preview's text was never measured.  NULL: refused, the
 * reply is set. */
static char *check_text(const struct answer *answer, const char *body, struct going *going)
{
    const struct door *door = answer->submission->door;
    const json_t *media = json_object_get(answer->metadata, "media");
    g_auto(again_t) again = {0};
    g_auto(policy_verdict_t) verdict = {0};
    g_autofree char *text = NULL;

    if (!check_right(answer, &again))
        return NULL;
    const struct policy_facts *facts = &again.facts;
    text = policy_fit_text(facts, body, strlen(body));
    const struct policy_message message = {
        .text = text,
        .text_length = -1,
        .attachments = (guint)json_array_size(media),
    };
    if (policy_check_content(&door->site, &again.request, facts, &message, &verdict) == POLICY_ACCEPT) {
        going->segments = policy_segments(&door->site, facts, text);
        if (!json_object_get(answer->metadata, "template"))
            going->parts = parts_plan(json_object_get(facts->endpoint_settings, "limits"), text, media);
        return g_steal_pointer(&text);
    }
    say_verdict(answer, &verdict);
    return NULL;
}

static void tell(const struct answer *answer, const char *outcome, const char *what, const char *body)
{
    const char *stored = db_rows_text_of(answer->report, 0, "body");

    if (g_strcmp0(outcome, "queued") == 0) {
        say(answer, REPLY_ANSWER_SENT, "confirmed");
    } else if (g_strcmp0(outcome, "cancelled") == 0) {
        say(answer, REPLY_ANSWER_CANCELLED, "cancelled");
    } else if (g_strcmp0(outcome, "repeat") == 0) {
        if (body && g_strcmp0(stored, body) != 0)
            say(answer, REPLY_ANSWER_LATE, "answer-late");
        else
            say(answer, g_str_equal(what, "cancel") ? REPLY_ANSWER_CANCELLED : REPLY_ANSWER_SENT, "answer-repeat");
    } else if (g_strcmp0(outcome, "late") == 0) {
        say(answer, REPLY_ANSWER_LATE, "answer-late");
    } else if (g_strcmp0(outcome, "which") == 0) {
        say(answer, REPLY_ANSWER_WHICH, "answer-refused");
    } else if (g_strcmp0(outcome, "opted-out") == 0) {
        say(answer, REPLY_ANSWER_OPTED_OUT, "answer-refused");
    } else {
        say(answer, REPLY_ANSWER_UNKNOWN, "answer-unknown");
    }
}

static void add_parts(struct db_params *params, const struct going *going)
{
    char *text = going && going->parts ? json_dumps(going->parts, JSON_COMPACT) : NULL;

    db_params_text(params, text);
    free(text);
}

static void act(const struct answer *answer, const char *what, const char *body, const struct going *going)
{
    const struct door *door = answer->submission->door;
    struct db_params *params = db_params_new();
    g_autoptr(db_rows) rows = NULL;
    g_autoptr(GError) error = NULL;

    db_params_int(params, answer->facts->account_id);
    db_params_uuid(params, answer->message);
    db_params_text(params, what);
    db_params_text(params, body);
    if (going && going->segments > 0)
        db_params_int(params, going->segments);
    else
        db_params_null(params);
    add_parts(params, going);
    if (db_write_within(door->db, DB_STMT_OUTBOX_ANSWER, params, answer->message, door->database_ms, &rows, &error) < 0) {
        log_warning("error", error->message, "status", "database");
        say(answer, REPLY_DATABASE_DOWN, "deferred");
        return;
    }
    tell(answer, db_rows_text_of(rows, 0, "outcome"), what, body);
}

/* A mail program that marks no quote leaves our own sentences below his words. */
static bool quotes_frame(const struct answer *answer)
{
    g_auto(GStrv) lines = g_strsplit(answer->text.text, "\n", -1);

    for (char **line = lines; *line; line++)
        if (text_known_line(answer->frame, *line, strlen(*line)) == TEXT_KNOWN_LINE)
            return true;
    return false;
}

static void correct(const struct answer *answer)
{
    const struct extracted_text *text = &answer->text;
    const char *channel = db_rows_text_of(answer->report, 0, "channel");
    g_autofree char *body = NULL, *marked = NULL;
    struct going going = {0};

    if (text->certainty == TEXT_EMPTY || !*text->text) {
        say(answer, REPLY_ANSWER_WHAT, "answer-refused");
    } else if (text->certainty == TEXT_UNCERTAIN || quotes_frame(answer)) {
        say(answer, REPLY_ANSWER_UNCERTAIN, "answer-refused");
    } else {
        marked = text_format(text, channel ? channel : "");
        body = check_text(answer, marked, &going);
        if (body)
            act(answer, "send", body, &going);
        json_decref(going.parts);
    }
}

/* Sends the preview's text, never when that is empty. */
static void confirm(const struct answer *answer)
{
    const char *body = db_rows_text_of(answer->report, 0, "body");
    bool media = json_array_size(json_object_get(answer->metadata, "media")) > 0;
    g_autofree char *text = NULL;
    struct going going = {0};

    if (!media && (!body || body[strspn(body, " \t\r\n")] == '\0')) {
        say(answer, REPLY_ANSWER_WHAT, "answer-refused");
        return;
    }
    text = check_text(answer, body ? body : "", &going);
    if (text)
        act(answer, "send", NULL, &going);
    json_decref(going.parts);
}

static void resend(const struct answer *answer)
{
    g_auto(again_t) again = {0};

    if (check_right(answer, &again))
        act(answer, "resend", NULL, NULL);
}

static void read_words(struct answer *answer)
{
    switch (*answer->text.text ? answer_word_of(answer->text.text) : ANSWER_TEXT) {
    case ANSWER_SEND:
        confirm(answer);
        break;
    case ANSWER_CANCEL:
        act(answer, "cancel", NULL, NULL);
        break;
    case ANSWER_RESEND:
        resend(answer);
        break;
    case ANSWER_CONSENT:
        say(answer, REPLY_ANSWER_CONSENT, "answer-refused");
        break;
    case ANSWER_TEXT:
        correct(answer);
        break;
    }
}

/* What he wrote, with our own words known for what they are.  Not the held text: his correction may repeat it. */
static void read_text(struct answer *answer)
{
    const char *metadata = db_rows_text_of(answer->report, 0, "metadata");
    const struct parsed_mail *parsed = answer->submission->parsed;
    g_autoptr(text_known) known = text_known_new();

    answer->metadata = metadata ? json_loads(metadata, 0, NULL) : NULL;
    const char *recipient = json_string_value(json_object_get(answer->metadata, "recipient"));
    g_autofree char *frame = mail_report_frame(recipient ? recipient : "",
                                               json_string_value(json_object_get(answer->metadata, "text_reason")));
    text_known_add(known, frame);
    text_extract(parsed, known, &answer->text);
    answer->frame = g_steal_pointer(&known);
}

void answer_notice(const struct submission *submission, struct txn_recipient *rcpt,
                   const struct policy_request *request, const struct policy_facts *facts)
{
    struct answer answer = {.submission = submission, .rcpt = rcpt, .request = request, .facts = facts};
    const char *id = facts->address.id;
    g_autoptr(GError) error = NULL;
    struct ids_token token;
    ids_uuid uuid;

    if (ids_token_verify(submission->door->ids_keys, IDS_NOTICE, id, strlen(id), ump_clock_now_us(), &token) !=
            IDS_TOKEN_OK ||
        token.subject_length != sizeof uuid.bytes) {
        say(&answer, REPLY_ANSWER_UNKNOWN, "answer-unknown");
        return;
    }
    memcpy(uuid.bytes, token.subject, sizeof uuid.bytes);
    ids_uuid_format(&uuid, answer.message);
    if (load_report(&answer, &error) < 0) {
        log_warning("error", error->message, "status", "database");
        say(&answer, REPLY_DATABASE_DOWN, "deferred");
    } else if (db_rows_count(answer.report) == 0) {
        say(&answer, REPLY_ANSWER_UNKNOWN, "answer-unknown");
    } else if (!is_his(&answer)) {
        say(&answer, REPLY_ANSWER_NOT_YOURS, "answer-refused");
    } else {
        read_text(&answer);
        read_words(&answer);
    }
    json_decref(answer.metadata);
    text_known_free(answer.frame);
    extracted_text_clear(&answer.text);
    db_rows_free(answer.report);
}
