/* SPDX-License-Identifier: Apache-2.0 */
/* Telnyx's webhooks. */
#include "fuzz_webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct channel_endpoint *endpoint;

    if (!endpoint)
        endpoint = fuzz_endpoint("telnyx", "sms", "+17735550002");
    fuzz_webhook(endpoint, data, size);
    return 0;
}
