/* SPDX-License-Identifier: Apache-2.0 */
/* The words for each kind. */
#include "bridge/channels/channel_kinds.h"

#include <stddef.h>

const struct channel_kind_words channel_kind_words[CHANNEL_KINDS] = {
    [CHANNEL_KIND_TEXT] = {"text", "A mail with the text.", "What was newly written, without history and signature."},
    [CHANNEL_KIND_PICTURE] = {"picture", "Inline, the caption as the text.", "An attached picture."},
    [CHANNEL_KIND_SOUND] = {"sound", "An attachment; \"Voice message\" in the subject.", "An attached sound."},
    [CHANNEL_KIND_VIDEO] = {"video", "An attachment, the caption as the text.", "An attached video."},
    [CHANNEL_KIND_FILE] = {"file", "An attachment under its name.", "Any other attachment."},
    [CHANNEL_KIND_STICKER] = {"sticker", "A picture, with the word.", NULL},
    [CHANNEL_KIND_LOCATION] = {"location", "Text with a geo: address and a link to a map.", NULL},
    [CHANNEL_KIND_CARD] = {"contact card", "An attached vCard.", NULL},
    [CHANNEL_KIND_REPLY] = {"reply", "In-Reply-To names the quoted message.", "The message that is answered is quoted."},
    [CHANNEL_KIND_REACTION] = {"reaction", "A reaction mail (RFC 9078).", "A reaction mail (RFC 9078)."},
    [CHANNEL_KIND_UNREACTION] = {"reaction taken back", "A reaction mail that says so.", "A reaction mail with nothing, or a dash, in place of the emoji."},
    [CHANNEL_KIND_EDIT] = {"edit", "A mail in the thread with the new text.", NULL},
    [CHANNEL_KIND_DELETE] = {"delete", "A mail in the thread that says so.", NULL},
    [CHANNEL_KIND_CHOICE] = {"choice", "The words of the button or of the list's item.", NULL},
    [CHANNEL_KIND_POLL] = {"poll", "The question and its options as text.", NULL},
    [CHANNEL_KIND_ORDER] = {"order", "The items as text.", NULL},
    [CHANNEL_KIND_TEMPLATE] = {"template", NULL, "Chosen by UMP-Template or in the address."},
    [CHANNEL_KIND_GROUP] = {"group message", "From the member, to the group.", "An answer to the group's address."},
    [CHANNEL_KIND_MEMBERS] = {"membership", "A mail that says who joined or left.", NULL},
    [CHANNEL_KIND_SYSTEM] = {"notice", "A mail with the network's notice.", NULL},
    [CHANNEL_KIND_UNKNOWN] = {"unknown", "A mail that names the kind, and what can be read of it.", NULL},
    [CHANNEL_KIND_OWN_PHONE] = {"own phone", "A copy in Sent, once.", NULL},
    [CHANNEL_KIND_DELIVERED] = {"delivered", "In the trace; $Delivered on the sent copy; a report on NOTIFY=SUCCESS.", NULL},
    [CHANNEL_KIND_READ] = {"read", "In the trace; $Read on the sent copy; a read report to who asked (Disposition-Notification-To).",
                           "The network is told when the mail is read, where the endpoint has read_receipts."},
    [CHANNEL_KIND_FAILED] = {"failed", "A report in the thread: why, and what to do.", NULL},
    [CHANNEL_KIND_STOP] = {"STOP", "Kept: sending is refused until START.", NULL},
};
