/* SPDX-License-Identifier: Apache-2.0 */
/* Telnyx's webhooks, of either channel. */
#include "fuzz_webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const channels[] = {"sms", "whatsapp"};
    static struct channel_endpoint *endpoints[G_N_ELEMENTS(channels)];

    for (gsize i = 0; i < G_N_ELEMENTS(channels); i++) {
        if (!endpoints[i])
            endpoints[i] = fuzz_endpoint("telnyx", channels[i], "+17735550002");
        fuzz_webhook(endpoints[i], data, size);
    }
    return 0;
}
