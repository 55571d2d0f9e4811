/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy: may this person or machine send this mail to this gateway address?  One set of pure
 * functions, run by ump-milter (early, so that the author reads the reason in his mail program) and
 * again by ump-lmtp (the one that counts: it sees the recipients behind aliases).
 *
 * Who runs what:
 *
 *   RCPT   milter  policy_check_recipient() with what is known so far (no From, no references).
 *                  A refusal answers that one RCPT; the other recipients are not touched.
 *   EOM    milter  policy_check_mail(), then per gateway recipient policy_check_recipient() with
 *                  From, references and UMP-From, then policy_check_content().  Now a refusal can
 *                  only hit the whole mail, so its scope decides:
 *                    SCOPE_MAIL       the mail itself is at fault (From is not his, two From …):
 *                                     refuse it whole;
 *                    SCOPE_CONTENT,   refuse it whole only if gateway addresses are its only
 *                    SCOPE_RECIPIENT  recipients and each of them is refused; else accept:
 *                                     ump-lmtp refuses those recipients alone, and Postfix reports
 *                                     each of them to the sender.
 *   DATA   lmtp    the same three for each recipient, before accept_submission(); its outcomes
 *                  (opted-out, cap-…) become verdicts by policy_verdict_outcome().
 *
 * Facts come from one read (policy_facts_load); a database that does not answer gives no facts, and
 * policy_check_recipient(facts = NULL) then still refuses what needs none.  The milter lets the
 * rest pass (stamp checked=0), ump-lmtp answers 451.
 *
 * Caps answer 5xx, not 4xx: what is over the cap must not sit in a queue and leave hour by hour,
 * for days, on behalf of who stole a password.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/address.h"
#include "core/mail_auto.h"
#include "core/mail_parse.h"
#include "core/mail_refusal.h"

struct config;
struct db;
struct ids_keys;

/* ---- What is the same for every mail ---- */

/* From [gateway] and [caps]; strings are borrowed from the configuration. */
struct policy_site {
    const char *const *domains;
    const char *const *channels; /* NULL: address_channels */
    const char *region;          /* where the account has none */
    const struct ids_keys *ids;  /* verifies r.<token>@notice.…; NULL: no such address is known */
    gint64 user_per_hour;        /* 0: no cap; likewise below */
    gint64 range_per_hour;       /* first messages to unknown numbers within 1,000 consecutive ones */
    gint64 spend_per_day;        /* millionths of the account's currency */
    gint64 max_segments;         /* of one message, unless the endpoint says otherwise */
    gint64 max_size;             /* bytes of one mail to a gateway address */
    gint64 max_recipients;       /* gateway addresses of one mail */
};
void policy_site_init(struct policy_site *site, const struct config *config, const struct ids_keys *ids);

/* ---- Who sends ---- */

/* Exactly one is set.  Where nobody logged in, the address of the client is looked up among the
 * declared machine senders, as is the uid of who called sendmail(1). */
struct policy_who {
    const char *login;  /* as SASL gave it; NULL */
    const char *client; /* "203.0.113.5", "2001:db8::1"; NULL */
    gint64 local_uid;   /* -1: none */
};
#define POLICY_WHO_NOBODY ((struct policy_who){NULL, NULL, -1})

/* What stands in the stamp as login: the login itself, "net:203.0.113.5", "uid:1000".  g_free. */
char *policy_who_format(const struct policy_who *who);
/* The other way; points into text.  machine: the stamp's flag; without it all is a login. */
void policy_who_parse(const char *text, bool machine, struct policy_who *who);
/* The uid of a Received field that the local Postfix wrote for sendmail(1) mail: "by mx.example.org
 * (Postfix, from userid 1000)\n\tid …"; -1: any other.  Only the topmost field may be asked. */
gint64 policy_received_uid(const char *value);

/* ---- One recipient ---- */

/* All borrowed. */
struct policy_request {
    struct policy_who who;
    const char *sender;          /* envelope sender without <>; "" the null sender */
    const char *recipient;       /* local@domain, local part unquoted */
    const char *channel;         /* in place of the recipient's (UMP-Channel-Preference); NULL */
    const char *from;            /* the one address of From; NULL at RCPT */
    const char *const *refs;     /* In-Reply-To, then References newest first, with <>; NULL */
    const char *ump_from;        /* UMP-From: the endpoint's address that he chose; NULL */
    const char *template;        /* UMP-Template as it was written; NULL.  One in the address comes first */
    guint already;               /* recipients of the same mail that were accepted before this one */
    bool early;                  /* at RCPT: the endpoint is a guess while there are several */
};

/* What the database knows; strings owned, "" never stands for NULL. */
struct policy_facts {
    bool known;                  /* false: login, network or uid is nobody's; all else unset */
    enum address_result address_result; /* with the account's region: these two count */
    struct address address;
    gint64 account_id;
    char *account_region;
    json_t *account_settings;
    char *user_id;               /* NULL for a machine sender by network or uid */
    char *user_email;
    char *user_name;
    bool machine;
    char *machine_id;
    gint64 machine_rate;
    gint64 machine_period_s;
    bool machine_subject_first;
    bool from_given;             /* a From was asked about */
    bool from_ok;                /* it is his or his team's */
    char *from_team;             /* the team whose mailbox From is; NULL */
    char *endpoint_id;           /* NULL: none that he may use */
    char *endpoint_address;
    char *endpoint_provider;
    char *endpoint_channel;
    char *endpoint_status;       /* "enabled", "disabled" */
    json_t *endpoint_settings;
    gint64 endpoint_count;       /* that he could use for this recipient */
    char *owner_kind;            /* "user", "team" */
    char *owner_id;
    char *owner_mailbox;
    bool opted_out;
    bool opted_out_wide;         /* for every endpoint of the channel */
    char *conversation_id;       /* that the references lead to; NULL */
    char *group_id;
    char **group_members;        /* identifiers; NULL unless a known group */
    bool known_contact;
    gint64 used_user;            /* this hour */
    gint64 used_machine;         /* in its period */
    gint64 used_spend;           /* today */
    gint64 used_range;           /* this hour, in this number's range */
    gint64 last_inbound;         /* µs: when the contact last wrote to the endpoint; 0: not within the time for which
                                  * that matters to its channel (limits.window_s of the settings), or it does not */
    json_t *templates;           /* [{name, language, body}] that the endpoint may send; NULL: none was needed */
};
void policy_facts_clear(struct policy_facts *facts);
typedef struct policy_facts policy_facts_t; /* g_auto(policy_facts_t) facts = {0}; */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(policy_facts_t, policy_facts_clear)

/*
 * One read by db_query_once (a second one where digits alone mean another number in the account's
 * region).  Call for gateway addresses only.  timeout_ms 0: the database layer's.  0: *facts is
 * set, known or not; -1: DB_ERROR, *facts unchanged.
 */
int policy_facts_load(struct db *db, const struct policy_site *site, const struct policy_request *request,
                      unsigned timeout_ms, struct policy_facts *facts, GError **error);

/*
 * Facts that are a sender's (policy_cache) lack when the contact last wrote: one small read of that, where the channel has
 * a window.  0: *facts can be judged; 1: the window is closed, and what else counts then is to be loaded; -1: DB_ERROR.
 */
int policy_facts_window(struct db *db, const struct policy_request *request, unsigned timeout_ms, struct policy_facts *facts,
                        GError **error);

/* ---- The verdict ---- */

enum policy_action {
    POLICY_ACCEPT = 0,
    POLICY_REFUSE,    /* code and sentence */
    POLICY_DROP,      /* null sender: in the dialogue with the client (milter) refuse it with code and
                       * sentence; behind the queue (lmtp) answer 250, log, discard: a refusal would
                       * bounce to nobody */
    POLICY_TEMPORARY  /* 451 */
};

enum policy_scope { POLICY_SCOPE_RECIPIENT, POLICY_SCOPE_CONTENT, POLICY_SCOPE_MAIL };

/* One row of the table of sentences each. */
enum policy_reason {
    POLICY_OK = 0,
    POLICY_NOT_AUTHENTICATED,
    POLICY_NO_ACCOUNT,
    POLICY_NULL_SENDER,
    POLICY_BAD_ADDRESS,      /* address_explain(): number, channel, id, option */
    POLICY_SOURCE_ROUTE,     /* @a:b@…, b%c@…: relay tricks */
    POLICY_INVALID_NUMBER,   /* right length, but no such number */
    POLICY_EMERGENCY,
    POLICY_PREMIUM,
    POLICY_SATELLITE,
    POLICY_SHARED_COST,
    POLICY_SHORT_CODE,       /* one that has not written to us: what it costs is not known */
    POLICY_ALPHANUMERIC,
    POLICY_COUNTRY,
    POLICY_GROUP_UNKNOWN,
    POLICY_OPAQUE_UNKNOWN,
    POLICY_NO_ENDPOINT,
    POLICY_MACHINE_CHANNEL,  /* a machine sender's endpoint is of another channel */
    POLICY_ENDPOINT_DISABLED,
    POLICY_UMP_FROM,         /* UMP-From names no endpoint of his */
    POLICY_OPTED_OUT,
    POLICY_CAP_USER,
    POLICY_CAP_MACHINE,
    POLICY_CAP_SPEND,
    POLICY_CAP_RANGE,
    POLICY_TOO_MANY,         /* recipients */
    POLICY_DUE_FORMAT,       /* when to send: no such time */
    POLICY_DUE_FAR,          /* … beyond POLICY_DUE_DAYS */
    POLICY_NOTICE_UNKNOWN,
    POLICY_NOTICE_EXPIRED,
    POLICY_FROM_MALFORMED,   /* mail_from_sentence() */
    POLICY_FROM_NOT_HIS,
    POLICY_AUTO_REPLIED,
    POLICY_AUTO_GENERATED,
    POLICY_TOO_BIG,
    POLICY_TOO_LONG,
    POLICY_TOO_MANY_MEDIA,
    POLICY_MEDIA_TOO_BIG,
    POLICY_MEDIUM_TOO_BIG,   /* one of several that go out as a message each */
    POLICY_TOO_MANY_PARTS,   /* and they are too many for that */
    POLICY_EMPTY,
    POLICY_ENCRYPTED,        /* mail_refusal.h */
    POLICY_INVITATION,
    POLICY_WINMAIL,
    POLICY_TEXT_TOO_LONG,    /* characters */
    POLICY_WINDOW,           /* the network takes only templates for this contact now */
    POLICY_TEMPLATE_UNKNOWN,
    POLICY_TEMPLATE_LINES,   /* another number of variables */
    POLICY_TEMPLATE_MISSING, /* needs what a mail cannot give */
    POLICY_TEMPLATE_MEDIA,
    POLICY_STAMP_MISSING,    /* ump-lmtp: no stamp, e.g. sendmail(1) */
    POLICY_STAMP_BAD,        /* ump-lmtp: forged, expired, of another mail */
    POLICY_REPLAYED,         /* accept_submission: same transaction, other body */
    POLICY_UNAVAILABLE,      /* 451 4.3.0 */
    POLICY_REASONS
};

struct policy_verdict {
    enum policy_action action;
    enum policy_scope scope;
    enum policy_reason reason;
    int code;            /* 250, 550, 552, 451 */
    const char *status;  /* "5.7.1"; static */
    char *sentence;      /* one line of printable ASCII, below 400 characters; owned; NULL: accepted */
    const char *log;     /* "not-authenticated", … static */
    bool partial;        /* accepted without having seen the database */
};
void policy_verdict_clear(struct policy_verdict *verdict);
typedef struct policy_verdict policy_verdict_t; /* g_auto(policy_verdict_t) verdict = {0}; */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(policy_verdict_t, policy_verdict_clear)

/* "550 5.1.3 +1555 is not …" without line end; g_free.  Of an accept: "250 2.1.5 Ok". */
char *policy_verdict_reply(const struct policy_verdict *verdict);

/*
 * A gateway recipient (address_is_gateway_domain): facts of this very request, or NULL when the database does not answer.  *verdict is set whole (what it
 * held is not freed).  Returns its action.
 */
enum policy_action policy_check_recipient(const struct policy_site *site, const struct policy_request *request,
                                          const struct policy_facts *facts, struct policy_verdict *verdict);

/* ---- The mail ---- */

struct policy_message {
    enum mail_from_state from_state;
    enum mail_auto_class auto_class; /* headers and envelope */
    const char *auto_reason;         /* or NULL */
    gint64 size;                     /* bytes of the whole mail */
    const char *text;                /* what would be sent; NULL: not known (uncertain, encrypted …):
                                      * neither empty nor too long then */
    gint64 text_length;              /* -1: text ends in 0 */
    gint64 deferred_until;           /* parsed_mail's: Deferred-Delivery, µs; 0: none; -1: unreadable */
    enum mail_refusal refusal;       /* its text cannot be sent at all */
    guint attachments;               /* and reactions, calendar entries …: it is not empty */
    guint media;                     /* attachments that would be sent */
    gint64 media_bytes;              /* … all of them, decoded */
    gint64 convertible_bytes;            /* … and of these, what will yet be made to fit */
    gint64 media_largest;            /* of one of them that will not */
    const char *subject;             /* is sent where the text is empty and endpoint or machine sender want
                                      * the Subject first; NULL */
};

/* From, automatic classes; facts: of any gateway recipient, with .from asked about; NULL as above. */
enum policy_action policy_check_mail(const struct policy_site *site, const struct policy_request *request,
                                     const struct policy_facts *facts, const struct policy_message *message,
                                     struct policy_verdict *verdict);
#define POLICY_DUE_DAYS 366 /* how far ahead a message may be sent */

/*
 * May he still send to this recipient by the endpoint of request->ump_from?  For what was accepted before and goes out on
 * his word now: it was counted then (no caps), and opt-outs are looked at by who sends.
 */
enum policy_action policy_check_right(const struct policy_site *site, const struct policy_request *request,
                                      const struct policy_facts *facts, struct policy_verdict *verdict);

/* When to send: the address's option +at, else deferred_until (as in struct policy_message).  POLICY_OK: *due, µs, 0 for
 * now; else DUE_FORMAT or DUE_FAR.  address may be NULL. */
enum policy_reason policy_due(const struct address *address, gint64 deferred_until, gint64 *due);

/* Size, length, emptiness and time, within the limits of this recipient's endpoint. */
enum policy_action policy_check_content(const struct policy_site *site, const struct policy_request *request,
                                        const struct policy_facts *facts, const struct policy_message *message,
                                        struct policy_verdict *verdict);

/* ---- For ump-lmtp ---- */

/* The verdict for an outcome of accept_submission ("cap-user", "opted-out", "conflict" …); accept
 * for "new" and "repeat". */
enum policy_action policy_verdict_outcome(const struct policy_site *site, const struct policy_request *request,
                                          const struct policy_facts *facts, const char *outcome,
                                          struct policy_verdict *verdict);
/* A verdict by its reason alone: STAMP_…, REPLAYED, UNAVAILABLE, … */
enum policy_action policy_verdict_reason(enum policy_reason reason, struct policy_verdict *verdict);

/*
 * The template by which this mail goes: the one that was chosen, or, where the network takes no free text
 * now, the endpoint's reopen_template.  {name, language, places, variables}; variables only where
 * UMP-Template gives them, else they are the lines of the text (core/template_text).  NULL: none.  For mail
 * that policy_check_content() has let pass.
 */
json_t *policy_template(const struct policy_request *request, const struct policy_facts *facts);

/* p_caps of accept_submission for a mail that goes out as so many messages, together of so many segments; g_free. */
char *policy_caps_json(const struct policy_site *site, const struct policy_facts *facts, guint messages, guint segments);
/* Segments that one message may need on its endpoint; 0: the channel knows none. */
gint64 policy_max_segments(const struct policy_site *site, const struct policy_facts *facts);
/* Does the endpoint send the best reading of a mail of which it is not certain what is new (default no)? */
bool policy_sends_uncertain(const struct policy_facts *facts);
/* Does the endpoint want typographic characters replaced where that saves segments (default no)? */
bool policy_transliterates(const struct policy_facts *facts);
/* The text as this endpoint sends it: transliterated where it wants that; g_free. */
char *policy_fit_text(const struct policy_facts *facts, const char *text, size_t length);
/* SMS that such a text makes there, for whatever limit; 0: the channel counts none. */
guint policy_segments(const struct policy_site *site, const struct policy_facts *facts, const char *text);
/* The channel that this request is about: .channel, else the address's. */
const char *policy_channel(const struct policy_request *request, const struct policy_facts *facts);
