/* SPDX-License-Identifier: Apache-2.0 */
/* docs/CHANNELS.md. */
#pragma once

#include <glib.h>

/* Appends it, in Markdown, made of the capability data of the adapters that are built in. */
void generate_channels(GString *out);
