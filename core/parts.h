/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mail with several attachments on a network that carries one in a message: as which messages it goes out.  What each
 * carries stands in the stored message's metadata; the database keeps a delivery for each (sql/functions/parts.sql).
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/*
 * limits: of the endpoint's settings (umpctl writes them from the adapter's capabilities): split_media (so many
 * messages a mail may become; absent: one), max_media and max_media_total (of one message), max_caption (characters,
 * or octets with text_in_octets, of a text beside an attachment), uncaptioned (types that take no text).  text: what goes out; media: [{type, size}].
 *
 * [{"text": true, "media": [0]}, {"media": [1]}]: media by place, in the mail's order; the text is with the first, or a
 * message of its own before it where it is too long for that or the attachment takes none.  NULL: it is one message.
 */
json_t *parts_plan(const json_t *limits, const char *text, const json_t *media);

/* What the part of that number (from 1) carries: text, and this of the media; of anything else than a part, all. */
bool parts_has_text(const json_t *parts, guint part);
bool parts_has_medium(const json_t *parts, guint part, guint medium);
