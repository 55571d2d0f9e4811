/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict parser of what follows MAIL FROM: and RCPT TO: (RFC 5321 section 4.1.2, RFC 6531,
 * RFC 3461, RFC 1870, RFC 6152): a path in angle brackets, then ESMTP parameters.  Pure; takes
 * (pointer, length) without CRLF.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define SMTP_LOCAL_MAX 64
#define SMTP_DOMAIN_MAX 255
#define SMTP_PATH_MAX 1000 /* with a source route */
#define SMTP_PARAMS_MAX 32

enum smtp_path_result {
    SMTP_PATH_OK = 0,
    SMTP_PATH_SYNTAX = 1,      /* 501 5.1.3 (or 5.1.7 for a sender) */
    SMTP_PATH_TOO_LONG = 2,    /* 501 5.1.3 */
    SMTP_PATH_UTF8 = 3,        /* non-ASCII without SMTPUTF8: 553 5.6.7 */
    SMTP_PATH_PARAMETER = 4,   /* 501 5.5.4 malformed parameter */
    SMTP_PATH_UNKNOWN = 5,     /* 555 5.5.4 parameter not known */
    SMTP_PATH_TWICE = 6        /* 501 5.5.4 the same parameter twice */
};

enum smtp_body { SMTP_BODY_NONE, SMTP_BODY_7BIT, SMTP_BODY_8BITMIME };
enum smtp_ret { SMTP_RET_NONE, SMTP_RET_FULL, SMTP_RET_HDRS };
enum smtp_notify { SMTP_NOTIFY_NEVER = 1, SMTP_NOTIFY_SUCCESS = 2, SMTP_NOTIFY_FAILURE = 4, SMTP_NOTIFY_DELAY = 8 };

struct smtp_path {
    bool null;           /* <> */
    bool source_route;   /* <@a,@b:user@c>: dropped, but said (a relay attempt, FAILURES T03) */
    bool quoted;         /* the local part came in quotes */
    bool utf8;           /* holds non-ASCII */
    char *local;         /* unquoted */
    char *domain;        /* lower case ASCII; "" for <postmaster>; literals with brackets */
    char *address;       /* local@domain, local part quoted again where it must be; "" for <> */
    /* parameters */
    gint64 size;         /* SIZE=; -1 absent */
    enum smtp_body body;
    bool smtputf8;
    enum smtp_ret ret;
    char *envid;         /* xtext decoded; NULL absent */
    guint notify;        /* bits; 0 absent */
    char *orcpt_type;    /* "rfc822" … lower case */
    char *orcpt;         /* xtext decoded; NULL absent */
};

void smtp_path_clear(struct smtp_path *path);
typedef struct smtp_path smtp_path_t; /* g_auto(smtp_path_t) p = {0}; */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(smtp_path_t, smtp_path_clear)

enum smtp_path_flags {
    SMTP_PATH_MAIL = 0,      /* MAIL FROM: <> allowed; SIZE BODY SMTPUTF8 RET ENVID (AUTH ignored) */
    SMTP_PATH_RCPT = 1,      /* RCPT TO: <postmaster> allowed; NOTIFY ORCPT */
    SMTP_PATH_ALLOW_UTF8 = 2 /* non-ASCII allowed (RCPT after MAIL … SMTPUTF8); MAIL looks itself */
};

/* text begins at '<' (leading white space is allowed).  *out unchanged unless OK. */
enum smtp_path_result smtp_path_parse(const char *text, size_t length, guint flags, struct smtp_path *out);

/* An address without brackets and parameters, as stands in the milter's arguments after removing
 * <> or in configuration; same rules. */
enum smtp_path_result smtp_address_parse(const char *text, size_t length, bool allow_utf8, struct smtp_path *out);

/* RFC 3461 xtext: false when malformed.  Encoding gives printable ASCII. */
bool smtp_xtext_decode(const char *text, size_t length, char **out);
char *smtp_xtext_encode(const char *text);

/* The reply that fits: code, enhanced code and a sentence, e.g. "501 5.1.3 …". */
const char *smtp_path_reply(enum smtp_path_result result, guint flags);
