/* SPDX-License-Identifier: Apache-2.0 */
/* WhatsApp's webhooks: any body, the parts that a batch is cut into, and the question at GET. */
#include "fuzz_webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A part holds its event alone, under the same key. */
static void check_parts(const struct channel_endpoint *endpoint, const char *body, size_t size)
{
    g_autoptr(GPtrArray) events = fuzz_parse(endpoint, body, size);

    for (guint i = 0; i < events->len; i++) {
        const struct channel_event *event = events->pdata[i];
        gsize length;
        if (!event->body)
            continue;
        const char *part = g_bytes_get_data(event->body, &length);
        g_autofree char *copy = g_strndup(part, length);
        g_autoptr(GPtrArray) again = fuzz_parse(endpoint, copy, length);
        g_assert_cmpuint(again->len, ==, 1);
        fuzz_check(event, again->pdata[0]);
    }
}

static void challenge(const struct channel_endpoint *endpoint, const char *text)
{
    const struct channel_header query[] = {{"hub.mode", "subscribe"}, {"hub.verify_token", text}, {"hub.challenge", text}};
    g_autofree char *answer = NULL;

    if (endpoint->ops->verify_challenge(query, 3, endpoint, &answer) == CHANNEL_VERIFIED)
        g_assert_cmpstr(text, ==, "token");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct channel_endpoint *endpoint;
    g_autofree char *body = g_malloc(size + 1);

    if (!endpoint) {
        endpoint = fuzz_endpoint("whatsapp_cloud", "whatsapp", "+15550783881");
        endpoint->secrets = json_pack("{s:s, s:s}", "app_secret", "s3cret", "verify_token", "token");
    }
    memcpy(body, data, size);
    body[size] = '\0';
    fuzz_webhook(endpoint, data, size);
    check_parts(endpoint, body, size);
    challenge(endpoint, body);
    return 0;
}
