/* SPDX-License-Identifier: Apache-2.0 */
/* Every sentence of the policy, and what must not be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/ids.h"
#include "core/policy.h"

static const char *const domains[] = {"example.org", NULL};
static struct ids_keys *ids;
static bool seen[POLICY_REASONS];

static struct policy_site site(void)
{
    return (struct policy_site){.domains = domains, .region = "US", .ids = ids, .user_per_hour = 30, .range_per_hour = 50,
                                .max_segments = 6, .max_size = 1024 * 1024, .max_recipients = 50};
}

/* ---- A case: a request, facts as JSON-like overrides, the expected reply ---- */

struct row {
    const char *name;
    const char *recipient;
    const char *login;      /* NULL: nobody; "-": facts say unknown */
    const char *client;
    const char *sender;     /* NULL: the login */
    void (*change)(struct policy_facts *facts);
    void (*ask)(struct policy_request *request);
    bool no_facts;
    enum policy_reason reason;
    const char *reply;      /* NULL: any */
};

static void plain_facts(struct policy_facts *f, const char *recipient)
{
    const struct address_space space = {domains, NULL, "US"};
    *f = (struct policy_facts){.known = true, .account_id = 1, .from_ok = true, .endpoint_count = 1};
    f->address_result = address_parse(recipient, strlen(recipient), &space, &f->address);
    f->account_region = g_strdup("US");
    f->account_settings = json_object();
    f->user_id = g_strdup("0190a0e0-0000-7000-8000-000000000001");
    f->user_email = g_strdup("alice@example.org");
    f->endpoint_id = g_strdup("0190a0e0-0000-7000-8000-000000000002");
    f->endpoint_address = g_strdup("+12125550100");
    f->endpoint_channel = g_strdup("sms");
    f->endpoint_status = g_strdup("enabled");
    f->endpoint_settings = json_pack("{s:{s:i, s:i}}", "limits", "max_media", 10, "max_media_total", 1000000);
    f->owner_kind = g_strdup("user");
}

static void set_text(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

static void countries(struct policy_facts *f, const char *a, const char *b)
{
    json_t *list = json_array();
    json_array_append_new(list, json_string(a));
    if (b != NULL)
        json_array_append_new(list, json_string(b));
    json_object_set_new(f->endpoint_settings, "countries", list);
}

static void unknown(struct policy_facts *f) { f->known = false; }
static void contact(struct policy_facts *f) { f->known_contact = true; }
static void no_endpoint(struct policy_facts *f)
{
    g_clear_pointer(&f->endpoint_id, g_free);
    g_clear_pointer(&f->endpoint_address, g_free);
    g_clear_pointer(&f->endpoint_channel, g_free);
    f->endpoint_count = 0;
}
static void disabled(struct policy_facts *f)
{
    set_text(&f->endpoint_status, "disabled");
    f->endpoint_count = 0;
}
static void disabled_but_another(struct policy_facts *f) { set_text(&f->endpoint_status, "disabled"); }
static void machine(struct policy_facts *f)
{
    f->machine = true;
    f->machine_rate = 200;
    f->machine_period_s = 3600;
}
static void machine_full(struct policy_facts *f)
{
    machine(f);
    f->used_machine = 200;
    f->machine_period_s = 7200;
}
static void machine_used_range(struct policy_facts *f)
{
    machine(f);
    f->used_range = 1000;
}
static void machine_whatsapp(struct policy_facts *f)
{
    machine(f);
    set_text(&f->endpoint_channel, "whatsapp");
}
static void group(struct policy_facts *f) { f->group_id = g_strdup("g"); }
static void opted(struct policy_facts *f) { f->opted_out = true; }
static void opted_one_of_two(struct policy_facts *f)
{
    f->opted_out = true;
    f->endpoint_count = 2;
}
static void opted_wide(struct policy_facts *f)
{
    f->opted_out = f->opted_out_wide = true;
    f->endpoint_count = 2;
}
static void used_user(struct policy_facts *f) { f->used_user = 30; }
static void used_user_29(struct policy_facts *f) { f->used_user = 29; }
static void own_cap(struct policy_facts *f)
{
    json_object_set_new(f->account_settings, "user_per_hour", json_integer(5));
    f->used_user = 5;
}
static void lifted_cap(struct policy_facts *f)
{
    json_object_set_new(f->account_settings, "user_per_hour", json_integer(0));
    f->used_user = 500;
}
static void used_range(struct policy_facts *f) { f->used_range = 50; }
static void used_range_known(struct policy_facts *f)
{
    f->used_range = 50;
    f->known_contact = true;
}
static void spent(struct policy_facts *f)
{
    json_object_set_new(f->account_settings, "spend_per_day", json_integer(100000));
    json_object_set_new(f->endpoint_settings, "price_per_segment", json_integer(7900));
    f->used_spend = 95000;
}
static void free_of_charge(struct policy_facts *f)
{
    json_object_set_new(f->account_settings, "spend_per_day", json_integer(100000));
    f->used_spend = 100000;
}
static void with_gb(struct policy_facts *f) { countries(f, "us", "GB"); }
static void with_all(struct policy_facts *f) { countries(f, "*", NULL); }
static void with_jm(struct policy_facts *f) { countries(f, "US", "JM"); }
static void with_caribbean(struct policy_facts *f) { json_object_set_new(f->endpoint_settings, "caribbean", json_true()); }
static void british_endpoint(struct policy_facts *f) { set_text(&f->endpoint_address, "+447400123456"); }
static void two_endpoints(struct policy_facts *f) { f->endpoint_count = 2; }

static void early(struct policy_request *r) { r->early = true; }
static void one_before(struct policy_request *r) { r->already = 1; }
static void fifty_before(struct policy_request *r) { r->already = 50; }
static void other_endpoint(struct policy_request *r) { r->ump_from = "+1 646 555 0199"; }
static void same_endpoint_written(struct policy_request *r) { r->ump_from = " (212) 555-0100 "; }
static void any_channel(struct policy_request *r) { r->channel = "any"; }

#define ALICE "alice@example.org"
#define GOOD "+12125550123@sms.example.org"

static const struct row rows[] = {
    {"a good number", GOOD, ALICE, .reason = POLICY_OK, .reply = "250 2.1.5 Ok"},
    {"as people write it", "1-212-555-0123@sms.example.org", ALICE, .reason = POLICY_OK},
    {"with a template", "+12125550123+welcome@sms.example.org", ALICE, .reason = POLICY_OK},
    {"the number of documentation", "+15551234567@sms.example.org", ALICE, .reason = POLICY_OK},
    {"nobody", GOOD, .reason = POLICY_NOT_AUTHENTICATED,
     .reply = "550 5.7.1 To send to this address, log in to the submission port with your mail password"},
    {"an unknown network", GOOD, .client = "203.0.113.9", .change = unknown, .reason = POLICY_NOT_AUTHENTICATED},
    {"a network while the database is down", GOOD, .client = "203.0.113.9", .no_facts = true,
     .reason = POLICY_UNAVAILABLE,
     .reply = "451 4.3.0 The gateway cannot look this up at the moment; the mail is kept and tried again by itself"},
    {"a login without an account", GOOD, "eve@example.org", .change = unknown, .reason = POLICY_NO_ACCOUNT,
     .reply = "550 5.7.1 eve@example.org may not send through this gateway; ask its administrator for an account"},
    {"the null sender", GOOD, ALICE, .sender = "", .reason = POLICY_NULL_SENDER,
     .reply = "550 5.7.1 Mail without an envelope sender (a bounce or an automatic answer) is never sent as a message"},
    {"too short", "+1555@sms.example.org", ALICE, .reason = POLICY_BAD_ADDRESS,
     .reply = "550 5.1.3 +1555 is not a complete phone number; write it as +<country><number>"},
    {"too short, database down", "+1555@sms.example.org", ALICE, .no_facts = true, .reason = POLICY_BAD_ADDRESS},
    {"no number at all", "bob@sms.example.org", ALICE, .reason = POLICY_BAD_ADDRESS},
    {"a bad option", "+12125550123+at.tomorrow@sms.example.org", ALICE, .reason = POLICY_BAD_ADDRESS},
    {"percent", "+12125550123%sms.example.org@sms.example.org", ALICE, .reason = POLICY_SOURCE_ROUTE,
     .reply = "550 5.7.1 Write the address plainly as <number>@<channel>.<domain>; routes through other addresses are "
              "not accepted"},
    {"bang", "sms.example.org!+12125550123@sms.example.org", ALICE, .reason = POLICY_SOURCE_ROUTE},
    {"at in the local part", "+12125550123@x@sms.example.org", ALICE, .reason = POLICY_SOURCE_ROUTE},
    {"possible, but not assigned", "+11234567890@sms.example.org", ALICE, .reason = POLICY_INVALID_NUMBER,
     .reply = "550 5.1.3 +11234567890 has the right length, but no network has such a number; check its digits"},
    {"not assigned, but it wrote to us", "+11234567890@sms.example.org", ALICE, .change = contact, .reason = POLICY_OK},
    {"911", "911@sms.example.org", ALICE, .reason = POLICY_EMERGENCY,
     .reply = "550 5.7.1 911 is an emergency number, and nobody there would read this; call it by telephone"},
    {"112", "112@sms.example.org", ALICE, .reason = POLICY_EMERGENCY},
    {"911 as a short code", "s.911@sms.example.org", ALICE, .reason = POLICY_EMERGENCY},
    {"911, database down", "911@sms.example.org", ALICE, .no_facts = true, .reason = POLICY_EMERGENCY},
    {"+1-900", "+19002345678@sms.example.org", ALICE, .reason = POLICY_PREMIUM,
     .reply = "550 5.7.1 +19002345678 is a premium-rate number; this gateway sends nothing there"},
    {"premium even if all countries are allowed", "+449098790123@sms.example.org", ALICE, .change = with_all,
     .reason = POLICY_PREMIUM},
    {"satellite", "+881612345678@sms.example.org", ALICE, .change = with_all, .reason = POLICY_SATELLITE,
     .reply = "550 5.7.1 +881612345678 belongs to a satellite or worldwide network at extra cost; this gateway sends "
              "nothing there"},
    {"personal number (070)", "+447012345678@sms.example.org", ALICE, .change = with_gb, .reason = POLICY_SHARED_COST,
     .reply = "550 5.7.1 +447012345678 is a shared-cost or forwarding number; this gateway sends nothing there"},
    {"a short code that never wrote", "s.12345@sms.example.org", ALICE, .reason = POLICY_SHORT_CODE,
     .reply = "550 5.7.1 The short code 12345 can only be answered after it has written to you, as its price is not "
              "known"},
    {"a short code that wrote", "s.12345@sms.example.org", ALICE, .change = contact, .reason = POLICY_OK},
    {"alphanumeric", "a.amazon@sms.example.org", ALICE, .reason = POLICY_ALPHANUMERIC,
     .reply = "550 5.1.1 amazon is a name, not a number: it can send messages, but nobody can answer it"},
    {"another country", "+447400123456@sms.example.org", ALICE, .reason = POLICY_COUNTRY,
     .reply = "550 5.7.1 +447400123456 is in GB (+44), and messages from +12125550100 may go to US only; ask the "
              "administrator to allow it"},
    {"another country that is allowed", "+447400123456@sms.example.org", ALICE, .change = with_gb, .reason = POLICY_OK},
    {"a time of the past is now", "+12125550123+at.20200101T0900@sms.example.org", ALICE, .reason = POLICY_OK},
    {"a time that is far", "+12125550123+at.20991201T0900Z@sms.example.org", ALICE, .reason = POLICY_DUE_FAR,
     .reply = "550 5.6.0 A message can be sent at most 366 days ahead, and 20991201T0900Z is later than that"},
    {"a far time before the database is asked", "+12125550123+at.20991201T0900@sms.example.org", ALICE, .no_facts = true,
     .reason = POLICY_DUE_FAR},
    {"a month that is none", "+12125550123+at.20261301T0900@sms.example.org", ALICE, .reason = POLICY_DUE_FORMAT,
     .reply = "550 5.6.0 20261301T0900 is no time to send at; write +at.20261201T0900 into the address, or Deferred-Delivery "
              "as a date of mail"},
    {"a day that its month has not", "+12125550123+at.20260231T0900Z@sms.example.org", ALICE, .reason = POLICY_DUE_FORMAT},
    {"an hour that is none", "+12125550123+at.20261201T2560@sms.example.org", ALICE, .reason = POLICY_DUE_FORMAT},
    {"every country is allowed", "+447400123456@sms.example.org", ALICE, .change = with_all, .reason = POLICY_OK},
    {"home follows the endpoint's number", "+447400123456@sms.example.org", ALICE, .change = british_endpoint,
     .reason = POLICY_OK},
    {"and not the account's", GOOD, ALICE, .change = british_endpoint, .reason = POLICY_COUNTRY},
    {"Canada is not at home", "+14165550123@sms.example.org", ALICE, .reason = POLICY_COUNTRY},
    {"Puerto Rico is", "+17875550123@sms.example.org", ALICE, .change = contact, .reason = POLICY_OK},
    {"the Caribbean", "+18765550123@sms.example.org", ALICE, .change = contact, .reason = POLICY_COUNTRY},
    {"the Caribbean in spite of *", "+18762345678@sms.example.org", ALICE, .change = with_all, .reason = POLICY_COUNTRY},
    {"the Caribbean by name", "+18762345678@sms.example.org", ALICE, .change = with_jm, .reason = POLICY_OK},
    {"the Caribbean by setting", "+18762345678@sms.example.org", ALICE, .change = with_caribbean, .reason = POLICY_OK},
    {"a country at RCPT, several endpoints", "+447400123456@sms.example.org", ALICE, .change = two_endpoints,
     .ask = early, .reason = POLICY_OK},
    {"a country at RCPT, one endpoint", "+447400123456@sms.example.org", ALICE, .ask = early, .reason = POLICY_COUNTRY},
    {"an unknown group", "g.4f2a91@sms.example.org", ALICE, .reason = POLICY_GROUP_UNKNOWN,
     .reply = "550 5.1.1 You are in no group 4f2a91; answer a message of the group, or write to new-group@ and the "
              "members"},
    {"a group", "g.4f2a91@sms.example.org", ALICE, .change = group, .reason = POLICY_OK},
    {"a new group", "new-group@sms.example.org", ALICE, .reason = POLICY_OK},
    {"an unknown id", "u.8d1e@signal.example.org", ALICE, .reason = POLICY_OPAQUE_UNKNOWN,
     .reply = "550 5.1.1 Nobody with the address 8d1e has written to you; answer one of his messages instead"},
    {"no endpoint", GOOD, ALICE, .change = no_endpoint, .reason = POLICY_NO_ENDPOINT,
     .reply = "550 5.7.1 You have no sms number to send from; ask the administrator of the gateway"},
    {"a machine's other channel", GOOD, ALICE, .change = machine_whatsapp, .reason = POLICY_MACHINE_CHANNEL,
     .reply = "550 5.7.1 This automatic sender may send from +12125550100 only, which is not for sms"},
    {"a machine on any channel", GOOD, ALICE, .change = machine_whatsapp, .ask = any_channel, .reason = POLICY_OK},
    {"switched off", GOOD, ALICE, .change = disabled, .reason = POLICY_ENDPOINT_DISABLED,
     .reply = "550 5.7.1 Sending from +12125550100 is switched off; ask the administrator of the gateway"},
    {"switched off, but perhaps another one", GOOD, ALICE, .change = disabled_but_another, .ask = early,
     .reason = POLICY_OK},
    {"UMP-From of somebody else", GOOD, ALICE, .ask = other_endpoint, .reason = POLICY_UMP_FROM,
     .reply = "550 5.7.1 UMP-From: +1 646 555 0199 is no sms number of yours; leave the field out or name one of yours"},
    {"UMP-From as people write it", GOOD, ALICE, .ask = same_endpoint_written, .reason = POLICY_OK},
    {"opted out", GOOD, ALICE, .change = opted, .ask = early, .reason = POLICY_OPTED_OUT,
     .reply = "550 5.7.1 +12125550123 has asked to get no more messages (STOP); only a START from there lifts this"},
    {"opted out from one of two endpoints, at RCPT", GOOD, ALICE, .change = opted_one_of_two, .ask = early,
     .reason = POLICY_OK},
    {"the same later", GOOD, ALICE, .change = opted_one_of_two, .reason = POLICY_OPTED_OUT},
    {"opted out from all, at RCPT", GOOD, ALICE, .change = opted_wide, .ask = early, .reason = POLICY_OPTED_OUT},
    {"the user's cap", GOOD, ALICE, .change = used_user, .reason = POLICY_CAP_USER,
     .reply = "550 5.7.1 You may send 30 messages an hour, and that many are sent; try again after the full hour"},
    {"the last one", GOOD, ALICE, .change = used_user_29, .reason = POLICY_OK},
    {"the last one is used within this mail", GOOD, ALICE, .change = used_user_29, .ask = one_before,
     .reason = POLICY_CAP_USER},
    {"the account's own cap", GOOD, ALICE, .change = own_cap, .reason = POLICY_CAP_USER,
     .reply = "550 5.7.1 You may send 5 messages an hour, and that many are sent; try again after the full hour"},
    {"a cap that is lifted", GOOD, ALICE, .change = lifted_cap, .reason = POLICY_OK},
    {"a machine's cap", GOOD, ALICE, .change = machine_full, .reason = POLICY_CAP_MACHINE,
     .reply = "550 5.7.1 This automatic sender may send 200 messages in 2 hours, and that many are sent"},
    {"the spending cap", GOOD, ALICE, .change = spent, .reason = POLICY_CAP_SPEND,
     .reply = "550 5.7.1 What may be spent on messages today is spent; try again tomorrow or ask the administrator"},
    {"what costs nothing", GOOD, ALICE, .change = free_of_charge, .reason = POLICY_OK},
    {"consecutive numbers", GOOD, ALICE, .change = used_range, .reason = POLICY_CAP_RANGE,
     .reply = "550 5.7.1 Too many first messages went to numbers close to +12125550123 within the hour; try again "
              "after the full hour"},
    {"consecutive numbers, known ones", GOOD, ALICE, .change = used_range_known, .reason = POLICY_OK},
    {"consecutive numbers by a machine", GOOD, ALICE, .change = machine_used_range, .reason = POLICY_OK},
    {"too many recipients", GOOD, ALICE, .ask = fifty_before, .change = lifted_cap, .reason = POLICY_TOO_MANY,
     .reply = "550 5.5.3 One mail may go to 50 such addresses; write to the others in another mail"},
    {"no token of ours", "r.abcdefghijklmnop@notice.example.org", ALICE, .reason = POLICY_NOTICE_UNKNOWN,
     .reply = "550 5.1.1 This is not the address of a notice of ours; answer the notice itself"},
    {"a notice by nobody", "r.abcdefghijklmnop@notice.example.org", .reason = POLICY_NOT_AUTHENTICATED},
    {"national digits, database down", "2125550123@sms.example.org", ALICE, .no_facts = true, .reason = POLICY_OK},
};

static void check_reply(const char *name, const struct policy_verdict *verdict, enum policy_reason reason,
                        const char *expected)
{
    g_autofree char *reply = policy_verdict_reply(verdict);
    if (verdict->reason != reason || (expected != NULL && strcmp(reply, expected) != 0))
        fail_msg("%s: %s (%s), expected reason %d: %s", name, reply, verdict->log, (int)reason, expected ? expected : "");
    seen[verdict->reason] = true;
}

static void one_recipient(const struct row *row)
{
    g_auto(policy_facts_t) facts = {0};
    g_auto(policy_verdict_t) verdict = {0};
    struct policy_site s = site();
    struct policy_request request = {.who = POLICY_WHO_NOBODY, .recipient = row->recipient};
    request.who.login = row->login;
    request.who.client = row->client;
    request.sender = row->sender != NULL ? row->sender : ALICE;
    plain_facts(&facts, row->recipient);
    if (row->change != NULL)
        row->change(&facts);
    if (row->ask != NULL)
        row->ask(&request);
    enum policy_action action = policy_check_recipient(&s, &request, row->no_facts ? NULL : &facts, &verdict);
    check_reply(row->name, &verdict, row->reason, row->reply);
    assert_int_equal(action, verdict.action);
    assert_int_equal(action == POLICY_ACCEPT, row->reason == POLICY_OK);
    if (action == POLICY_ACCEPT)
        assert_int_equal(verdict.partial, row->no_facts);
    if (row->reason == POLICY_NULL_SENDER)
        assert_int_equal(action, POLICY_DROP);
}

static void test_recipients(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        one_recipient(&rows[i]);
}

static void test_notices(void **state)
{
    static const struct {
        gint64 expires;
        enum policy_reason reason;
        const char *reply;
    } cases[] = {
        {0, POLICY_OK, NULL},
        {1000, POLICY_NOTICE_EXPIRED,
         "550 5.1.1 This notice is too old to be answered; write a new mail to the number instead"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct ids_token token = {.kind = 1, .expires = cases[i].expires, .subject_length = 16};
        g_autofree char *text = ids_token_make(ids, IDS_NOTICE, &token);
        g_autofree char *recipient = g_strdup_printf("r.%s@notice.example.org", text);
        const struct row row = {"notice", recipient, ALICE, .reason = cases[i].reason, .reply = cases[i].reply,
                                .change = no_endpoint};
        one_recipient(&row);
    }
}

/* ---- The mail ---- */

struct mail_row {
    const char *name;
    struct policy_message message;
    bool machine, from_not_his, media, group, no_facts;
    enum policy_reason reason;
    enum policy_scope scope;
    const char *reply;
};

#define TEN "1234567890"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct mail_row mails[] = {
    {"good", {.text = "Hello", .text_length = -1}, .reason = POLICY_OK},
    {"two From fields", {.from_state = MAIL_FROM_MULTIPLE_FIELDS, .text = "x", .text_length = -1},
     .reason = POLICY_FROM_MALFORMED, .scope = POLICY_SCOPE_MAIL,
     .reply = "550 5.7.1 the mail has more than one From field; send it from your own address alone"},
    {"two addresses", {.from_state = MAIL_FROM_MULTIPLE_ADDRESSES, .text = "x", .text_length = -1},
     .reason = POLICY_FROM_MALFORMED, .scope = POLICY_SCOPE_MAIL},
    {"malformed, even of a machine", {.from_state = MAIL_FROM_INVALID, .text = "x", .text_length = -1}, .machine = true,
     .reason = POLICY_FROM_MALFORMED, .scope = POLICY_SCOPE_MAIL},
    {"somebody else's From", {.text = "x", .text_length = -1}, .from_not_his = true, .reason = POLICY_FROM_NOT_HIS,
     .scope = POLICY_SCOPE_MAIL,
     .reply = "550 5.7.1 You are logged in as alice@example.org, but bob@example.org is neither your address nor your "
              "team's; choose another From"},
    {"auto-replied", {.auto_class = MAIL_AUTO_REPLIED, .auto_reason = "Auto-Submitted: auto-replied", .text = "x", .text_length = -1},
     .reason = POLICY_AUTO_REPLIED, .scope = POLICY_SCOPE_CONTENT,
     .reply = "550 5.7.1 Automatic answers are never sent as messages (Auto-Submitted: auto-replied)"},
    {"auto-replied by a machine", {.auto_class = MAIL_AUTO_REPLIED, .text = "x", .text_length = -1}, .machine = true,
     .reason = POLICY_AUTO_REPLIED, .scope = POLICY_SCOPE_CONTENT},
    {"auto-generated", {.auto_class = MAIL_AUTO_GENERATED, .auto_reason = "mailing list", .text = "x", .text_length = -1},
     .reason = POLICY_AUTO_GENERATED, .scope = POLICY_SCOPE_CONTENT,
     .reply = "550 5.7.1 Automatic mail (mailing list) is sent for declared senders only; ask the administrator to "
              "declare this one"},
    {"auto-generated by a machine", {.auto_class = MAIL_AUTO_GENERATED, .text = "x", .text_length = -1}, .machine = true,
     .reason = POLICY_OK},
    {"auto-generated, database down", {.auto_class = MAIL_AUTO_GENERATED, .text = "x", .text_length = -1}, .no_facts = true,
     .reason = POLICY_OK},
    {"too big", {.size = 2 * 1024 * 1024 + 1, .text = "x", .text_length = -1}, .reason = POLICY_TOO_BIG,
     .scope = POLICY_SCOPE_CONTENT, .reply = "552 5.3.4 this mail has 2049 KiB, the limit is 1024 KiB"},
    {"ten pictures", {.text = "", .text_length = -1, .attachments = 10, .media = 10, .media_bytes = 1000000}, .reason = POLICY_OK},
    {"eleven pictures", {.text = "", .text_length = -1, .attachments = 11, .media = 11, .media_bytes = 11000},
     .reason = POLICY_TOO_MANY_MEDIA, .scope = POLICY_SCOPE_CONTENT,
     .reply = "552 5.3.4 this mail has 11 attachments, one message carries 10"},
    {"a large picture", {.text = "", .text_length = -1, .attachments = 1, .media = 1, .media_bytes = 1000001},
     .reason = POLICY_MEDIA_TOO_BIG, .scope = POLICY_SCOPE_CONTENT,
     .reply = "552 5.3.4 the attachments have 1001 KB together, one message carries 1000 KB"},
    {"six SMS", {.text = HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "123456789012345678", .text_length = -1},
     .reason = POLICY_OK},
    {"seven SMS", {.text = HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "1234567890123456789", .text_length = -1},
     .reason = POLICY_TOO_LONG, .scope = POLICY_SCOPE_CONTENT,
     .reply = "552 5.3.4 this needs 7 SMS, your limit is 6"},
    {"nine SMS", {.text = HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED, .text_length = -1},
     .reason = POLICY_TOO_LONG, .scope = POLICY_SCOPE_CONTENT, .reply = "552 5.3.4 this needs 9 SMS, your limit is 6"},
    {"a long text with a picture",
     {.text = HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED, .text_length = -1, .attachments = 1},
     .reason = POLICY_OK},
    {"a long text to a group",
     {.text = HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED, .text_length = -1}, .group = true,
     .reason = POLICY_OK},
    {"nothing", {.text = " \n\t", .text_length = -1}, .reason = POLICY_EMPTY, .scope = POLICY_SCOPE_CONTENT,
     .reply = "550 5.6.0 There is nothing to send: the mail has no new text and no attachment"},
    {"a picture alone", {.text = "", .text_length = -1, .attachments = 1}, .reason = POLICY_OK},
    {"text not certain", {.text = NULL}, .reason = POLICY_OK},
    {"encrypted", {.text = "", .text_length = -1, .attachments = 2, .refusal = MAIL_REFUSAL_ENCRYPTED}, .reason = POLICY_ENCRYPTED,
     .scope = POLICY_SCOPE_CONTENT,
     .reply = "550 5.7.1 The mail is encrypted, so its text cannot be read and sent as a message; send it without encryption"},
    {"encrypted, database down", {.refusal = MAIL_REFUSAL_ENCRYPTED}, .no_facts = true, .reason = POLICY_ENCRYPTED,
     .scope = POLICY_SCOPE_CONTENT},
    {"invitation", {.text = "When: noon", .text_length = -1, .attachments = 1, .refusal = MAIL_REFUSAL_INVITATION},
     .reason = POLICY_INVITATION, .scope = POLICY_SCOPE_CONTENT,
     .reply = "550 5.6.1 A calendar invitation cannot be sent as a message; write date and place in a mail of their own"},
    {"winmail.dat", {.text = "", .text_length = -1, .attachments = 1, .refusal = MAIL_REFUSAL_WINMAIL}, .reason = POLICY_WINMAIL,
     .scope = POLICY_SCOPE_CONTENT,
     .reply = "550 5.6.1 The text is packed in a winmail.dat that only Outlook reads; let Outlook send plain text or HTML "
              "and try again"},
};

static void test_mails(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(mails); i++) {
        const struct mail_row *row = &mails[i];
        g_auto(policy_facts_t) facts = {0};
        g_auto(policy_verdict_t) verdict = {0};
        struct policy_site s = site();
        struct policy_request request = {.who = {ALICE, NULL, -1}, .sender = ALICE, .recipient = GOOD,
                                         .from = row->from_not_his ? "bob@example.org" : ALICE};
        plain_facts(&facts, row->group ? "g.4f2a91@sms.example.org" : GOOD);
        facts.from_given = true;
        facts.from_ok = !row->from_not_his;
        if (row->machine)
            machine(&facts);
        if (row->group)
            group(&facts);
        const struct policy_facts *known = row->no_facts ? NULL : &facts;
        if (policy_check_mail(&s, &request, known, &row->message, &verdict) == POLICY_ACCEPT) {
            policy_verdict_clear(&verdict);
            policy_check_content(&s, &request, known, &row->message, &verdict);
        }
        check_reply(row->name, &verdict, row->reason, row->reply);
        if (row->reason != POLICY_OK)
            assert_int_equal(verdict.scope, row->scope);
    }
}

static void test_limits_of_the_endpoint(void **state)
{
    g_auto(policy_facts_t) facts = {0};
    g_auto(policy_verdict_t) verdict = {0};
    struct policy_site s = site();
    const struct policy_request request = {.who = {ALICE, NULL, -1}, .sender = ALICE, .recipient = GOOD};
    /* curly quotes: UCS-2 as they are, one GSM segment when replaced */
    const struct policy_message message = {.text = "\xe2\x80\x9c" HUNDRED "\xe2\x80\x9d", .text_length = -1};
    plain_facts(&facts, GOOD);
    json_object_set_new(facts.endpoint_settings, "max_segments", json_integer(1));
    assert_int_equal(policy_max_segments(&s, &facts), 1);
    policy_check_content(&s, &request, &facts, &message, &verdict);
    check_reply("curly", &verdict, POLICY_TOO_LONG, "552 5.3.4 this needs 2 SMS, your limit is 1");
    policy_verdict_clear(&verdict);
    json_object_set_new(facts.endpoint_settings, "transliterate", json_true());
    policy_check_content(&s, &request, &facts, &message, &verdict);
    check_reply("straight", &verdict, POLICY_OK, NULL);
    set_text(&facts.endpoint_channel, "whatsapp");
    assert_int_equal(policy_max_segments(&s, &facts), 0);
}

/* ---- The window, and templates ---- */

#define BY_WHATSAPP "+12125550123@whatsapp.example.org"

static json_t *template_of(const char *name, const char *text, const char *places)
{
    return json_pack("{s:s, s:s, s:{s:s, s:o}}", "name", name, "language", "en", "body", "text", text, "places",
                     json_loads(places, 0, NULL));
}

static void whatsapp_facts(struct policy_facts *f, const char *recipient)
{
    plain_facts(f, recipient);
    set_text(&f->endpoint_channel, "whatsapp");
    json_object_set_new(f->endpoint_settings, "limits", json_pack("{s:i, s:i, s:i, s:i, s:i}", "max_media", 1, "max_media_total",
                        1000000, "max_text", 4096, "max_caption", 1024, "window_s", 86400));
    f->templates = json_array();
}

static void hour_ago(struct policy_facts *f) { f->last_inbound = ump_clock_now_us() - CLOCK_HOUR; }
static void day_ago(struct policy_facts *f) { f->last_inbound = ump_clock_now_us() - CLOCK_DAY; }
static void some_templates(struct policy_facts *f)
{
    json_array_append_new(f->templates, template_of("plain", "Open", "[]"));
    json_array_append_new(f->templates, template_of("welcome", "{{1}} {{2}}", "[\"body.1\", \"body.2\"]"));
    json_t *photo = template_of("photo", "Look", "[]");
    json_object_set_new(json_object_get(photo, "body"), "missing", json_string("a picture in its header"));
    json_array_append_new(f->templates, photo);
}
static void reopening(struct policy_facts *f)
{
    json_array_append_new(f->templates, template_of("news", "News: {{1}}", "[\"body.1\"]"));
    json_object_set_new(f->endpoint_settings, "reopen_template", json_string("news"));
}
static void of_group(struct policy_facts *f) { set_text(&f->group_id, "0190a0e0-0000-7000-8000-000000000009"); }
static void welcome_field(struct policy_request *request) { request->template = "welcome; v1=\"a\"; v2=2"; }
static void other_field(struct policy_request *request) { request->template = "other; language=de"; }

static void test_window_and_templates(void **state)
{
    static const struct {
        const char *recipient, *text;
        void (*change)(struct policy_facts *facts), (*more)(struct policy_facts *facts);
        void (*ask)(struct policy_request *request);
        guint media;
        enum policy_reason reason;
        const char *reply, *template;
    } cases[] = {
        {BY_WHATSAPP, "hi", .change = hour_ago, .reason = POLICY_OK},
        {BY_WHATSAPP, "hi", .reason = POLICY_WINDOW, .reply =
         "550 5.7.1 +12125550123 has not written to you for 24 hours, and whatsapp then takes only approved templates; none is "
         "known here, ask the administrator for one"},
        {BY_WHATSAPP, "hi", .change = day_ago, .more = some_templates, .reason = POLICY_WINDOW, .reply =
         "550 5.7.1 +12125550123 has not written to you for 24 hours, and whatsapp then takes only approved templates; write to "
         "the number with +NAME behind it, one line for each variable: plain (0 lines), welcome (2 lines)"},
        {BY_WHATSAPP, "hi", .change = of_group, .reason = POLICY_OK},
        {BY_WHATSAPP, NULL, .reason = POLICY_WINDOW},
        {BY_WHATSAPP, "hi", .change = reopening, .reason = POLICY_OK, .template = "news"},
        {BY_WHATSAPP, "", .change = reopening, .reason = POLICY_EMPTY},
        {BY_WHATSAPP, "hi", .change = reopening, .media = 1, .reason = POLICY_WINDOW},
        {BY_WHATSAPP, "hi", .change = reopening, .more = hour_ago, .reason = POLICY_OK},
        {"+12125550123+welcome@whatsapp.example.org", "a\n\nb", .change = some_templates, .reason = POLICY_OK, .template = "welcome"},
        {"+12125550123+welcome@whatsapp.example.org", "a", .change = some_templates, .reason = POLICY_TEMPLATE_LINES,
         .reply = "550 5.6.0 the template welcome has 2 variables, one line of text each; this mail has 1 lines"},
        {"+12125550123+plain@whatsapp.example.org", "", .change = some_templates, .reason = POLICY_OK, .template = "plain"},
        {"+12125550123+plain@whatsapp.example.org", "lost?", .change = some_templates, .reason = POLICY_TEMPLATE_LINES},
        {"+12125550123+plain@whatsapp.example.org", "", .change = some_templates, .media = 1, .reason = POLICY_TEMPLATE_MEDIA,
         .reply = "550 5.6.0 a template carries no attachment; send that in another mail"},
        {"+12125550123+photo@whatsapp.example.org", "", .change = some_templates, .reason = POLICY_TEMPLATE_MISSING,
         .reply = "550 5.6.0 the template photo needs a picture in its header, which a mail cannot give"},
        {"+12125550123+other@whatsapp.example.org", "x", .change = some_templates, .reason = POLICY_TEMPLATE_UNKNOWN,
         .reply = "550 5.6.0 +12125550100 has no approved template other; it has: plain (0 lines), welcome (2 lines)"},
        {BY_WHATSAPP, "", .change = some_templates, .ask = welcome_field, .reason = POLICY_OK, .template = "welcome"},
        {BY_WHATSAPP, "x", .change = some_templates, .ask = other_field, .reason = POLICY_TEMPLATE_UNKNOWN},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(policy_facts_t) facts = {0};
        g_auto(policy_verdict_t) verdict = {0};
        struct policy_site s = site();
        struct policy_request request = {.who = {ALICE, NULL, -1}, .sender = ALICE, .recipient = cases[i].recipient};
        const struct policy_message message = {.text = cases[i].text, .text_length = -1, .media = cases[i].media,
                                               .attachments = cases[i].media, .media_bytes = 1};
        whatsapp_facts(&facts, cases[i].recipient);
        if (cases[i].change != NULL)
            cases[i].change(&facts);
        if (cases[i].more != NULL)
            cases[i].more(&facts);
        if (cases[i].ask != NULL)
            cases[i].ask(&request);
        policy_check_content(&s, &request, &facts, &message, &verdict);
        check_reply(cases[i].text != NULL ? cases[i].text : "uncertain", &verdict, cases[i].reason, cases[i].reply);
        json_t *template = cases[i].reason == POLICY_OK ? policy_template(&request, &facts) : NULL;
        const char *name = json_string_value(json_object_get(template, "name"));
        assert_string_equal(name != NULL ? name : "", cases[i].template != NULL ? cases[i].template : "");
        if (cases[i].ask == welcome_field)
            assert_string_equal(json_string_value(json_array_get(json_object_get(template, "variables"), 1)), "2");
        json_decref(template);
    }
}

static void test_length_in_characters(void **state)
{
    g_auto(policy_facts_t) facts = {0};
    struct policy_site s = site();
    const struct policy_request request = {.who = {ALICE, NULL, -1}, .sender = ALICE, .recipient = BY_WHATSAPP};
    g_autofree char *text = g_strnfill(4097, 'x');
    whatsapp_facts(&facts, BY_WHATSAPP);
    hour_ago(&facts);
    for (guint media = 0; media < 2; media++) {
        g_auto(policy_verdict_t) verdict = {0};
        const struct policy_message message = {.text = text, .text_length = -1, .media = media, .attachments = media};
        policy_check_content(&s, &request, &facts, &message, &verdict);
        check_reply("long", &verdict, POLICY_TEXT_TOO_LONG,
                    media ? "552 5.3.4 the text has 4097 characters, one message carries 1024"
                          : "552 5.3.4 the text has 4097 characters, one message carries 4096");
    }
}

/* What the provider's shift tables save counts only where the endpoint says that it uses them. */
static void test_national_shift(void **state)
{
    g_auto(policy_facts_t) facts = {0};
    struct policy_site s = site();
    const char *text = "\xc5\x9f" HUNDRED; /* ş and 100 letters */
    plain_facts(&facts, GOOD);
    assert_int_equal(policy_segments(&s, &facts, text), 2);
    json_object_set_new(facts.endpoint_settings, "national_shift", json_pack("[ss]", "ES", "TR"));
    assert_int_equal(policy_segments(&s, &facts, text), 1);
    json_object_set_new(facts.endpoint_settings, "national_shift", json_pack("[s]", "XX"));
    assert_int_equal(policy_segments(&s, &facts, text), 2);
    g_free(facts.endpoint_channel);
    facts.endpoint_channel = g_strdup("whatsapp");
    assert_int_equal(policy_segments(&s, &facts, text), 0);
}

/* ---- For ump-lmtp ---- */

static void test_outcomes(void **state)
{
    static const struct {
        const char *outcome;
        enum policy_reason reason;
        const char *start;
    } cases[] = {
        {"new", POLICY_OK, "250 "},
        {"repeat", POLICY_OK, "250 "},
        {"conflict", POLICY_REPLAYED, "550 5.7.1 This mail was sent before with other contents"},
        {"opted-out", POLICY_OPTED_OUT, "550 5.7.1 +12125550123 has asked"},
        {"cap-user", POLICY_CAP_USER, "550 5.7.1 You may send 30 messages an hour"},
        {"cap-machine", POLICY_CAP_MACHINE, "550 5.7.1 This automatic sender may send 200 messages in an hour"},
        {"cap-spend", POLICY_CAP_SPEND, "550 5.7.1 What may be spent"},
        {"cap-range", POLICY_CAP_RANGE, "550 5.7.1 Too many first messages"},
        {"what is this", POLICY_UNAVAILABLE, "451 4.3.0 "},
    };
    struct policy_site s = site();
    const struct policy_request request = {.who = {ALICE, NULL, -1}, .recipient = GOOD};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(policy_facts_t) facts = {0};
        g_auto(policy_verdict_t) verdict = {0};
        plain_facts(&facts, GOOD);
        facts.machine_rate = 200;
        facts.machine_period_s = 3600;
        policy_verdict_outcome(&s, &request, &facts, cases[i].outcome, &verdict);
        check_reply(cases[i].outcome, &verdict, cases[i].reason, NULL);
        g_autofree char *reply = policy_verdict_reply(&verdict);
        assert_true(g_str_has_prefix(reply, cases[i].start));
    }
    g_auto(policy_verdict_t) verdict = {0};
    policy_verdict_reason(POLICY_STAMP_MISSING, &verdict);
    check_reply("stamp", &verdict, POLICY_STAMP_MISSING,
                "550 5.7.1 Messages can only be sent by mail that was submitted with a login; use the submission port");
    policy_verdict_clear(&verdict);
    policy_verdict_reason(POLICY_STAMP_BAD, &verdict);
    check_reply("stamp", &verdict, POLICY_STAMP_BAD,
                "550 5.7.1 The proof of who sent this mail is too old or belongs to another mail; send it again");
}

/* Several attachments on a network that carries one in a message. */
static void test_split_media(void **state)
{
    static const struct {
        struct policy_message message;
        enum policy_reason reason;
        const char *reply;
    } cases[] = {
        {{.text = "look", .text_length = -1, .attachments = 30, .media = 30, .media_bytes = 30000000, .media_largest = 1000000},
         POLICY_OK, NULL},
        {{.text = "", .text_length = -1, .attachments = 31, .media = 31}, POLICY_TOO_MANY_PARTS,
         "552 5.3.4 this mail has 31 attachments, a message each; at most 30 go out of one mail"},
        {{.text = "", .text_length = -1, .attachments = 2, .media = 2, .media_bytes = 1000002, .media_largest = 1000001},
         POLICY_MEDIUM_TOO_BIG, "552 5.3.4 an attachment has 1001 KB, one message carries 1000 KB"},
        {{.text = HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED, .text_length = -1,
          .attachments = 1, .media = 1, .media_bytes = 1, .media_largest = 1},
         POLICY_OK, NULL},
    };
    struct policy_site s = site();
    const struct policy_request request = {.who = {"alice@example.org", NULL, -1}, .recipient = BY_WHATSAPP};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(policy_facts_t) facts = {0};
        g_auto(policy_verdict_t) verdict = {0};
        whatsapp_facts(&facts, BY_WHATSAPP);
        hour_ago(&facts);
        json_object_set_new(json_object_get(facts.endpoint_settings, "limits"), "split_media", json_integer(30));
        policy_check_content(&s, &request, &facts, &cases[i].message, &verdict);
        check_reply("split", &verdict, cases[i].reason, cases[i].reply);
    }
}

static void test_caps_json(void **state)
{
    g_auto(policy_facts_t) facts = {0};
    struct policy_site s = site();
    plain_facts(&facts, GOOD);
    json_object_set_new(facts.endpoint_settings, "price_per_segment", json_integer(7900));
    g_autofree char *user = policy_caps_json(&s, &facts, 1, 3);
    assert_string_equal(user, "{\"user\":30,\"machine\":0,\"machine_period_s\":3600,\"spend\":0,\"cost\":23700,\"messages\":1,\"range\":50}");
    g_autofree char *parts = policy_caps_json(&s, &facts, 4, 1);
    assert_string_equal(parts, "{\"user\":30,\"machine\":0,\"machine_period_s\":3600,\"spend\":0,\"cost\":31600,\"messages\":4,\"range\":50}");
    machine(&facts);
    g_autofree char *bot = policy_caps_json(&s, &facts, 0, 0);
    assert_string_equal(bot, "{\"user\":30,\"machine\":200,\"machine_period_s\":3600,\"spend\":0,\"cost\":7900,\"messages\":1,\"range\":0}");
}

static void test_who(void **state)
{
    static const struct policy_who whos[] = {{"net:tricky@example.org", NULL, -1}, {NULL, "2001:db8::1", -1}, {NULL, NULL, 1000}};
    for (size_t i = 0; i < G_N_ELEMENTS(whos); i++) {
        struct policy_who back;
        g_autofree char *text = policy_who_format(&whos[i]);
        policy_who_parse(text, whos[i].login == NULL, &back);
        assert_int_equal(g_strcmp0(back.login, whos[i].login), 0);
        assert_int_equal(g_strcmp0(back.client, whos[i].client), 0);
        assert_int_equal(back.local_uid, whos[i].local_uid);
    }
}

static void test_received_uid(void **state)
{
    static const struct {
        const char *value;
        gint64 uid;
    } cases[] = {
        {" by mx.example.org (Postfix, from userid 1000)\n\tid 4jWDCZ; Fri, 20 Nov 2026", 1000},
        {"by mx.example.org (Postfix, from userid 0)\r\n\tid 4jWDCZ", 0},
        {"from x (by mx.example.org (Postfix, from userid 0)) by y", -1},
        {"from localhost (Postfix, from userid 7) by mx.example.org (Postfix) id 1", -1},
        {"by mx.example.org (Postfix) with ESMTPA id 4 (Postfix, from userid 9)", -1},
        {"by mx.example.org (Postfix, from userid -1)", -1},
        {"by mx.example.org (Postfix, from userid 12x)", -1},
        {"by mx.example.org (Postfix, from userid 99999999999999)", -1},
        {"by mx (comment) (Postfix, from userid 5)", -1},
        {"", -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(policy_received_uid(cases[i].value), cases[i].uid);
}

/* Nothing of a sentence can break out of its line. */
static void test_hostile_words(void **state)
{
    struct policy_site s = site();
    g_auto(policy_facts_t) facts = {0};
    g_auto(policy_verdict_t) verdict = {0};
    const struct policy_request request = {.who = {"eve\r\n250 ok %n \xc3\xa9@example.org", NULL, -1}, .sender = "e@x", .recipient = GOOD};
    plain_facts(&facts, GOOD);
    facts.known = false;
    policy_check_recipient(&s, &request, &facts, &verdict);
    assert_null(strpbrk(verdict.sentence, "\r\n%"));
    assert_true(g_str_is_ascii(verdict.sentence));
    assert_true(strlen(verdict.sentence) <= 400);
}

/* Runs last: each row of the table was said at least once. */
static void test_every_sentence_was_said(void **state)
{
    for (int i = 0; i < POLICY_REASONS; i++)
        if (!seen[i])
            fail_msg("reason %d was never said", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recipients),     cmocka_unit_test(test_notices),
        cmocka_unit_test(test_mails),          cmocka_unit_test(test_limits_of_the_endpoint),
        cmocka_unit_test(test_window_and_templates), cmocka_unit_test(test_length_in_characters), cmocka_unit_test(test_national_shift),
        cmocka_unit_test(test_outcomes),       cmocka_unit_test(test_caps_json), cmocka_unit_test(test_split_media),
        cmocka_unit_test(test_who),            cmocka_unit_test(test_received_uid),
        cmocka_unit_test(test_hostile_words),  cmocka_unit_test(test_every_sentence_was_said),
    };
    ids = ids_keys_from_secret("0123456789abcdef0123456789abcdef", 32);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ids_keys_free(ids);
    return failed;
}
