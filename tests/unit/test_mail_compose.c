/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chat message → mail: every kind byte for byte against golden/ (written anew with UMP_GOLDEN=write), and the property
 * of FAILURES T29: whatever strangers send, the set of headers is the expected one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/mail_compose.h"
#include "core/mail_header.h"
#include "core/mail_parse.h"
#include "core/mail_report.h"
#include "core/ump_header.h"

static const char uuid[] = "01890000-0000-7000-8000-000000000001";

static struct ump_message *base(enum ump_message_type type, const char *text)
{
    struct ump_message *msg = ump_message_new();
    msg->id = g_strdup(uuid);
    msg->conversation_id = g_strdup("01890000-0000-7000-8000-0000000000cc");
    msg->channel = g_strdup("sms");
    msg->provider = g_strdup("telnyx");
    msg->endpoint_address = g_strdup("+15550100001");
    msg->external_id = g_strdup("ext-1");
    msg->sender.address = g_strdup("+15551234567");
    msg->sender.name = g_strdup("Bob Jones");
    msg->occurred_at = G_GINT64_CONSTANT(1780000000123456);
    msg->type = type;
    msg->text = g_strdup(text);
    return msg;
}

static struct mail_compose_context context(void)
{
    return (struct mail_compose_context){
        .domain = "example.org",
        .user_address = "alice@example.org",
        .user_name = "Alice Smith",
        .contact_address = "+15551234567@sms.example.org",
        .anchor = "<ump.01890000-0000-7000-8000-000000000000@example.org>",
    };
}

static struct ump_media *media(const char *type, const char *name, const char *bytes)
{
    struct ump_media *m = ump_media_new();
    m->type = g_strdup(type);
    m->name = g_strdup(name);
    if (bytes) {
        m->content = g_bytes_new(bytes, strlen(bytes));
        m->size = (gint64)strlen(bytes);
    }
    return m;
}

static char *compose(const struct ump_message *msg, const struct mail_compose_context *x, gsize *len)
{
    g_autoptr(GBytes) mail = NULL, again = NULL;
    g_autoptr(GError) error = NULL;
    if (mail_compose(msg, x, &mail, &error) < 0)
        fail_msg("%s", error->message);
    assert_int_equal(mail_compose(msg, x, &again, NULL), 0);
    assert_true(g_bytes_equal(mail, again));
    const char *data = g_bytes_get_data(mail, len);
    for (gsize i = 0; i < *len; i++) /* CRLF everywhere, lines within the limit */
        assert_true((data[i] == '\n') == (i > 0 && data[i - 1] == '\r'));
    return g_strndup(data, *len);
}

static void golden(const char *name, const char *data)
{
    const char *source = g_getenv("UMP_SOURCE_DIR");
    g_autofree char *file = g_strdup_printf("%s.eml", name);
    g_autofree char *path = g_build_filename(source ? source : ".", "tests/unit/golden", file, NULL), *expected = NULL;
    if (g_strcmp0(g_getenv("UMP_GOLDEN"), "write") == 0)
        g_file_set_contents(path, data, -1, NULL);
    if (!g_file_get_contents(path, &expected, NULL, NULL))
        fail_msg("no %s", path);
    assert_string_equal(data, expected);
}

static void check(const char *name, struct ump_message *msg, const struct mail_compose_context *x)
{
    gsize len;
    g_autofree char *mail = compose(msg, x, &len);
    golden(name, mail);
    g_autoptr(parsed_mail) parsed = NULL;
    assert_int_equal(mail_parse(mail, len, NULL, &parsed, NULL), 0);
    assert_int_equal(parsed->from_state, MAIL_FROM_OK);
    assert_int_equal(parsed->auto_class, MAIL_AUTO_NONE);
    g_auto(mail_header) h = {0};
    mail_header_scan(&h, mail, len);
    g_autofree char *value = mail_header_get(&h, "UMP-Header");
    g_auto(ump_header_t) header = {0};
    assert_true(ump_header_parse(value, strlen(value), &header));
    assert_string_equal(header.id, uuid);
    assert_string_equal(header.direction, ump_direction_name(msg->direction));
    ump_message_free(msg);
}

static void plain_kinds(void **state)
{
    struct mail_compose_context x = context();
    check("text", base(UMP_MESSAGE_TEXT, "Look at the new picture of the boat in the harbour, it is lovely and I think we should go there.\nSunday?"), &x);
    check("unicode", base(UMP_MESSAGE_TEXT, "Grüße aus Köln 👍🏽\n> no quote\nFrom here on it is a longer line with so many words in it that it must be broken, für alle"), &x);
    struct mail_compose_context first = x;
    first.anchor = "<ump.01890000-0000-7000-8000-000000000001@example.org>";
    struct ump_message *stranger = base(UMP_MESSAGE_TEXT, "hello?");
    stranger->contact_new = stranger->urgent = true;
    g_clear_pointer(&stranger->sender.name, g_free);
    check("stranger", stranger, &first);
    struct mail_compose_context quoting = x;
    quoting.target = "<user.1@example.org>";
    struct ump_message *reply = base(UMP_MESSAGE_TEXT, "yes, that one");
    reply->reply_to = g_strdup("01890000-0000-7000-8000-000000000007");
    check("quote", reply, &quoting);
    check("interactive", base(UMP_MESSAGE_INTERACTIVE, "Poll: where to?\n1. Harbour\n2. Hills"), &x);
    struct ump_message *unknown = base(UMP_MESSAGE_UNKNOWN, NULL);
    unknown->native_type = g_strdup("hologram\r\nBcc: x");
    check("unknown", unknown, &x);
    struct ump_message *mms = base(UMP_MESSAGE_TEXT, "the text");
    mms->subject = g_strdup("A subject");
    check("mms-subject", mms, &x);
    struct mail_compose_context stamped = x;
    stamped.stamp = "v=1, kind=bridge, k=1, mac=:AAAA:";
    check("stamped", base(UMP_MESSAGE_TEXT, "x"), &stamped);
}

static void styles(void **state)
{
    static const struct {
        enum mail_subject_style style;
        bool anchor;
        enum ump_direction direction;
        const char *subject;
    } cases[] = {
        {MAIL_SUBJECT_WORDS, false, UMP_INBOUND, "the code is 1234"},
        {MAIL_SUBJECT_STABLE, true, UMP_INBOUND, "Chat with Bob Jones"},
        {MAIL_SUBJECT_STABLE, false, UMP_INBOUND, "Re: Chat with Bob Jones"},
        {MAIL_SUBJECT_PRIVATE, false, UMP_INBOUND, "New SMS from Bob Jones"},
        {MAIL_SUBJECT_PRIVATE, false, UMP_OUTBOUND, "SMS to Bob Jones"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct mail_compose_context x = context();
        x.subject_style = cases[i].style;
        if (cases[i].anchor)
            x.anchor = NULL;
        g_autoptr(ump_message) msg = base(UMP_MESSAGE_TEXT, "the code is 1234");
        msg->direction = cases[i].direction;
        g_autofree char *subject = mail_compose_subject(msg, &x);
        assert_string_equal(subject, cases[i].subject);
    }
    assert_int_equal(mail_subject_style_from_name("private"), MAIL_SUBJECT_PRIVATE);
    assert_int_equal(mail_subject_style_from_name("x"), -1);
}

static void media_kinds(void **state)
{
    struct mail_compose_context x = context();
    struct ump_message *picture = base(UMP_MESSAGE_MEDIA, NULL);
    g_ptr_array_add(picture->media, media("image/png", "../IMG_2031.png", "png bytes"));
    ((struct ump_media *)picture->media->pdata[0])->caption = g_strdup("The boat");
    check("picture", picture, &x);
    struct ump_message *many = base(UMP_MESSAGE_MEDIA, "see these");
    g_ptr_array_add(many->media, media("image/jpeg", NULL, "jpeg"));
    g_ptr_array_add(many->media, media("application/pdf", "Übersicht für 2027.pdf", "%PDF"));
    g_ptr_array_add(many->media, media("text/html", "x.html", "<b>"));
    g_ptr_array_add(many->media, media("multipart/mixed\r\nBcc: x", "a\r\nb", "?"));
    check("media-many", many, &x);
    struct ump_message *voice = base(UMP_MESSAGE_MEDIA, NULL);
    g_ptr_array_add(voice->media, media("audio/ogg; codecs=opus", NULL, "ogg"));
    ((struct ump_media *)voice->media->pdata[0])->voice = true;
    check("voice", voice, &x);
    struct ump_message *stub = base(UMP_MESSAGE_MEDIA, "look");
    struct ump_media *gone = media("image/png", "boat.png", NULL);
    gone->error = g_strdup("the provider no longer has it");
    gone->size = 123456;
    g_ptr_array_add(stub->media, gone);
    check("stub", stub, &x);
}

static void special_kinds(void **state)
{
    struct mail_compose_context x = context();
    x.target = "<user.1@example.org>";
    x.target_text = "Look at the new picture of the boat in the harbour";
    struct ump_message *reaction = base(UMP_MESSAGE_REACTION, NULL);
    reaction->reaction = g_strdup("👍");
    reaction->reply_to = g_strdup("01890000-0000-7000-8000-000000000007");
    check("reaction", reaction, &x);
    struct ump_message *removed = base(UMP_MESSAGE_REACTION, NULL);
    removed->reaction = g_strdup("👍");
    removed->reaction_removed = true;
    check("reaction-removed", removed, &x);
    struct ump_message *edit = base(UMP_MESSAGE_EDIT, "new words");
    edit->reply_to = g_strdup("01890000-0000-7000-8000-000000000007");
    check("edit", edit, &x);
    check("delete", base(UMP_MESSAGE_DELETE, NULL), &x);
    x = context();
    struct ump_message *place = base(UMP_MESSAGE_LOCATION, NULL);
    place->location = (struct ump_location){.set = true, .latitude = 50.94, .longitude = -6.95, .name = g_strdup("Harbour"), .address = g_strdup("Quay 1")};
    check("location", place, &x);
    struct ump_message *card = base(UMP_MESSAGE_CONTACT, NULL);
    g_ptr_array_add(card->cards, ump_card_new("Dan; Okafor"));
    g_ptr_array_add(((struct ump_card *)card->cards->pdata[0])->phones, g_strdup("+15557654321"));
    check("contact", card, &x);
}

static void groups_and_own(void **state)
{
    struct mail_compose_context x = context();
    x.group_address = "g.4f2a91@whatsapp.example.org";
    struct ump_message *group = base(UMP_MESSAGE_TEXT, "who is in?");
    g_free(group->channel);
    group->channel = g_strdup("whatsapp");
    group->group.id = g_strdup("4f2a91");
    group->group.title = g_strdup("Ski trip 2027");
    g_free(group->sender.name);
    group->sender.name = g_strdup("Dan Okafor");
    check("group", group, &x);
    x = context();
    struct ump_message *own = base(UMP_MESSAGE_TEXT, "sent from my phone");
    own->direction = UMP_OUTBOUND;
    g_ptr_array_add(own->recipients, ump_party_new("+15551234567", "Bob Jones"));
    x.sender_address = "carol@example.org";
    check("sent-elsewhere", own, &x);
}

/* Every field that a network fills, with everything that could break out of it. */
static void hostile_fields(void **state)
{
    static const char *const evil[] = {"\r", "\n", "\r\n", "x\r\nBcc: evil@x", "x\nBcc: evil@x\n\nbody", "\xe2\x80\xa8" "Bcc: x", "\xc2\x85" "Bcc: x",
                                       "=?utf-8?Q?=0ABcc:?=", "\x01\x7f", "\xff\xfe", "\"\\\"", "<x@y>, <z@y>", "--=_ump-", "\xe2\x80\xae" "fdp.exe", ""};
    g_autofree char *huge = g_strnfill(10000, 'A');
    for (guint i = 0; i <= G_N_ELEMENTS(evil); i++) {
        const char *e = i < G_N_ELEMENTS(evil) ? evil[i] : huge;
        for (guint type = UMP_MESSAGE_UNKNOWN; type <= UMP_MESSAGE_GROUP_EVENT; type++) {
            g_autoptr(ump_message) msg = base((enum ump_message_type)type, e);
            char **fields[] = {&msg->provider, &msg->endpoint_address, &msg->external_id, &msg->native_type, &msg->sender.address, &msg->sender.name,
                               &msg->subject, &msg->reaction, &msg->reply_to, &msg->reply_to_external_id, &msg->group.id, &msg->group.title,
                               &msg->location.name, &msg->location.address, &msg->conversation_id};
            for (guint k = 0; k < G_N_ELEMENTS(fields); k++) {
                g_free(*fields[k]);
                *fields[k] = g_strdup(e);
            }
            struct ump_media *m = media(e, e, "bytes"), *gone = media(e, e, NULL);
            m->caption = g_strdup(e);
            gone->error = g_strdup(e);
            g_ptr_array_add(msg->media, m);
            g_ptr_array_add(msg->media, gone);
            g_ptr_array_add(msg->cards, ump_card_new(e));
            g_ptr_array_add(((struct ump_card *)msg->cards->pdata[0])->phones, g_strdup(e));
            struct mail_compose_context x = context();
            x.user_name = x.target = x.target_text = e;
            x.group_address = "g.1@whatsapp.example.org";
            gsize len;
            g_autofree char *mail = compose(msg, &x, &len);
            g_auto(mail_header) h = {0};
            mail_header_scan(&h, mail, len);
            static const char *const allowed[] = {
                "Date", "From", "To", "Reply-To", "Cc", "Thread-Topic", "Subject", "Message-ID", "In-Reply-To", "References", "UMP-Header",
                "UMP-Conversation-ID", "UMP-Channel-Preference", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition"};
            for (guint k = 0; k < h.fields->len; k++) {
                const struct mail_field *f = &g_array_index(h.fields, struct mail_field, k);
                bool known = false;
                for (guint a = 0; a < G_N_ELEMENTS(allowed) && !known; a++)
                    known = mail_field_is(f, allowed[a]) && mail_header_count(&h, allowed[a]) == 1;
                if (!known)
                    fail_msg("unexpected or doubled field: %.60s", f->raw);
            }
            g_autoptr(parsed_mail) parsed = NULL;
            assert_int_equal(mail_parse(mail, len, NULL, &parsed, NULL), 0);
            assert_int_equal(parsed->from_state, MAIL_FROM_OK);
            assert_int_equal(parsed->attachments->len, parsed->reaction || strcasestr(mail, "\r\nContent-Disposition: reaction") ? 0 : 2);
        }
    }
}

static void refuses_without(void **state)
{
    struct mail_compose_context x = context();
    g_autoptr(ump_message) msg = base(UMP_MESSAGE_TEXT, "x");
    GBytes *mail = NULL;
    g_autoptr(GError) error = NULL;
    x.user_address = NULL;
    assert_int_equal(mail_compose(msg, &x, &mail, &error), -1);
    assert_non_null(error);
    assert_null(mail);
}

static void reports(void **state)
{
    static const char original[] = "Received: x\r\nUMP-Stamp: secret\r\nFrom: alice@example.org\r\nSubject: Gr\xc3\xbc\xc3\x9f" "e\r\nBcc: hidden@x\r\n\r\nbody";
    const struct mail_report_context c = {
        .id = uuid, .domain = "example.org", .hostname = "gw.example.org", .to_address = "alice@example.org", .to_name = "Alice Smith",
        .anchor = "<ump.01890000-0000-7000-8000-000000000000@example.org>", .original_id = "<user.1@example.org>", .original_subject = "Grüße aus Köln",
        .conversation_id = "01890000-0000-7000-8000-0000000000cc", .at = G_GINT64_CONSTANT(1780000000000000), .envid = "QQ314159",
        .arrived = G_GINT64_CONSTANT(1779999990000000), .original = original, .original_len = strlen(original),
    };
    const struct mail_report_recipient failed[] = {
        {.recipient = "+15551234567@sms.example.org", .original = "rfc822;+15551234567@sms.example.org", .action = MAIL_REPORT_FAILED, .status = "5.1.1",
         .diagnostic = "telnyx; 40300 Blocked\r\ndue to STOP", .remote = "api.telnyx.com", .reason = "+15551234567 is not a number that can receive messages.",
         .advice = "Check the number and write again.", .at = G_GINT64_CONSTANT(1779999999000000), .final_log_id = "ext-1"},
        {.recipient = "+15557654321@sms.example.org", .action = MAIL_REPORT_DELIVERED, .status = "2.0.0", .reason = "delivered", .segments = 3},
    };
    struct mail_report_recipient delayed = failed[0];
    delayed.action = MAIL_REPORT_DELAYED;
    delayed.status = "4.4.7";
    delayed.reason = "It is not known whether your message was sent.";
    struct mail_report_context reply = c;
    reply.from_address = "r.abcdef@notice.example.org";
    g_autoptr(GBytes) one = mail_report_dsn(&c, failed, 1), two = mail_report_dsn(&c, failed, 2), late = mail_report_dsn(&reply, &delayed, 1);
    const struct mail_report_held held = {.recipient = "+15551234567", .text = "Held text\nüber zwei Zeilen",
                                          .why = "a line in it looks like the start of quoted mail", .attachments = 1, .segments = 2};
    g_autoptr(GBytes) preview = mail_report_preview(&reply, &held);
    g_autoptr(GBytes) mdn = mail_report_mdn(&reply, "+15551234567@sms.example.org", c.at), digest = mail_report_digest(&c, failed, 2);
    g_autoptr(GBytes) notice = mail_report_notice(&c, "Cap reached", "Your limit is reached", "You have sent 30 messages in an hour.\n", NULL);
    GBytes *all[] = {one, two, late, preview, mdn, digest, notice};
    static const char *const names[] = {"dsn-failed", "dsn-two", "dsn-delayed", "preview", "mdn", "digest", "notice"};
    for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
        gsize len;
        const char *data = g_bytes_get_data(all[i], &len);
        g_autofree char *mail = g_strndup(data, len);
        golden(names[i], mail);
        g_autoptr(parsed_mail) parsed = NULL;
        assert_int_equal(mail_parse(mail, len, NULL, &parsed, NULL), 0);
        assert_int_equal(parsed->auto_class, MAIL_AUTO_REPLIED);
        assert_int_equal(g_strv_length(parsed->references), 2);
        assert_null(strstr(mail, "secret"));
        assert_null(strstr(mail, "hidden"));
        assert_true(parsed->is_report == (i < 3 || i == 4));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_kinds),    cmocka_unit_test(styles),         cmocka_unit_test(media_kinds),     cmocka_unit_test(special_kinds),
        cmocka_unit_test(groups_and_own), cmocka_unit_test(hostile_fields), cmocka_unit_test(refuses_without), cmocka_unit_test(reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
