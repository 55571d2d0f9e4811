/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gateway addresses: <id>@<channel>.<domain> (DESIGN, "Gateway addresses"):
 *
 *     +15551234567@sms.example.org        a number, as people write it
 *     s.12345@sms.…                       a short code
 *     g.4f2a91@whatsapp.…                 a group
 *     u.8d1e…@signal.…                    an id of the network, mapped by a table
 *     a.amazon@sms.…                      an alphanumeric sender: cannot be answered
 *     new-group@whatsapp.…                makes a group of the other recipients
 *     r.<token>@notice.<domain>           answers to a notice
 *     …@any.<domain>                      the gateway chooses the channel
 *     +15551234567+welcome@… , +15551234567+at.20261201T0900@…    options
 *
 * The strict parser of SMTP paths is in smtp_path.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/phone.h"

enum address_kind {
    ADDRESS_NUMBER,
    ADDRESS_SHORT_CODE,
    ADDRESS_GROUP,
    ADDRESS_OPAQUE,
    ADDRESS_ALPHANUMERIC,
    ADDRESS_NEW_GROUP,
    ADDRESS_NOTICE
};

enum address_result {
    ADDRESS_OK = 0,
    ADDRESS_NOT_GATEWAY = 1,     /* an ordinary address: not ours to judge */
    ADDRESS_BAD_NUMBER = 2,      /* see .phone and phone_explain() */
    ADDRESS_BAD_ID = 3,          /* short code, group, opaque or alphanumeric id is not well formed */
    ADDRESS_BAD_OPTION = 4,      /* behind the '+' */
    ADDRESS_NO_ID = 5            /* the local part is of no known kind */
};

struct address {
    enum address_kind kind;
    char *id;       /* E.164, short code, group id, opaque id, name, token */
    char *channel;  /* "sms", "whatsapp", … "any"; "notice" */
    char *domain;   /* the mail domain behind it, as configured */
    char *written;  /* the id as it was written */
    char *template; /* option +welcome, or NULL */
    char *at;       /* option +at.20261201T0900 → "20261201T0900" (owner's local time, a Z behind
                     * it: UTC), or NULL */
    struct phone phone; /* of a number, also when it is bad */
};

void address_clear(struct address *address);
typedef struct address address_t; /* g_auto(address_t) a = {0}; */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(address_t, address_clear)

/* What the gateway serves; all borrowed. */
struct address_space {
    const char *const *domains;  /* mail domains, NULL-terminated */
    const char *const *channels; /* NULL or empty: the built-in list (address_channels) */
    const char *region;          /* default region for numbers, or NULL */
};

/* sms whatsapp signal telegram … any: the names that channels may have; NULL-terminated. */
extern const char *const address_channels[];

/*
 * local@domain, local part already unquoted.  *out is always initialised; on results other than OK
 * it holds what could be read (written, channel, domain, phone) for the refusal.
 */
enum address_result address_parse(const char *text, size_t length, const struct address_space *space,
                                  struct address *out);

/* Is the domain one of <channel>.<domain> or notice.<domain>?  Other subdomains are ordinary ones.
 * Cheap: for every recipient of every mail. */
bool address_is_gateway_domain(const char *domain, size_t length, const struct address_space *space);

/* "+15551234567@sms.example.org", "g.4f2a91@…".  id as in struct address; ids that are not safe as
 * a local part give NULL (map them to an opaque id first). */
char *address_format(enum address_kind kind, const char *id, const char *channel, const char *domain);
/* Can id stand behind u., g., a. as it is: 1–60 of a–z 0–9 . _ - , no dot at either end or twice? */
bool address_id_is_safe(const char *id);
/* What kind of sender id a provider gave us: "+1555…" number, "12345" short code, else
 * alphanumeric. */
enum address_kind address_kind_of_sender(const char *id);
/* The same on a channel of the telephone network; elsewhere what is no number is an opaque id. */
enum address_kind address_kind_on(const char *channel, const char *id);

/* A sentence for the refusal, without a full stop; and its enhanced status code ("5.1.3"). */
char *address_explain(enum address_result result, const struct address *address);
const char *address_status_code(enum address_result result);
