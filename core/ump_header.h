/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UMP-Header field (MAIL.md): what is needed to rebuild the index from the mail; and
 * UMP-Channel-Preference.  Unknown keys are ignored, unknown words kept.  A few µs.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define UMP_HEADER_FIELD "UMP-Header"
#define UMP_HEADER_CONVERSATION "UMP-Conversation-ID"
#define UMP_HEADER_PREFERENCE "UMP-Channel-Preference"
#define UMP_HEADER_TEMPLATE "UMP-Template"
#define UMP_HEADER_FROM "UMP-From"
#define UMP_HEADER_LOOP "UMP-Loop"

/* NULL or 0: absent.  Owned after parsing, borrowed when formatting. */
struct ump_header {
    int version;        /* v; 1 */
    char *id;           /* uuid of the message */
    char *channel;      /* token: sms, whatsapp … */
    char *provider;     /* token */
    char *endpoint;     /* our own address there */
    char *direction;    /* inbound, outbound */
    char *type;         /* text, media, reaction, edit, delete, location, contact, notice … */
    char *external_id;  /* external-id: the provider's */
    char *reply_to;     /* reply-to: uuid or external id of the message quoted or reacted to */
    char *edited;       /* uuid of the message that this one edits or deletes */
    char *contact;      /* "new": first message of a stranger */
    char *group;        /* network id of the group */
    char *from;         /* the sender's id on the network, when From cannot hold it */
    char *account;      /* account, when it is not the only one */
    gint64 time;        /* time: the network's, seconds; 0: as Date */
};

void ump_header_clear(struct ump_header *header);
typedef struct ump_header ump_header_t; /* g_auto(ump_header_t) h = {0}; */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ump_header_t, ump_header_clear)

/* False: malformed, without v, or of a version that is not 1; *out unchanged.  Folded values are
 * taken as they are. */
bool ump_header_parse(const char *text, size_t length, struct ump_header *out);
/* One line, not folded. */
char *ump_header_format(const struct ump_header *header);
/* The same, folded with "\n " so that lines stay below 76 columns where they can: for a field name
 * of prefix characters. */
char *ump_header_fold(const char *value, size_t prefix);
/* CR and LF dropped (RFC 5322 unfolding), length as given. */
char *ump_header_unfold(const char *text, size_t length);

/* The channels, best first; NULL when malformed or empty.  g_strfreev(). */
char **ump_preference_parse(const char *text, size_t length);
char *ump_preference_format(const char *const *channels);
