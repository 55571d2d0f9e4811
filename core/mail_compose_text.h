/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a composed mail: what stands in its subject and its text part, per kind of message.  Private to
 * mail_compose; pure.
 */
#pragma once

#include "core/mail_compose.h"

/* Who this chat is with: group title, contact name, else address; cleaned; g_free. */
char *mail_compose_partner(const struct ump_message *msg);
/* Text of the first part, LF lines, with stubs for media that could not be fetched; g_free. */
char *mail_compose_body(const struct ump_message *msg, const struct mail_compose_context *context);
/* "voice message", "picture", "video", "recording", "document" */
const char *mail_compose_media_word(const struct ump_media *media);
/* File name to show, never empty: the one told, made safe, else made of the kind and its number; g_free. */
char *mail_compose_media_name(const struct ump_media *media, guint number);
