/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people do on a network, as capability data: each adapter says which kinds it brings in and which
 * leave by it.  docs/CHANNELS.md is made of this, and the tests show every cell of it.
 */
#pragma once

#include <stdint.h>

enum channel_kind {
    CHANNEL_KIND_TEXT,
    CHANNEL_KIND_PICTURE,
    CHANNEL_KIND_SOUND, /* voice notes too */
    CHANNEL_KIND_VIDEO,
    CHANNEL_KIND_FILE,
    CHANNEL_KIND_STICKER,
    CHANNEL_KIND_LOCATION,
    CHANNEL_KIND_CARD,
    CHANNEL_KIND_REPLY,
    CHANNEL_KIND_REACTION,
    CHANNEL_KIND_UNREACTION,
    CHANNEL_KIND_EDIT,
    CHANNEL_KIND_DELETE,
    CHANNEL_KIND_CHOICE, /* a button was pressed, an item chosen */
    CHANNEL_KIND_POLL,
    CHANNEL_KIND_ORDER,
    CHANNEL_KIND_TEMPLATE,
    CHANNEL_KIND_GROUP,
    CHANNEL_KIND_MEMBERS, /* joined, left, renamed */
    CHANNEL_KIND_SYSTEM,  /* a notice of the network: the number was changed … */
    CHANNEL_KIND_UNKNOWN,
    CHANNEL_KIND_OWN_PHONE,
    CHANNEL_KIND_DELIVERED,
    CHANNEL_KIND_READ,
    CHANNEL_KIND_FAILED,
    CHANNEL_KIND_STOP,
    CHANNEL_KINDS
};

/* A set of them. */
typedef uint32_t channel_kinds;
#define KIND(name) (UINT32_C(1) << CHANNEL_KIND_##name)

/* Its name, as tests and umpctl call it: "own-phone"; and one sentence of how it looks in mail, in and out. */
struct channel_kind_words {
    const char *name, *in, *out; /* in, out: NULL where no network has that direction */
};
extern const struct channel_kind_words channel_kind_words[CHANNEL_KINDS];
