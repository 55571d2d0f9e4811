/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/submission.h"

#include <string.h>
#include <time.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/db.h"
#include "core/endpoint_settings.h"
#include "core/evidence.h"
#include "core/hmac.h"
#include "core/ids.h"
#include "core/log.h"
#include "core/media_store.h"
#include "core/parts.h"
#include "core/text_format.h"
#include "core/utf8_text.h"
#include "lmtp/fit.h"
#include "lmtp/reply.h"

#define MAX_REFS 50

/* ---- Once per mail ---- */

static void read_references(struct submission *submission)
{
    const struct parsed_mail *parsed = submission->parsed;

    submission->refs = g_ptr_array_new();
    if (parsed->in_reply_to)
        g_ptr_array_add(submission->refs, parsed->in_reply_to);
    for (guint n = g_strv_length(parsed->references); n > 0 && submission->refs->len < MAX_REFS; n--)
        if (g_strcmp0(parsed->references[n - 1], parsed->in_reply_to) != 0)
            g_ptr_array_add(submission->refs, parsed->references[n - 1]);
    g_ptr_array_add(submission->refs, NULL);
}

static void choose_attachments(struct submission *submission)
{
    const struct parsed_mail *parsed = submission->parsed;

    submission->attached = g_ptr_array_new();
    for (guint i = 0; i < parsed->attachments->len; i++) {
        struct mail_attachment *attachment = g_ptr_array_index(parsed->attachments, i);
        if (!mail_attachment_is_media(attachment))
            continue;
        g_ptr_array_add(submission->attached, attachment);
        if (attachment->is_inline && attachment->content_id && submission->refs->len > 1)
            submission->inline_in_reply = true;
    }
}

/* Only of a mail that answers something; bound by the stamp's time, so that a repeat of the mail reads the same. */
static int load_evidence(struct submission *submission, GError **error)
{
    const struct stamp *stamp = &submission->mail->stamp;

    if (stamp->machine)
        return 0;
    return evidence_load(submission->door->db, stamp->login, (const char *const *)submission->refs->pdata,
                         (stamp->time + 1) * CLOCK_SECOND, submission->door->database_ms, &submission->known, error);
}

enum submission_result submission_open(struct submission *submission, struct door *door, const struct txn *txn,
                                       const struct mail *mail, char **reply)
{
    g_autoptr(GError) error = NULL;
    int result;

    memset(submission, 0, sizeof *submission);
    submission->door = door;
    submission->txn = txn;
    submission->mail = mail;
    result = mail_parse(mail->data, mail->length, NULL, &submission->parsed, &error);
    if (result != 0) {
        *reply = g_strconcat("554 ", result > 0 ? mime_limits_sentence((enum mime_limits_outcome)result)
                                                : "5.6.0 this is no mail", NULL);
        return SUBMISSION_LIMITS;
    }
    read_references(submission);
    choose_attachments(submission);
    if (load_evidence(submission, &error) < 0) {
        log_warning("queue", txn->forward.ident, "error", error->message, "status", "database");
        *reply = g_strdup(reply_text(REPLY_DATABASE_DOWN));
        return SUBMISSION_UNAVAILABLE;
    }
    if (!submission->parsed->reaction)
        text_extract(submission->parsed, submission->known, &submission->text);
    return SUBMISSION_OK;
}

void submission_close(struct submission *submission)
{
    g_clear_pointer(&submission->refs, g_ptr_array_unref);
    g_clear_pointer(&submission->attached, g_ptr_array_unref);
    g_clear_pointer(&submission->outgoing, g_ptr_array_unref);
    g_clear_pointer(&submission->fitted_for, g_free);
    extracted_text_clear(&submission->text);
    text_known_free(submission->known);
    json_decref(submission->media);
    json_decref(submission->originals);
    parsed_mail_free(submission->parsed);
    memset(submission, 0, sizeof *submission);
}

void submission_fit(struct submission *submission, const struct policy_facts *facts)
{
    const struct fit fit = {config_get_string(submission->door->config, "media", "convert"), submission->txn->forward.ident};
    char *limits = json_dumps(json_object_get(facts->endpoint_settings, "limits"), JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);

    if (submission->outgoing && g_strcmp0(limits, submission->fitted_for) == 0) {
        free(limits);
        return;
    }
    g_clear_pointer(&submission->outgoing, g_ptr_array_unref);
    g_clear_pointer(&submission->media, json_decref);
    g_free(submission->fitted_for);
    submission->fitted_for = g_strdup(limits ? limits : "");
    free(limits);
    submission->outgoing = fit_attachments(&fit, submission->attached, facts->endpoint_settings);
}

static json_t *describe(const char *sha, const char *type, const char *name, gsize size)
{
    return json_pack("{s:s, s:s, s:s, s:I}", "sha256", sha, "type", type, "name", name, "size", (json_int_t)size);
}

/* The attachment as it came, for body_hash(): what a conversion makes of it may differ from one time to another. */
static json_t *describe_original(const struct mail_attachment *attachment)
{
    uint8_t hash[32];
    g_autofree char *sha = NULL;
    gsize size;
    const void *data = g_bytes_get_data(attachment->content, &size);

    hmac_sha256(data, size, hash);
    sha = hmac_hex(hash, sizeof hash);
    return describe(sha, attachment->type, attachment->name, size);
}

int submission_store_media(struct submission *submission, GError **error)
{
    json_t *list, *originals;

    if (submission->media)
        return 0;
    list = json_array();
    originals = json_array();
    for (guint i = 0; i < submission->outgoing->len; i++) {
        const struct outgoing *outgoing = g_ptr_array_index(submission->outgoing, i);
        const struct mail_attachment *attachment = g_ptr_array_index(submission->attached, i);
        char sha[MEDIA_SHA_TEXT];
        gsize size;
        const void *data = g_bytes_get_data(outgoing->content, &size);
        if (media_store_put(submission->door->media, data, size, sha, error) < 0) {
            json_decref(list);
            json_decref(originals);
            return -1;
        }
        json_array_append_new(list, describe(sha, outgoing->type, outgoing->name, size));
        json_array_append_new(originals, outgoing->content == attachment->content
                                             ? describe(sha, attachment->type, attachment->name, size)
                                             : describe_original(attachment));
    }
    submission->media = list;
    json_decref(submission->originals);
    submission->originals = originals;
    return 0;
}

/* ---- For the policy ---- */

static bool has_text(const struct submission *submission)
{
    const char *text = submission->text.text;

    return text && text[strspn(text, " \t\r\n")] != '\0';
}

/* Is the text known: certain, or the best reading goes out?  Never when that is empty. */
static bool is_settled(const struct submission *submission, const struct policy_facts *facts)
{
    if (submission->text.certainty != TEXT_UNCERTAIN)
        return true;
    return facts && policy_sends_uncertain(facts) && has_text(submission);
}

void submission_policy_message(const struct submission *submission, const struct policy_facts *facts, const char *text,
                               struct policy_message *out)
{
    const struct parsed_mail *parsed = submission->parsed;

    *out = (struct policy_message){
        .from_state = parsed->from_state,
        .auto_class = parsed->auto_class,
        .auto_reason = parsed->auto_reason,
        .size = (gint64)submission->mail->length,
        .text = is_settled(submission, facts) ? text : NULL,
        .text_length = -1,
        .deferred_until = parsed->deferred_until,
        .refusal = mail_refusal_of(parsed, has_text(submission)),
        .attachments = submission->attached->len + (parsed->reaction ? 1 : 0),
        .media = submission->attached->len,
    };
    if (!submission->outgoing) {
        parsed_mail_media(parsed, &out->media_bytes);
        out->media_largest = parsed_mail_largest(parsed);
        return;
    }
    for (guint i = 0; i < submission->outgoing->len; i++) {
        gint64 size = (gint64)g_bytes_get_size(((struct outgoing *)submission->outgoing->pdata[i])->content);
        out->media_bytes += size;
        out->media_largest = MAX(out->media_largest, size);
    }
}

void submission_request(const struct submission *submission, const struct txn_recipient *rcpt,
                        struct policy_request *out)
{
    const struct stamp *stamp = &submission->mail->stamp;

    *out = (struct policy_request){
        .sender = submission->txn->sender.address,
        .recipient = rcpt->path.address,
        .from = submission->parsed->from,
        .refs = (const char *const *)submission->refs->pdata,
        .ump_from = submission->parsed->ump_from,
        .template = submission->parsed->ump_template,
        .already = submission->accepted,
    };
    policy_who_parse(stamp->login, stamp->machine, &out->who);
}

/* ---- The text ---- */

static bool wants_subject(const struct submission *submission, const struct policy_facts *facts)
{
    if (facts->machine)
        return facts->machine_subject_first;
    return submission->refs->len == 1 && endpoint_setting_bool(facts->endpoint_settings, "subject_first", false);
}

char *submission_text(const struct submission *submission, const struct policy_facts *facts)
{
    const char *subject = submission->parsed->subject;
    g_autofree char *whole = NULL, *text = NULL;

    if (submission->parsed->reaction)
        return g_strdup(submission->parsed->reaction);
    text = text_format(&submission->text, facts->endpoint_channel ? facts->endpoint_channel : "");
    if (subject && *subject && wants_subject(submission, facts))
        whole = g_strconcat(subject, *text ? "\n" : "", text, NULL);
    else
        whole = g_steal_pointer(&text);
    return policy_fit_text(facts, whole, strlen(whole));
}

const char *submission_hold(const struct submission *submission, const struct policy_facts *facts)
{
    if (submission->parsed->reaction)
        return NULL;
    if (!is_settled(submission, facts))
        return submission->text.reason ? submission->text.reason : "it is not certain which text is new";
    if (submission->inline_in_reply && !policy_sends_uncertain(facts))
        return "the pictures within the text may belong to the mail that it answers";
    return NULL;
}

/* ---- accept_submission ---- */

static void put(json_t *object, const char *key, const char *text)
{
    g_autofree char *valid = text && *text ? utf8_valid(text, -1) : NULL;

    if (valid)
        json_object_set_new(object, key, json_string(valid));
}

static char *notify_words(guint notify)
{
    GString *words = g_string_new(NULL);

    if (notify & SMTP_NOTIFY_NEVER)
        g_string_append(words, "NEVER,");
    if (notify & SMTP_NOTIFY_SUCCESS)
        g_string_append(words, "SUCCESS,");
    if (notify & SMTP_NOTIFY_FAILURE)
        g_string_append(words, "FAILURE,");
    if (notify & SMTP_NOTIFY_DELAY)
        g_string_append(words, "DELAY,");
    g_string_truncate(words, words->len > 0 ? words->len - 1 : 0);
    return g_string_free(words, FALSE);
}

static void put_envelope(json_t *object, const struct submission *submission, const struct txn_recipient *rcpt)
{
    const struct smtp_path *sender = &submission->txn->sender;
    g_autofree char *notify = notify_words(rcpt->path.notify);
    g_autofree char *orcpt = rcpt->path.orcpt ? g_strconcat(rcpt->path.orcpt_type, ";", rcpt->path.orcpt, NULL) : NULL;

    put(object, "recipient", rcpt->path.address);
    put(object, "envelope_sender", sender->address);
    put(object, "envid", sender->envid);
    put(object, "ret", sender->ret == SMTP_RET_FULL ? "FULL" : sender->ret == SMTP_RET_HDRS ? "HDRS" : NULL);
    put(object, "notify", notify);
    put(object, "orcpt", orcpt);
    json_object_set_new(object, "recipients", json_integer(submission->txn->rcpts->len));
    json_object_set_new(object, "arrived", json_integer(submission->txn->started));
}

/* Reports go by themselves to nobody but the sender (RFC 8098, 2.1), by whichever of his addresses he named. */
static const char *read_report_to(const struct submission *submission)
{
    const struct parsed_mail *parsed = submission->parsed;
    const char *const own[] = {parsed->from, submission->mail->stamp.login, submission->txn->sender.address};

    for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
        if (own[i] && g_ascii_strcasecmp(parsed->read_report_to, own[i]) == 0)
            return parsed->read_report_to;
    return parsed->from;
}

static char *metadata_of(const struct submission *submission, const struct submission_message *message, json_t *parts)
{
    const struct parsed_mail *parsed = submission->parsed;
    const struct stamp *stamp = &submission->mail->stamp;
    json_t *object = json_object();
    char *text;

    put(object, "subject", parsed->subject);
    if (json_array_size(submission->media) > 0)
        json_object_set(object, "media", submission->media);
    if (parts)
        json_object_set(object, "parts", parts);
    if (parsed->reaction) {
        json_t *reaction = json_object();
        if (parsed->reaction_removed) /* which it was, ump.accept_submission finds */
            json_object_set_new(reaction, "removed", json_true());
        else
            put(reaction, "emoji", parsed->reaction);
        put(reaction, "target", parsed->in_reply_to);
        json_object_set_new(object, "reaction", reaction);
    }
    if (parsed->urgent)
        json_object_set_new(object, "urgent", json_true());
    if (message->template)
        json_object_set(object, "template", message->template);
    put(object, "text_reason", message->hold);
    put(object, "waits", message->waits);
    if (message->hold && message->due > 0)
        json_object_set_new(object, "due", json_integer(message->due));
    put(object, "in_reply_to", parsed->in_reply_to);
    put(object, "from", parsed->from);
    put(object, "login", stamp->login);
    put(object, "txn", stamp->txn);
    if (parsed->read_report)
        put(object, "read_report_to", read_report_to(submission));
    put_envelope(object, submission, message->rcpt);
    text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

/* What makes two submissions the same message: text, attachments as they came, subject; not the fields that a repeat
 * changes. */
static void body_hash(const struct submission *submission, const struct submission_message *message,
                      uint8_t hash[static 32])
{
    g_autofree char *media = json_dumps(submission->originals, JSON_COMPACT);
    const char *subject = submission->parsed->subject ? submission->parsed->subject : "";
    g_autofree char *whole = g_strdup_printf("%s%c%s%c%s%c%s", subject, 0x1f, message->text, 0x1f, media, 0x1f,
                                             submission->parsed->reaction ? submission->parsed->in_reply_to : "");

    hmac_sha256(whole, strlen(whole), hash);
}

static gint64 expires_of(const struct submission *submission, const struct submission_message *message)
{
    gint64 seconds = endpoint_setting_int(message->facts->endpoint_settings, "send_expires",
                                          submission->door->send_expires / CLOCK_SECOND);

    return MAX(message->due, ump_clock_now_us()) + seconds * CLOCK_SECOND;
}

static const char *type_of(const struct submission *submission)
{
    if (submission->parsed->reaction)
        return "reaction";
    return submission->attached->len > 0 ? "media" : "text";
}

/* As which messages of the network it goes out; NULL: as one.  Of what is held the answer says it: its text is not known. */
static json_t *plan_parts(const struct submission *submission, const struct submission_message *message)
{
    if (message->hold || message->template)
        return NULL;
    return parts_plan(json_object_get(message->facts->endpoint_settings, "limits"), message->text, submission->media);
}

struct db_params *submission_params(struct submission *submission, struct submission_message *message)
{
    const struct door *door = submission->door;
    const struct policy_facts *facts = message->facts;
    g_autoptr(json_t) parts = plan_parts(submission, message);
    g_autofree char *metadata = metadata_of(submission, message, parts);
    g_autofree char *recipient = g_ascii_strdown(message->rcpt->path.address, -1);
    g_autofree char *mail_id = submission->parsed->message_id ? g_strdup(submission->parsed->message_id)
                                                              : ids_message_id(message->message_id, door->domains[0]);
    g_autofree char *caps = NULL;
    struct db_params *params = db_params_new();
    uint8_t hash[32];

    message->segments = policy_segments(&door->site, facts, message->text);
    caps = policy_caps_json(&door->site, facts, (guint)json_array_size(parts), message->segments);
    body_hash(submission, message, hash);
    db_params_int(params, facts->account_id);
    db_params_text(params, submission->mail->stamp.txn);
    db_params_text(params, recipient);
    db_params_bytea(params, hash, sizeof hash);
    db_params_uuid(params, message->message_id);
    db_params_uuid(params, facts->user_id);
    db_params_uuid(params, facts->machine_id);
    db_params_text(params, facts->owner_kind);
    db_params_uuid(params, facts->owner_id);
    db_params_uuid(params, facts->endpoint_id);
    db_params_text(params, facts->endpoint_channel);
    db_params_text(params, message->identifier);
    db_params_uuid(params, message->group_id);
    db_params_text(params, facts->endpoint_address);
    db_params_text(params, type_of(submission));
    db_params_text(params, message->text);
    db_params_text(params, metadata);
    db_params_text(params, mail_id);
    db_params_texts(params, (const char *const *)submission->refs->pdata);
    db_params_int(params, message->segments);
    db_params_time_or_null(params, message->due);
    db_params_time_or_null(params, expires_of(submission, message));
    db_params_text(params, message->hold);
    db_params_text(params, caps);
    db_params_interval(params, door->window);
    db_params_int(params, door->segment_messages);
    db_params_interval(params, door->segment_silence);
    return params;
}

char *submission_lock_key(const struct submission_message *message)
{
    const struct policy_facts *facts = message->facts;

    return g_strconcat(facts->user_id ? facts->user_id : facts->machine_id ? facts->machine_id : "", "/",
                       message->identifier, NULL);
}
