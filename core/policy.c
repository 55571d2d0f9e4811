/* SPDX-License-Identifier: Apache-2.0 */
/* The checks.  Each small function answers false when it has said a refusal. */
#include "core/policy_internal.h"

#include <string.h>

#include "core/clock.h"
#include "core/endpoint_settings.h"
#include "core/gsm.h"
#include "core/ids.h"

struct check {
    const struct policy_site *site;
    const struct policy_request *request;
    const struct policy_facts *facts; /* NULL: the database does not answer */
    const struct address *address;
    struct policy_words words;
    struct policy_verdict *verdict;
};

static bool say(struct check *c, enum policy_reason reason)
{
    policy_say(reason, &c->words, c->verdict);
    return false;
}

const char *policy_channel(const struct policy_request *request, const struct policy_facts *facts)
{
    if (request->channel != NULL)
        return request->channel;
    return facts != NULL ? facts->address.channel : NULL;
}

/* ---- Who ---- */

static bool check_who(struct check *c)
{
    const struct policy_who *who = &c->request->who;
    if (who->login == NULL && who->client == NULL && who->local_uid < 0)
        return say(c, POLICY_NOT_AUTHENTICATED);
    if (c->facts == NULL)
        return who->login != NULL ? true : say(c, POLICY_UNAVAILABLE);
    if (!c->facts->known)
        return say(c, who->login != NULL ? POLICY_NO_ACCOUNT : POLICY_NOT_AUTHENTICATED);
    return true;
}

/* ---- The address ---- */

/* user%host@…, host!user@…, "user@host"@…: asks us to route on. */
static bool has_route(const char *recipient)
{
    const char *at = strrchr(recipient, '@');
    size_t length = at != NULL ? (size_t)(at - recipient) : strlen(recipient);
    for (size_t i = 0; i < length; i++)
        if (strchr("%!@:", recipient[i]) != NULL)
            return true;
    return false;
}

static bool check_notice(struct check *c)
{
    struct ids_token token;
    const char *id = c->address->id != NULL ? c->address->id : "";
    if (c->request->who.login == NULL || (c->facts != NULL && c->facts->machine))
        return say(c, POLICY_NOT_AUTHENTICATED);
    if (c->site->ids == NULL)
        return say(c, POLICY_NOTICE_UNKNOWN);
    switch (ids_token_verify(c->site->ids, IDS_NOTICE, id, strlen(id), ump_clock_now_us(), &token)) {
    case IDS_TOKEN_OK:
        return true;
    case IDS_TOKEN_EXPIRED:
        return say(c, POLICY_NOTICE_EXPIRED);
    default:
        return say(c, POLICY_NOTICE_UNKNOWN);
    }
}

/* +1 555 is nobody's, so that documentation, examples and simulators use it: it costs nothing. */
static bool is_documentation(const struct phone *phone)
{
    return g_str_has_prefix(phone->e164, "+1555") && strlen(phone->e164) == 12;
}

static bool check_number(struct check *c)
{
    const struct phone *phone = &c->address->phone;
    if (phone->emergency)
        return say(c, POLICY_EMERGENCY);
    if (phone->premium || phone->type == PHONE_TYPE_PREMIUM)
        return say(c, POLICY_PREMIUM);
    if (phone->satellite)
        return say(c, POLICY_SATELLITE);
    if (phone->type == PHONE_TYPE_SHARED_COST || phone->type == PHONE_TYPE_PERSONAL)
        return say(c, POLICY_SHARED_COST);
    bool seen = c->facts != NULL && c->facts->known_contact; /* our table may lag behind the networks */
    if (!phone->valid && !seen && !is_documentation(phone) && c->facts != NULL)
        return say(c, POLICY_INVALID_NUMBER);
    return true;
}

static bool is_emergency(const struct check *c)
{
    struct phone phone;
    const char *region = c->facts != NULL ? c->facts->account_region : NULL;
    const char *id = c->address->id;
    if (c->address->kind != ADDRESS_SHORT_CODE || id == NULL)
        return c->address->kind == ADDRESS_NUMBER && c->address->phone.emergency;
    phone_parse(id, strlen(id), region != NULL ? region : c->site->region, &phone);
    return phone.emergency;
}

static bool check_address(struct check *c, enum address_result result)
{
    if (is_emergency(c))
        return say(c, POLICY_EMERGENCY);
    if (has_route(c->request->recipient))
        return say(c, POLICY_SOURCE_ROUTE);
    if (result != ADDRESS_OK) {
        /* digits alone may be a number in a region that only the database knows */
        bool national = result == ADDRESS_BAD_NUMBER && c->address->written != NULL && c->address->written[0] != '+';
        if (c->facts == NULL && national)
            return true;
        g_autofree char *why = address_explain(result, c->address);
        c->words.why = why;
        c->words.status = address_status_code(result);
        return say(c, POLICY_BAD_ADDRESS);
    }
    if (c->address->kind == ADDRESS_NUMBER)
        return check_number(c);
    if (c->address->kind == ADDRESS_ALPHANUMERIC)
        return say(c, POLICY_ALPHANUMERIC);
    return true;
}

/* ---- The endpoint ---- */

static bool check_endpoint(struct check *c)
{
    const struct policy_facts *f = c->facts;
    const char *channel = policy_channel(c->request, f);
    c->words.endpoint = f->endpoint_address;
    c->words.channel = g_strcmp0(channel, "any") == 0 ? "sending" : channel;
    if (f->machine && f->endpoint_channel != NULL && g_strcmp0(channel, "any") != 0 &&
        g_strcmp0(channel, f->endpoint_channel) != 0)
        return say(c, POLICY_MACHINE_CHANNEL);
    if (f->endpoint_id == NULL)
        return say(c, POLICY_NO_ENDPOINT);
    bool another = c->request->early && f->endpoint_count > 0;
    if (g_strcmp0(f->endpoint_status, "enabled") != 0 && !another)
        return say(c, POLICY_ENDPOINT_DISABLED);
    return true;
}

static bool same_endpoint(const char *written, const struct policy_facts *facts)
{
    struct phone phone;
    g_autofree char *clean = g_strstrip(g_strdup(written));
    if (g_strcmp0(clean, facts->endpoint_address) == 0)
        return true;
    return phone_parse(clean, strlen(clean), facts->account_region, &phone) == PHONE_OK &&
           g_strcmp0(phone.e164, facts->endpoint_address) == 0;
}

static bool check_ump_from(struct check *c)
{
    if (c->request->ump_from == NULL || c->facts->machine || c->facts->group_id != NULL ||
        same_endpoint(c->request->ump_from, c->facts))
        return true;
    c->words.why = c->request->ump_from;
    return say(c, POLICY_UMP_FROM);
}

static bool check_known(struct check *c)
{
    if (c->address->kind == ADDRESS_GROUP && c->facts->group_id == NULL)
        return say(c, POLICY_GROUP_UNKNOWN);
    if (c->address->kind == ADDRESS_OPAQUE && !c->facts->known_contact)
        return say(c, POLICY_OPAQUE_UNKNOWN);
    if (c->address->kind == ADDRESS_SHORT_CODE && !c->facts->known_contact)
        return say(c, POLICY_SHORT_CODE);
    return true;
}

/* ---- The country ---- */

/* The regions that go without saying with one. */
static bool belongs_to(const char *region, const char *home)
{
    static const char *const of_us[] = {"PR", "VI", "GU", "AS", "MP", NULL};
    return g_ascii_strcasecmp(region, home) == 0 ||
           (g_ascii_strcasecmp(home, "US") == 0 && g_strv_contains(of_us, region));
}

static char *home_region(const struct policy_facts *facts, const struct policy_site *site)
{
    struct phone own;
    const char *address = facts->endpoint_address != NULL ? facts->endpoint_address : "";
    if (phone_parse(address, strlen(address), NULL, &own) == PHONE_OK) {
        if (own.region[0] != '\0' && strcmp(own.region, "001") != 0)
            return g_strdup(own.region);
        if (own.country_code == 1)
            return g_strdup("US");
    }
    return g_strdup(facts->account_region != NULL ? facts->account_region : site->region);
}

/* NULL-terminated list of what the endpoint may write to. */
static char **allowed_regions(const struct policy_facts *facts, const struct policy_site *site)
{
    const json_t *list = json_object_get(facts->endpoint_settings, "countries");
    GPtrArray *regions = g_ptr_array_new();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (word != NULL)
            g_ptr_array_add(regions, g_ascii_strup(word, -1));
    }
    if (regions->len == 0)
        g_ptr_array_add(regions, home_region(facts, site));
    g_ptr_array_add(regions, NULL);
    return (char **)g_ptr_array_free(regions, FALSE);
}

static bool is_allowed(const struct policy_facts *facts, const struct phone *phone, char **regions)
{
    const char *region = phone->region[0] == '\0' && phone->country_code == 1 ? "US" : phone->region;
    bool every = false;
    for (char **r = regions; *r != NULL; r++) {
        if (belongs_to(region, *r))
            return true;
        every = every || strcmp(*r, "*") == 0;
    }
    if (phone->caribbean)
        return endpoint_setting_bool(facts->endpoint_settings, "caribbean", false);
    return every;
}

static bool check_country(struct check *c)
{
    if (c->address->kind != ADDRESS_NUMBER || (c->request->early && c->facts->endpoint_count > 1))
        return true;
    g_auto(GStrv) regions = allowed_regions(c->facts, c->site);
    if (is_allowed(c->facts, &c->address->phone, regions))
        return true;
    g_autofree char *list = g_strjoinv(", ", regions);
    g_autofree char *region = c->address->phone.region[0] != '\0' && strcmp(c->address->phone.region, "001") != 0
                                  ? g_strdup_printf("%s (+%d)", c->address->phone.region, c->address->phone.country_code)
                                  : g_strdup_printf("no country (+%d)", c->address->phone.country_code);
    c->words.region = region;
    c->words.regions = list;
    return say(c, POLICY_COUNTRY);
}

/* ---- Opt-out and caps ---- */

static bool check_opt_out(struct check *c)
{
    bool guess = c->request->early && c->facts->endpoint_count > 1;
    if (c->facts->opted_out_wide || (c->facts->opted_out && !guess))
        return say(c, POLICY_OPTED_OUT);
    return true;
}

static gint64 account_cap(const struct policy_facts *facts, const char *key, gint64 fallback)
{
    return MAX(endpoint_setting_int(facts->account_settings, key, fallback), 0);
}

/* An administrator who declared a machine sender gave it its rate: only his own word adds a second. */
static gint64 range_cap(const struct policy_site *site, const struct policy_facts *facts)
{
    return account_cap(facts, "range_per_hour", facts->machine ? 0 : site->range_per_hour);
}

static char *period_text(gint64 seconds)
{
    static const struct {
        gint64 seconds;
        const char *one, *many;
    } units[] = {{86400, "a day", "days"}, {3600, "an hour", "hours"}, {60, "a minute", "minutes"}};
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (seconds == units[i].seconds)
            return g_strdup(units[i].one);
        if (seconds > 0 && seconds % units[i].seconds == 0)
            return g_strdup_printf("%" G_GINT64_FORMAT " %s", seconds / units[i].seconds, units[i].many);
    }
    return g_strdup_printf("%" G_GINT64_FORMAT " seconds", seconds);
}

static bool say_cap(struct check *c, enum policy_reason reason)
{
    const struct policy_facts *f = c->facts;
    g_autofree char *period = period_text(f->machine_period_s);
    c->words.period = period;
    c->words.limit = reason == POLICY_CAP_MACHINE ? f->machine_rate
                                                  : account_cap(f, "user_per_hour", c->site->user_per_hour);
    return say(c, reason);
}

static bool check_caps(struct check *c)
{
    const struct policy_facts *f = c->facts;
    gint64 already = c->request->already;
    gint64 user = account_cap(f, "user_per_hour", c->site->user_per_hour);
    gint64 spend = account_cap(f, "spend_per_day", c->site->spend_per_day);
    gint64 price = endpoint_setting_int(f->endpoint_settings, "price_per_segment", 0);
    gint64 range = range_cap(c->site, f);
    if (f->machine && f->machine_rate > 0 && f->used_machine + already >= f->machine_rate)
        return say_cap(c, POLICY_CAP_MACHINE);
    if (!f->machine && user > 0 && f->used_user + already >= user)
        return say_cap(c, POLICY_CAP_USER);
    if (spend > 0 && price > 0 && f->used_spend + price * (already + 1) > spend)
        return say_cap(c, POLICY_CAP_SPEND);
    if (range > 0 && c->address->kind == ADDRESS_NUMBER && !f->known_contact && f->used_range >= range)
        return say_cap(c, POLICY_CAP_RANGE);
    return true;
}

/* deferred_until: of the mail; 0 while that is not known. */
static bool check_due(struct check *c, gint64 deferred_until)
{
    gint64 due;
    enum policy_reason reason = policy_due(c->address, deferred_until, &due);
    if (reason == POLICY_OK)
        return true;
    c->words.why = c->address->at != NULL ? c->address->at : "Deferred-Delivery";
    c->words.limit = POLICY_DUE_DAYS;
    return say(c, reason);
}

static bool check_count(struct check *c)
{
    if (c->site->max_recipients <= 0 || c->request->already < c->site->max_recipients)
        return true;
    c->words.limit = c->site->max_recipients;
    return say(c, POLICY_TOO_MANY);
}

/* ---- A recipient ---- */

static struct check check_init(const struct policy_site *site, const struct policy_request *request,
                               const struct policy_facts *facts, const struct address *address,
                               struct policy_verdict *verdict)
{
    struct check c = {site, request, facts, address, {0}, verdict};
    *verdict = (struct policy_verdict){0};
    c.words.who = request->who.login != NULL ? request->who.login : request->who.client;
    c.words.from = request->from;
    if (address != NULL) {
        c.words.number = address->kind == ADDRESS_NUMBER && address->phone.e164[0] != '\0' ? address->phone.e164
                         : address->id != NULL                                            ? address->id
                                                                                          : address->written;
        c.words.channel = address->channel;
    }
    return c;
}

static bool check_right(struct check *c)
{
    return check_endpoint(c) && check_known(c) && check_ump_from(c) && check_country(c);
}

static bool check_facts(struct check *c)
{
    return check_right(c) && check_opt_out(c) && check_caps(c);
}

enum policy_action policy_check_right(const struct policy_site *site, const struct policy_request *request,
                                      const struct policy_facts *facts, struct policy_verdict *verdict)
{
    struct check c = check_init(site, request, facts, &facts->address, verdict);
    if (!check_right(&c))
        return verdict->action;
    policy_say(POLICY_OK, &c.words, verdict);
    return POLICY_ACCEPT;
}

enum policy_action policy_check_recipient(const struct policy_site *site, const struct policy_request *request,
                                          const struct policy_facts *facts, struct policy_verdict *verdict)
{
    g_auto(address_t) own = {0};
    const struct address *address = &own;
    enum address_result result;
    if (facts != NULL) {
        address = &facts->address;
        result = facts->address_result;
    } else {
        const struct address_space space = {site->domains, site->channels, site->region};
        result = address_parse(request->recipient, strlen(request->recipient), &space, &own);
    }
    struct check c = check_init(site, request, facts, address, verdict);
    if (!check_who(&c))
        return verdict->action;
    if (request->sender != NULL && request->sender[0] == '\0') {
        say(&c, POLICY_NULL_SENDER);
        return verdict->action;
    }
    if (result == ADDRESS_OK && address->kind == ADDRESS_NOTICE) {
        if (!check_notice(&c))
            return verdict->action;
    } else if (!check_address(&c, result) || !check_due(&c, 0) || !check_count(&c) || (facts != NULL && !check_facts(&c))) {
        return verdict->action;
    }
    policy_say(POLICY_OK, &c.words, verdict);
    verdict->partial = facts == NULL;
    return POLICY_ACCEPT;
}

/* ---- The mail ---- */

enum policy_action policy_check_mail(const struct policy_site *site, const struct policy_request *request,
                                     const struct policy_facts *facts, const struct policy_message *message,
                                     struct policy_verdict *verdict)
{
    struct check c = check_init(site, request, facts, NULL, verdict);
    if (message->from_state != MAIL_FROM_OK) {
        const char *sentence = mail_from_sentence(message->from_state);
        const char *space = strchr(sentence, ' '); /* "5.7.1 the mail has …" */
        c.words.why = space != NULL ? space + 1 : sentence;
        say(&c, POLICY_FROM_MALFORMED);
    } else if (facts != NULL && facts->known && facts->from_given && !facts->from_ok) {
        say(&c, POLICY_FROM_NOT_HIS);
    } else if (message->auto_class == MAIL_AUTO_REPLIED) {
        c.words.why = message->auto_reason;
        say(&c, POLICY_AUTO_REPLIED);
    } else if (message->auto_class == MAIL_AUTO_GENERATED && facts != NULL && !facts->machine) {
        c.words.why = message->auto_reason;
        say(&c, POLICY_AUTO_GENERATED);
    } else {
        policy_say(POLICY_OK, &c.words, verdict);
        verdict->partial = facts == NULL;
    }
    return verdict->action;
}

gint64 policy_max_segments(const struct policy_site *site, const struct policy_facts *facts)
{
    const char *channel = facts->endpoint_channel;
    if (channel == NULL || strcmp(channel, "sms") != 0 || facts->group_id != NULL)
        return 0;
    return endpoint_setting_int(facts->endpoint_settings, "max_segments", site->max_segments);
}

bool policy_sends_uncertain(const struct policy_facts *facts)
{
    return g_str_equal(endpoint_setting_string(facts->endpoint_settings, "uncertain", "hold"), "send");
}

bool policy_transliterates(const struct policy_facts *facts)
{
    return endpoint_setting_bool(facts->endpoint_settings, "transliterate", false);
}

/* The languages whose shift tables the provider uses (gsm.h). */
static guint national_shift(const struct policy_facts *facts)
{
    const json_t *list = json_object_get(facts->endpoint_settings, "national_shift");
    guint languages = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        g_autofree char *code = g_ascii_strdown(word != NULL ? word : "", -1);
        languages |= 1u << gsm_language_find(code);
    }
    return languages & ~(1u << GSM_DEFAULT);
}

char *policy_fit_text(const struct policy_facts *facts, const char *text, size_t length)
{
    bool fits = g_strcmp0(facts->endpoint_channel, "sms") == 0 && policy_transliterates(facts);
    return fits ? gsm_fit(text, length) : g_strndup(text, length);
}

guint policy_segments(const struct policy_site *site, const struct policy_facts *facts, const char *text)
{
    struct gsm_count count;
    if (policy_max_segments(site, facts) <= 0)
        return 0;
    return gsm_count(text, strlen(text), national_shift(facts), &count);
}

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isspace(text[i]))
            return false;
    return true;
}

/* An empty mail whose Subject is its text. */
static bool subject_stands_in(const struct policy_facts *facts, const char *subject)
{
    if (subject == NULL || is_blank(subject, strlen(subject)))
        return false;
    return facts == NULL || (facts->machine ? facts->machine_subject_first
                                            : endpoint_setting_bool(facts->endpoint_settings, "subject_first", false));
}

/* So many messages of the network a mail with several attachments may become (core/parts); 0: one. */
static gint64 split_media(const struct check *c)
{
    const json_t *limits = c->facts != NULL ? json_object_get(c->facts->endpoint_settings, "limits") : NULL;
    return endpoint_setting_int(limits, "split_media", 0);
}

static bool is_split(const struct check *c)
{
    return split_media(c) > 1;
}

/* The channel's own limit, in characters, or in bytes where the provider counts those; umpctl writes it into the endpoint's settings. */
static bool check_length(struct check *c, size_t length, const char *text, const char *key)
{
    const json_t *limits = c->facts != NULL ? json_object_get(c->facts->endpoint_settings, "limits") : NULL;
    gint64 limit = endpoint_setting_int(limits, key, -1);
    if (limit < 0 || c->address->kind == ADDRESS_NOTICE)
        return true;
    bool octets = json_is_true(json_object_get(limits, "text_in_octets"));
    c->words.count = octets ? (gint64)length : g_utf8_strlen(text, (gssize)length);
    c->words.unit = octets ? "bytes" : "characters";
    c->words.limit = limit;
    return c->words.count > limit ? say(c, POLICY_TEXT_TOO_LONG) : true;
}

static bool check_template(struct check *c, const struct policy_message *message)
{
    g_autofree char *text = NULL;
    if (c->facts == NULL || c->address->kind == ADDRESS_NOTICE || c->address->kind == ADDRESS_NEW_GROUP)
        return true;
    c->words.endpoint = c->facts->endpoint_address;
    enum policy_reason reason = policy_template_check(c->request, c->facts, message, &c->words, &text);
    return reason == POLICY_OK ? true : say(c, reason);
}

static bool check_text(struct check *c, const struct policy_message *message)
{
    if (message->text == NULL || c->address->kind == ADDRESS_NOTICE)
        return true;
    size_t length = message->text_length < 0 ? strlen(message->text) : (size_t)message->text_length;
    if (message->attachments > 0) /* a multimedia message: its text is not cut into SMS */
        return message->media == 0 || check_length(c, length, message->text, is_split(c) ? "max_text" : "max_caption");
    if (c->facts != NULL && policy_template_goes(c->request, c->facts))
        return true;
    if (is_blank(message->text, length))
        return subject_stands_in(c->facts, message->subject) ? true : say(c, POLICY_EMPTY);
    if (!check_length(c, length, message->text, "max_text"))
        return false;
    gint64 limit = c->facts != NULL ? policy_max_segments(c->site, c->facts) : 0;
    if (limit <= 0 || c->address->kind == ADDRESS_NEW_GROUP)
        return true;
    c->words.limit = limit;
    g_autofree char *fitted = policy_fit_text(c->facts, message->text, length);
    c->words.count = policy_segments(c->site, c->facts, fitted);
    return c->words.count > limit ? say(c, POLICY_TOO_LONG) : true;
}

/* What nobody can read is refused whatever else the mail holds. */
static bool check_refusal(struct check *c, const struct policy_message *message)
{
    static const enum policy_reason reasons[] = {
        [MAIL_REFUSAL_ENCRYPTED] = POLICY_ENCRYPTED,
        [MAIL_REFUSAL_INVITATION] = POLICY_INVITATION,
        [MAIL_REFUSAL_WINMAIL] = POLICY_WINMAIL,
    };
    if (message->refusal == MAIL_REFUSAL_NONE)
        return true;
    return say(c, reasons[message->refusal]);
}

/* Of attachments that go out in several messages: count and bytes of one are what that carries. */
static bool check_split_media(struct check *c, const struct policy_message *message, gint64 count, gint64 bytes)
{
    c->words.limit = count;
    if (count >= 0 && message->media > count)
        return say(c, POLICY_TOO_MANY_PARTS);
    c->words.count = (message->media_largest + 999) / 1000;
    c->words.limit = bytes / 1000;
    return bytes >= 0 && message->media_largest > bytes ? say(c, POLICY_MEDIUM_TOO_BIG) : true;
}

/* What the channel carries stands in the endpoint's settings: umpctl writes the adapter's limits there. */
static bool check_media(struct check *c, const struct policy_message *message)
{
    const json_t *limits = c->facts != NULL ? json_object_get(c->facts->endpoint_settings, "limits") : NULL;
    gint64 count = endpoint_setting_int(limits, "max_media", -1), bytes = endpoint_setting_int(limits, "max_media_total", -1);
    if (message->media == 0 || c->address->kind == ADDRESS_NOTICE)
        return true;
    c->words.count = message->media;
    if (is_split(c))
        return check_split_media(c, message, count * split_media(c), bytes);
    c->words.limit = count;
    if (count >= 0 && message->media > count)
        return say(c, POLICY_TOO_MANY_MEDIA);
    c->words.count = (message->media_bytes + 999) / 1000;
    c->words.limit = bytes / 1000;
    return bytes >= 0 && message->media_bytes - message->convertible_bytes > bytes ? say(c, POLICY_MEDIA_TOO_BIG) : true;
}

enum policy_action policy_check_content(const struct policy_site *site, const struct policy_request *request,
                                        const struct policy_facts *facts, const struct policy_message *message,
                                        struct policy_verdict *verdict)
{
    static const struct address unknown = {.kind = ADDRESS_NUMBER};
    struct check c = check_init(site, request, facts, facts != NULL ? &facts->address : &unknown, verdict);
    c.words.count = (message->size + 1023) / 1024;
    c.words.limit = site->max_size / 1024;
    if (site->max_size > 0 && message->size > site->max_size)
        say(&c, POLICY_TOO_BIG);
    else if (check_due(&c, message->deferred_until) && check_refusal(&c, message) && check_media(&c, message) && check_text(&c, message) &&
             check_template(&c, message)) {
        policy_say(POLICY_OK, &c.words, verdict);
        verdict->partial = facts == NULL;
    }
    return verdict->action;
}

/* ---- For ump-lmtp ---- */

enum policy_action policy_verdict_outcome(const struct policy_site *site, const struct policy_request *request,
                                          const struct policy_facts *facts, const char *outcome,
                                          struct policy_verdict *verdict)
{
    static const struct {
        const char *outcome;
        enum policy_reason reason;
    } table[] = {
        {"new", POLICY_OK},
        {"repeat", POLICY_OK},
        {"conflict", POLICY_REPLAYED},
        {"opted-out", POLICY_OPTED_OUT},
        {"cap-user", POLICY_CAP_USER},
        {"cap-machine", POLICY_CAP_MACHINE},
        {"cap-spend", POLICY_CAP_SPEND},
        {"cap-range", POLICY_CAP_RANGE},
    };
    struct check c = check_init(site, request, facts, &facts->address, verdict);
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (g_strcmp0(outcome, table[i].outcome) == 0) {
            say_cap(&c, table[i].reason);
            return verdict->action;
        }
    say(&c, POLICY_UNAVAILABLE);
    return verdict->action;
}

char *policy_caps_json(const struct policy_site *site, const struct policy_facts *facts, guint messages, guint segments)
{
    gint64 price = endpoint_setting_int(facts->endpoint_settings, "price_per_segment", 0);
    json_t *caps = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", //
        "user", (json_int_t)account_cap(facts, "user_per_hour", site->user_per_hour),
        "machine", (json_int_t)(facts->machine ? facts->machine_rate : 0),
        "machine_period_s", (json_int_t)(facts->machine_period_s > 0 ? facts->machine_period_s : 3600),
        "spend", (json_int_t)account_cap(facts, "spend_per_day", site->spend_per_day),
        "cost", (json_int_t)(price * MAX(MAX(segments, messages), 1)),
        "messages", (json_int_t)MAX(messages, 1),
        "range", (json_int_t)range_cap(site, facts));
    char *text = json_dumps(caps, JSON_COMPACT);
    json_decref(caps);
    char *copy = g_strdup(text); /* jansson's allocator may be another */
    free(text);
    return copy;
}
