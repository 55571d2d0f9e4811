/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text with emphasis → the form of a channel: marks around it ("*bold*" on WhatsApp), or none (SMS).
 */
#pragma once

#include "core/text_extract.h"

/* channel: "whatsapp", "signal", "sms", "rcs" …; one that has no marks, or that is unknown, gets plain text. g_free. */
char *text_format(const struct extracted_text *text, const char *channel);
