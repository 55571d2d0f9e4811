/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the milter has seen of one mail: envelope, header fields, the beginning of the body.  Plain
 * data without libmilter, so that the same code runs in tests.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/address.h"
#include "core/mail_auto.h"
#include "core/mail_parse.h"
#include "core/policy.h"

/* Of the body so much is kept as is needed to find the text in it; the rest is only counted. */
#define MAIL_BODY_KEPT (1024 * 1024)

/* One recipient that was accepted at RCPT. */
struct mail_recipient {
    char *envelope; /* as Postfix wrote it, with <>: what smfi_delrcpt() wants */
    char *address;  /* local@domain, quoted again where it must be: what ump-lmtp will see */
    bool gateway;
    /* of a gateway recipient, after judge_recipient() and judge_mail(): */
    enum address_kind kind;
    char *id;       /* as in struct address */
    char *channel;
    char **members; /* of a known group */
    bool dropped;   /* is a member of an addressed group: gets the message there */
};

struct mail_field_value {
    char *name;
    char *value;
};

/* A field to take out: the nth (from 1) of its name. */
struct mail_strip {
    const char *name; /* borrowed from the mail */
    int index;
};

struct mail {
    char *queue_id;        /* NULL until Postfix has given one */
    char *txn;             /* uuid: the transaction id of the stamp */
    char *login;           /* SASL; NULL */
    char *client;          /* address text; NULL */
    bool local;            /* sendmail(1): no SMTP dialogue in which to refuse */
    char *sender;          /* without <>; "" the null sender */
    GPtrArray *recipients; /* struct mail_recipient */
    guint gateways;        /* of them */
    GArray *fields;        /* struct mail_field_value */
    guint ump_fields;
    GByteArray *body;      /* at most MAIL_BODY_KEPT; only when there are gateway recipients */
    gint64 size;           /* header and body as far as seen */
    bool cut;              /* the body is longer than what is kept */
    bool database_down;    /* do not wait for it again within this mail */
    bool machine;          /* a declared machine sender by network or login */
    struct mail_auto automatic;
    guint from_count;
    const char *from;       /* the first From, raw; borrowed from fields */
    const char *message_id; /* raw; borrowed */
};

struct mail *mail_new(const char *client, bool local, const char *login, const char *sender, const char *hostname);
void mail_free(struct mail *mail);
typedef struct mail mail_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(mail_t, mail_free)

/* "<a@b>" or "a@b" → "a@b", source route and parameters left out; g_free. */
char *mail_strip_brackets(const char *path);
/* What follows the last '@'; "" without one. */
const char *mail_domain_of(const char *address);
/* A gateway domain, or an ordinary address whose local part routes to one (user%sms.example.org@…). */
bool mail_concerns_gateway(const char *address, const struct address_space *space);

/* Takes address; envelope is copied. */
struct mail_recipient *mail_add_recipient(struct mail *mail, const char *envelope, char *address, bool gateway);
void mail_add_field(struct mail *mail, const char *name, const char *value);
void mail_add_body(struct mail *mail, const void *data, size_t length);

/*
 * The UMP-* fields that must go, in the order in which they must: highest index of each name first,
 * because each removal renumbers those behind it.  A mail of somebody who logged in keeps the first
 * of UMP-Channel-Preference, UMP-Template and UMP-From.  Elements: struct mail_strip.
 */
GArray *mail_stripped_fields(const struct mail *mail);

/* The first field of that name, unfolded and trimmed; NULL. g_free. */
char *mail_field_text(const struct mail *mail, const char *name);
/* In-Reply-To, then References, newest first; NULL-terminated, g_strfreev. */
char **mail_references(const struct mail *mail);
/* The whole mail as far as it was kept. */
GString *mail_source(const struct mail *mail);
