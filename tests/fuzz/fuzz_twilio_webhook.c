/* SPDX-License-Identifier: Apache-2.0 */
/* Twilio's webhooks: forms and JSON, and the signature over them under any URL. */
#include "fuzz_webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing verifies that was not signed; the body as it is, the URL made of it. */
static void verify(const struct channel_endpoint *endpoint, const uint8_t *data, size_t size)
{
    g_autofree char *body = g_strndup((const char *)data, size), *url = g_strconcat("https://", body, NULL);
    const struct channel_header header = {"x-twilio-signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    struct channel_webhook webhook = {.headers = &header, .header_count = 1, .url = url, .body = body, .length = strlen(body)};

    g_assert_cmpint(endpoint->ops->verify_webhook(&webhook, endpoint, 0), ==, CHANNEL_BAD_SIGNATURE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct channel_endpoint *endpoint;

    if (!endpoint) {
        endpoint = fuzz_endpoint("twilio", "whatsapp", "+12125550100");
        endpoint->secrets = json_pack("{s:s, s:s}", "account_sid", "AC1", "auth_token", "token");
        endpoint->prepared = endpoint->ops->prepare(endpoint, NULL);
    }
    verify(endpoint, data, size);
    fuzz_webhook(endpoint, data, size);
    return 0;
}
