/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/judge.h"

#include <pthread.h>
#include <string.h>

#include "core/address.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/db.h"
#include "core/evidence.h"
#include "core/ids.h"
#include "core/log.h"
#include "core/policy_alarm.h"
#include "core/smtp_path.h"
#include "core/text_extract.h"

/* A read takes under a millisecond; what does not answer in this time is down. */
#define FACTS_TIMEOUT_MS 2000

struct judge {
    const struct config *config;
    struct db *db;
    struct policy_alarm *alarm;
    pthread_rwlock_t lock; /* the keys */
    struct stamp_keys *stamp_keys;
    struct ids_keys *ids_keys;
    struct policy_site site; /* .ids is set per use */
};

/* ---- Keys ---- */

int judge_reload(struct judge *judge, GError **error)
{
    g_autoptr(stamp_keys_t) stamps = stamp_keys_load(config_get_string(judge->config, "gateway", "stamp_key_file"), error);
    if (stamps == NULL)
        return -1;
    g_autoptr(ids_keys_t) ids = ids_keys_load(config_get_string(judge->config, "gateway", "id_key_file"), error);
    if (ids == NULL)
        return -1;
    pthread_rwlock_wrlock(&judge->lock);
    struct stamp_keys *old_stamps = judge->stamp_keys;
    struct ids_keys *old_ids = judge->ids_keys;
    judge->stamp_keys = g_steal_pointer(&stamps);
    judge->ids_keys = g_steal_pointer(&ids);
    judge->site.ids = judge->ids_keys;
    pthread_rwlock_unlock(&judge->lock);
    stamp_keys_free(old_stamps);
    ids_keys_free(old_ids);
    return 0;
}

struct judge *judge_new(const struct config *config, struct db *db, GError **error)
{
    struct judge *judge = g_new0(struct judge, 1);
    judge->config = config;
    judge->db = db;
    judge->alarm = policy_alarm_new(db);
    pthread_rwlock_init(&judge->lock, NULL);
    policy_site_init(&judge->site, config, NULL);
    if (judge_reload(judge, error) < 0) {
        judge_free(judge);
        return NULL;
    }
    return judge;
}

void judge_free(struct judge *judge)
{
    if (judge == NULL)
        return;
    stamp_keys_free(judge->stamp_keys);
    ids_keys_free(judge->ids_keys);
    pthread_rwlock_destroy(&judge->lock);
    policy_alarm_free(judge->alarm);
    g_free(judge);
}

const struct policy_site *judge_site(const struct judge *judge)
{
    return &judge->site;
}

/* ---- Facts ---- */

static struct policy_request request_of(const struct mail *mail, const char *recipient)
{
    struct policy_request request = {.who = POLICY_WHO_NOBODY, .sender = mail->sender, .recipient = recipient};
    if (mail->login != NULL)
        request.who.login = mail->login;
    else
        request.who.client = mail->client;
    return request;
}

/* The facts, or NULL when the database does not answer. */
static const struct policy_facts *facts_of(struct judge *judge, struct mail *mail, const struct policy_request *request,
                                           struct policy_facts *facts)
{
    g_autoptr(GError) error = NULL;
    if (mail->database_down || judge->db == NULL)
        return NULL;
    if (policy_facts_load(judge->db, &judge->site, request, FACTS_TIMEOUT_MS, facts, &error) == 0) {
        mail->machine = mail->machine || facts->machine;
        return facts;
    }
    mail->database_down = true;
    log_warning("id", mail->txn, "queue", mail->queue_id, "reason", error->message, "status", "database-down");
    return NULL;
}

/* As LOG_ADDRESS masks it, whatever tricks the local part plays; g_free. */
static char *loggable(const char *address)
{
    g_autoptr(GString) plain = g_string_new(NULL);
    const char *domain = mail_domain_of(address);
    for (const char *p = address; *p != '\0' && strchr("@%!", *p) == NULL; p++)
        if (*p != '"' && *p != '\\')
            g_string_append_c(plain, *p);
    g_string_append_printf(plain, "@%s", domain);
    return g_strdup(LOG_ADDRESS(plain->str));
}

static void log_verdict(const struct mail *mail, const char *recipient, const struct policy_verdict *verdict,
                        const char *status)
{
    g_autofree char *masked = recipient != NULL ? loggable(recipient) : NULL;
    log_info("id", mail->txn, "queue", mail->queue_id, "login", mail->login, "client", mail->client, "sender",
             LOG_ADDRESS(mail->sender), "recipient", masked, "reason", verdict->log, "status", status);
}

/* ---- RCPT ---- */

static void remember(struct mail_recipient *r, const struct policy_facts *facts)
{
    r->kind = facts->address.kind;
    g_free(r->id);
    r->id = g_strdup(facts->address.id);
    g_free(r->channel);
    r->channel = g_strdup(facts->address.channel);
    g_strfreev(r->members);
    r->members = r->kind == ADDRESS_GROUP ? g_strdupv(facts->group_members) : NULL;
}

/* The address as ump-lmtp will see it; what cannot be parsed stays as it is. */
static char *canonical(const char *address)
{
    g_auto(smtp_path_t) path = {0};
    if (smtp_address_parse(address, strlen(address), true, &path) != SMTP_PATH_OK)
        return g_strdup(address);
    return g_strdup(path.address);
}

static char *unquoted(const char *address)
{
    g_auto(smtp_path_t) path = {0};
    if (smtp_address_parse(address, strlen(address), true, &path) != SMTP_PATH_OK)
        return g_strdup(address);
    return g_strconcat(path.local, "@", path.domain, NULL);
}

static enum policy_action judge_gateway(struct judge *judge, struct mail *mail, const char *address,
                                        struct policy_facts *facts, struct policy_verdict *verdict)
{
    g_autofree char *plain = unquoted(address);
    struct policy_request request = request_of(mail, plain);
    request.early = true;
    request.already = mail->gateways;
    pthread_rwlock_rdlock(&judge->lock);
    /* what needs no database is refused without it */
    enum policy_action action = policy_check_recipient(&judge->site, &request, NULL, verdict);
    if (action == POLICY_ACCEPT || verdict->reason == POLICY_UNAVAILABLE) {
        const struct policy_facts *known = facts_of(judge, mail, &request, facts);
        if (known != NULL) {
            policy_verdict_clear(verdict);
            action = policy_check_recipient(&judge->site, &request, known, verdict);
            policy_alarm_look(judge->alarm, &request, known, verdict);
        }
    }
    pthread_rwlock_unlock(&judge->lock);
    return action;
}

static char *address_of(const char *envelope, const char *resolved)
{
    g_auto(smtp_path_t) path = {0};
    g_autofree char *address = mail_strip_brackets(envelope);
    if (resolved != NULL && smtp_address_parse(address, strlen(address), true, &path) != SMTP_PATH_OK)
        return g_strdup(resolved);
    return g_steal_pointer(&address);
}

enum policy_action judge_recipient(struct judge *judge, struct mail *mail, const char *envelope,
                                   const char *resolved, struct policy_verdict *verdict)
{
    g_autofree char *address = address_of(envelope, resolved);
    const struct address_space space = {judge->site.domains, judge->site.channels, judge->site.region};
    bool gateway = mail_concerns_gateway(address, &space);
    *verdict = (struct policy_verdict){0};
    if (!gateway || mail->local) {
        mail_add_recipient(mail, envelope, canonical(address), false);
        return POLICY_ACCEPT;
    }
    g_auto(policy_facts_t) facts = {0};
    enum policy_action action = judge_gateway(judge, mail, address, &facts, verdict);
    if (action != POLICY_ACCEPT) {
        log_verdict(mail, address, verdict, action == POLICY_TEMPORARY ? "deferred" : "refused");
        return action;
    }
    struct mail_recipient *r = mail_add_recipient(mail, envelope, canonical(address), true);
    if (facts.known)
        remember(r, &facts);
    return POLICY_ACCEPT;
}

/* ---- End of message ---- */

struct eom {
    struct judge *judge;
    struct mail *mail;
    struct parsed_mail *parsed; /* NULL: cut, or unreadable */
    struct extracted_text text; /* of it */
    bool evidence_asked;
    struct policy_message message;
    struct policy_request base;
    guint accepted;
    bool partial;
    bool stop; /* a refusal of the whole mail was said */
};

static void read_text(struct eom *e, const struct text_known *known)
{
    extracted_text_clear(&e->text);
    text_extract(e->parsed, known, &e->text);
    e->message.refusal = mail_refusal_of(e->parsed, e->text.text[strspn(e->text.text, " \t\r\n")] != '\0');
}

static void read_message(struct eom *e)
{
    g_autoptr(GString) source = mail_source(e->mail);
    struct parsed_mail *parsed = NULL;
    if (e->mail->cut || mail_parse(source->str, source->len, NULL, &parsed, NULL) != 0)
        return;
    e->parsed = parsed;
    e->message.attachments = parsed->attachments->len + (parsed->reaction != NULL) + parsed->is_calendar;
    e->message.media = parsed_mail_media(parsed, &e->message.media_bytes);
    e->message.convertible_bytes = parsed_mail_convertible(parsed); /* ump-lmtp makes them fit */
    e->message.media_largest = parsed_mail_largest(parsed);
    e->message.subject = parsed->subject;
    e->message.deferred_until = parsed->deferred_until;
    e->message.text_length = -1;
    read_text(e, NULL);
}

/* What would be sent, for counting: text stays NULL where it is not certain and would be held. */
static void measure(struct eom *e, const struct policy_facts *facts)
{
    bool best = facts != NULL && policy_sends_uncertain(facts) && e->text.text != NULL && *e->text.text != '\0';
    e->message.text = e->text.certainty != TEXT_UNCERTAIN || best ? e->text.text : NULL;
}

/* What stands in the thread already may settle what is new: asked once, and only where it can change the verdict. */
static bool ask_evidence(struct eom *e, const struct policy_verdict *verdict)
{
    struct text_known *known = NULL;
    g_autoptr(GError) error = NULL;
    bool matters = e->text.certainty == TEXT_UNCERTAIN || verdict->reason == POLICY_TOO_LONG;
    if (!matters || e->evidence_asked || e->parsed == NULL || e->mail->database_down || e->judge->db == NULL)
        return false;
    e->evidence_asked = true;
    if (evidence_load(e->judge->db, e->mail->login, e->base.refs, ump_clock_now_us(), FACTS_TIMEOUT_MS, &known, &error) < 0) {
        e->mail->database_down = true;
        log_warning("id", e->mail->txn, "queue", e->mail->queue_id, "reason", error->message, "status", "database-down");
        return false;
    }
    if (known == NULL)
        return false;
    read_text(e, known);
    text_known_free(known);
    return true;
}

static enum policy_action judge_content(struct eom *e, const struct policy_request *request,
                                        const struct policy_facts *known, struct policy_verdict *verdict)
{
    const struct policy_site *site = &e->judge->site;
    measure(e, known);
    enum policy_action action = policy_check_content(site, request, known, &e->message, verdict);
    if (known == NULL || !ask_evidence(e, verdict))
        return action;
    policy_verdict_clear(verdict);
    measure(e, known);
    return policy_check_content(site, request, known, &e->message, verdict);
}

/* Members of a group that is addressed too get the message there. */
static void drop_members(struct mail *mail)
{
    for (guint i = 0; i < mail->recipients->len; i++) {
        const struct mail_recipient *group = g_ptr_array_index(mail->recipients, i);
        for (guint j = 0; group->members != NULL && j < mail->recipients->len; j++) {
            struct mail_recipient *r = g_ptr_array_index(mail->recipients, j);
            if (r->gateway && r != group && r->id != NULL && g_strcmp0(r->channel, group->channel) == 0 &&
                g_strv_contains((const char *const *)group->members, r->id))
                r->dropped = true;
        }
    }
}

/* One recipient with everything known; a refusal that may hit the whole mail is kept in *first. */
static void judge_again(struct eom *e, struct mail_recipient *r, struct policy_verdict *first)
{
    g_auto(policy_facts_t) facts = {0};
    g_auto(policy_verdict_t) verdict = {0};
    const struct policy_site *site = &e->judge->site;
    g_autofree char *plain = unquoted(r->address);
    struct policy_request request = e->base;
    request.recipient = plain;
    request.already = e->accepted;
    const struct policy_facts *known = facts_of(e->judge, e->mail, &request, &facts);
    if (known != NULL)
        remember(r, known);
    e->partial = e->partial || known == NULL;
    if (policy_check_mail(site, &request, known, &e->message, &verdict) == POLICY_ACCEPT) {
        policy_verdict_clear(&verdict);
        if (policy_check_recipient(site, &request, known, &verdict) == POLICY_ACCEPT) {
            policy_verdict_clear(&verdict);
            judge_content(e, &request, known, &verdict);
        }
    }
    if (verdict.action == POLICY_ACCEPT) {
        e->accepted++;
        return;
    }
    e->stop = e->stop || verdict.scope == POLICY_SCOPE_MAIL;
    log_verdict(e->mail, r->address, &verdict, "objection");
    policy_alarm_look(e->judge->alarm, &request, known, &verdict);
    if (first->action == POLICY_ACCEPT || (verdict.scope == POLICY_SCOPE_MAIL && first->scope != POLICY_SCOPE_MAIL)) {
        policy_verdict_clear(first);
        *first = verdict;
        verdict = (struct policy_verdict){0};
    }
}

static enum policy_action judge_all(struct eom *e, struct policy_verdict *verdict)
{
    g_auto(policy_verdict_t) first = {0};
    for (guint i = 0; i < e->mail->recipients->len && !e->stop; i++) {
        struct mail_recipient *r = g_ptr_array_index(e->mail->recipients, i);
        if (r->gateway)
            judge_again(e, r, &first);
    }
    drop_members(e->mail);
    bool alone = e->mail->gateways == e->mail->recipients->len;
    if (first.action != POLICY_ACCEPT && (e->stop || (alone && e->accepted == 0))) {
        *verdict = first;
        first = (struct policy_verdict){0};
    }
    return verdict->action;
}

enum policy_action judge_mail(struct judge *judge, struct mail *mail, bool *checked, struct policy_verdict *verdict)
{
    g_autofree char *from = NULL;
    g_autofree char *ump_from = mail_field_text(mail, "UMP-From");
    g_autofree char *template = mail_field_text(mail, "UMP-Template");
    g_auto(GStrv) refs = mail_references(mail);
    struct eom e = {.judge = judge, .mail = mail, .base = request_of(mail, "")};

    *verdict = (struct policy_verdict){0};
    mail_auto_finish(&mail->automatic);
    e.message.from_state = mail_from_check(mail->from != NULL ? mail->from : "", mail->from_count, &from);
    e.message.auto_class = mail->automatic.class;
    e.message.auto_reason = mail->automatic.reason;
    e.message.size = mail->size;
    read_message(&e);
    e.base.from = from;
    e.base.refs = (const char *const *)refs;
    e.base.ump_from = mail->login != NULL ? ump_from : NULL;
    e.base.template = mail->login != NULL ? template : NULL;
    pthread_rwlock_rdlock(&judge->lock);
    enum policy_action action = judge_all(&e, verdict);
    pthread_rwlock_unlock(&judge->lock);
    *checked = !e.partial;
    extracted_text_clear(&e.text);
    parsed_mail_free(e.parsed);
    if (action != POLICY_ACCEPT)
        log_verdict(mail, NULL, verdict, "refused");
    return action;
}

/* ---- The stamp ---- */

static char *stamp_message_id(const struct mail *mail)
{
    g_autofree char *value = mail_field_text(mail, "Message-ID");
    return g_strdup(value != NULL ? value : "");
}

char *judge_stamp(struct judge *judge, const struct mail *mail, bool checked)
{
    if (mail->login == NULL && !(mail->machine && mail->gateways > 0))
        return NULL;
    struct policy_request request = request_of(mail, "");
    g_autofree char *login = policy_who_format(&request.who);
    g_autofree char *from = NULL;
    g_autofree char *message_id = stamp_message_id(mail);
    g_autoptr(GPtrArray) tokens = g_ptr_array_new();
    for (guint i = 0; i < mail->recipients->len; i++) {
        struct mail_recipient *r = g_ptr_array_index(mail->recipients, i);
        if (!r->dropped) /* a local address may be an alias that leads to a number: its token follows it */
            g_ptr_array_add(tokens, r->address);
    }
    g_ptr_array_add(tokens, NULL);
    mail_from_check(mail->from != NULL ? mail->from : "", mail->from_count, &from);
    const struct stamp stamp = {
        .kind = STAMP_MILTER,
        .txn = mail->txn,
        .time = ump_clock_now_us() / CLOCK_SECOND,
        .login = login,
        .machine = mail->machine,
        .checked = checked,
        .sender = mail->sender,
        .from = from != NULL ? from : (char *)"",
        .message_id = message_id,
    };
    pthread_rwlock_rdlock(&judge->lock);
    char *value = stamp_sign(judge->stamp_keys, &stamp, (const char *const *)tokens->pdata);
    pthread_rwlock_unlock(&judge->lock);
    return value;
}
