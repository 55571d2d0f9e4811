/* SPDX-License-Identifier: Apache-2.0 */
/* UMP JSON: there and back, unknown keys kept, wrong types refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/message.h"

static const char full[] =
    "{\"v\":1,\"id\":\"01890000-0000-7000-8000-000000000001\",\"account\":\"a\",\"conversation\":\"c\",\"endpoint\":\"e\","
    "\"endpoint_address\":\"+15550100001\",\"channel\":\"sms\",\"provider\":\"telnyx\",\"direction\":\"inbound\",\"type\":\"media\","
    "\"from\":{\"address\":\"+15551234567\",\"name\":\"Bob\",\"contact\":\"k\",\"mail\":\"m@x\"},\"to\":[{\"address\":\"+15550100001\"}],"
    "\"group\":{\"id\":\"g\",\"title\":\"T\",\"members\":[{\"address\":\"+1\"}]},\"text\":\"Hi 👍\",\"subject\":\"S\","
    "\"media\":[{\"sha256\":\"00\",\"type\":\"image/png\",\"name\":\"n\",\"url\":\"https://x\",\"caption\":\"c\",\"error\":\"e\",\"size\":5,\"voice\":true}],"
    "\"location\":{\"latitude\":1.5,\"longitude\":-2.25,\"name\":\"p\",\"address\":\"q\"},"
    "\"cards\":[{\"name\":\"C\",\"phones\":[\"+2\"],\"vcard\":\"V\"}],\"reaction\":{\"emoji\":\"👍\",\"removed\":true},\"external_id\":\"x\","
    "\"reply_to\":\"r\",\"reply_to_external_id\":\"rx\",\"occurred_at\":\"2026-05-28T20:26:40.123456Z\",\"edited\":true,\"contact_new\":true,"
    "\"urgent\":true,\"status\":\"sent\",\"future\":{\"a\":[1,2]}}";

static int read_text(const char *text, struct ump_message **msg, GError **error)
{
    g_autoptr(json_t) json = json_loads(text, 0, NULL);
    return ump_message_from_json(json, msg, error);
}

static void round_trip(void **state)
{
    g_autoptr(ump_message) msg = NULL;
    assert_int_equal(read_text(full, &msg, NULL), 0);
    assert_true(msg->occurred_at == G_GINT64_CONSTANT(1780000000123456));
    assert_int_equal(msg->type, UMP_MESSAGE_MEDIA);
    assert_int_equal(((struct ump_media *)msg->media->pdata[0])->size, 5);
    g_autofree char *text = ump_message_to_json_text(msg);
    assert_string_equal(text, full);
}

static void minimal_and_wrong(void **state)
{
    static const struct {
        const char *json;
        int result;
    } cases[] = {
        {"{\"v\":1,\"channel\":\"sms\",\"direction\":\"outbound\",\"occurred_at\":\"2026-05-28T20:26:40Z\"}", 0},
        {"{\"v\":1,\"channel\":\"sms\",\"direction\":\"outbound\",\"occurred_at\":\"2026-05-28T20:26:40Z\",\"text\":null}", 0},
        {"{\"v\":2,\"channel\":\"sms\",\"direction\":\"outbound\",\"occurred_at\":\"2026-05-28T20:26:40Z\"}", -1},
        {"{\"v\":1,\"direction\":\"outbound\",\"occurred_at\":\"2026-05-28T20:26:40Z\"}", -1},
        {"{\"v\":1,\"channel\":\"sms\",\"direction\":\"up\",\"occurred_at\":\"2026-05-28T20:26:40Z\"}", -1},
        {"{\"v\":1,\"channel\":\"sms\",\"direction\":\"inbound\",\"occurred_at\":\"yesterday\"}", -1},
        {"{\"v\":1,\"channel\":\"sms\",\"direction\":\"inbound\"}", -1},
        {"{\"v\":1,\"channel\":7,\"direction\":\"inbound\",\"occurred_at\":\"2026-05-28T20:26:40Z\"}", -1},
        {"{\"v\":1,\"channel\":\"sms\",\"direction\":\"inbound\",\"occurred_at\":\"2026-05-28T20:26:40Z\",\"media\":{}}", -1},
        {"{\"v\":1,\"channel\":\"sms\",\"direction\":\"inbound\",\"occurred_at\":\"2026-05-28T20:26:40Z\",\"to\":[1]}", -1},
        {"{\"v\":1,\"channel\":\"sms\",\"direction\":\"inbound\",\"occurred_at\":\"2026-05-28T20:26:40Z\",\"edited\":1}", -1},
        {"[]", -1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ump_message) msg = NULL;
        g_autoptr(GError) error = NULL;
        assert_int_equal(read_text(cases[i].json, &msg, &error), cases[i].result);
        assert_true((error != NULL) == (cases[i].result < 0));
        assert_true((msg != NULL) == (cases[i].result == 0));
    }
}

/* A kind that a newer version sends is shown as unknown with its name. */
static void newer_kind(void **state)
{
    g_autoptr(ump_message) msg = NULL;
    assert_int_equal(read_text("{\"v\":1,\"channel\":\"x\",\"direction\":\"inbound\",\"type\":\"hologram\",\"occurred_at\":\"2026-05-28T20:26:40Z\"}", &msg, NULL), 0);
    assert_int_equal(msg->type, UMP_MESSAGE_UNKNOWN);
    assert_string_equal(msg->native_type, "hologram");
}

static void bad_bytes(void **state)
{
    g_autoptr(ump_message) msg = ump_message_new();
    msg->channel = g_strdup("sms");
    msg->text = g_strdup("a\xff");
    g_autofree char *text = ump_message_to_json_text(msg);
    assert_non_null(strstr(text, "\"text\":\"a\xef\xbf\xbd\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(minimal_and_wrong),
        cmocka_unit_test(newer_kind),
        cmocka_unit_test(bad_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
