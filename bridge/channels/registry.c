/* SPDX-License-Identifier: Apache-2.0 */
/* Every provider that this build knows: one line each. */
#include "bridge/channels/channel.h"

extern const struct channel_ops signal_cli_ops;
extern const struct channel_ops signal_rest_ops;
extern const struct channel_ops telnyx_ops;
extern const struct channel_ops twilio_ops;
extern const struct channel_ops whatsapp_cloud_ops;

const struct channel_ops *const channels[] = {
    &signal_cli_ops,
    &signal_rest_ops,
    &telnyx_ops,
    &twilio_ops,
    &whatsapp_cloud_ops,
    NULL
};
