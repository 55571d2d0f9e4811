/* SPDX-License-Identifier: Apache-2.0 */
/* Is this mail written by a person?  See mail_auto.h. */
#include "core/mail_auto.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const class_names[] = {"none", "auto-generated", "auto-replied"};

const char *mail_auto_class_name(enum mail_auto_class class)
{
    return class_names[class];
}

static void raise_class(struct mail_auto *state, enum mail_auto_class class, const char *reason)
{
    if (class > state->class) {
        state->class = class;
        state->reason = reason;
    }
}

void mail_auto_init(struct mail_auto *state, const char *hostname)
{
    *state = (struct mail_auto){.hostname = hostname};
}

void mail_auto_envelope(struct mail_auto *state, const char *sender)
{
    if (sender && (sender[0] == '\0' || strcmp(sender, "<>") == 0))
        raise_class(state, MAIL_AUTO_REPLIED, "null envelope sender");
}

/* The first word of a value: skips blanks and folding. */
static const char *first_word(const char *value, size_t *len)
{
    while (*value != '\0' && isspace((unsigned char)*value))
        value++;
    *len = strcspn(value, " \t\r\n;(,");
    return value;
}

static bool word_is(const char *value, const char *word)
{
    size_t len;
    const char *p = first_word(value, &len);
    return len == strlen(word) && strncasecmp(p, word, len) == 0;
}

/* true when value contains word, case-insensitively */
static bool contains(const char *value, const char *word)
{
    return strcasestr(value, word) != NULL;
}

static void auto_submitted(struct mail_auto *state, const char *value)
{
    if (word_is(value, "no"))
        return;
    if (word_is(value, "auto-replied"))
        raise_class(state, MAIL_AUTO_REPLIED, "Auto-Submitted: auto-replied");
    else
        raise_class(state, MAIL_AUTO_GENERATED, "Auto-Submitted");
}

static void precedence(struct mail_auto *state, const char *value)
{
    if (word_is(value, "auto_reply") || word_is(value, "auto-reply"))
        raise_class(state, MAIL_AUTO_REPLIED, "Precedence: auto_reply");
    else if (word_is(value, "bulk") || word_is(value, "list") || word_is(value, "junk"))
        raise_class(state, MAIL_AUTO_GENERATED, "Precedence: bulk, list or junk");
}

/* Local part of the address in a From value, found without a full parse: what stands before the last '@'. */
static void from(struct mail_auto *state, const char *value)
{
    static const char *const daemons[] = {"mailer-daemon", "mailerdaemon", "maildaemon", "mail-daemon", NULL};
    static const char *const silent[] = {"noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "do_not_reply", NULL};
    const char *at = strrchr(value, '@');
    const char *end = at ? at : value + strlen(value);
    while (!at && end > value && isspace((unsigned char)end[-1]))
        end--;
    const char *start = end;
    while (start > value && !strchr("<\" \t\r\n,;:", start[-1]))
        start--;
    size_t len = (size_t)(end - start);
    for (unsigned i = 0; daemons[i]; i++)
        if (len == strlen(daemons[i]) && strncasecmp(start, daemons[i], len) == 0)
            raise_class(state, MAIL_AUTO_REPLIED, "From: mailer-daemon");
    for (unsigned i = 0; silent[i]; i++)
        if (len >= strlen(silent[i]) && strncasecmp(start, silent[i], strlen(silent[i])) == 0)
            raise_class(state, MAIL_AUTO_GENERATED, "From: no-reply");
}

static void received(struct mail_auto *state, const char *value)
{
    state->received++;
    size_t len = state->hostname ? strlen(state->hostname) : 0;
    for (const char *p = value; len > 0 && (p = strcasestr(p, "by ")) != NULL; p += 3) {
        const char *host = p + 3;
        while (*host == ' ' || *host == '\t')
            host++;
        if (strncasecmp(host, state->hostname, len) == 0 && (host[len] == '\0' || strchr(" \t\r\n;(", host[len]))) {
            state->received_own++;
            return;
        }
    }
}

static void return_path(struct mail_auto *state, const char *value)
{
    if (word_is(value, "<>"))
        raise_class(state, MAIL_AUTO_REPLIED, "Return-Path: <>");
}

static void content_type(struct mail_auto *state, const char *value)
{
    if (word_is(value, "multipart/report"))
        raise_class(state, MAIL_AUTO_REPLIED, "a report");
}

static void vacation(struct mail_auto *state, const char *value)
{
    if (!word_is(value, "no"))
        raise_class(state, MAIL_AUTO_REPLIED, "an automatic reply");
}

static void loop(struct mail_auto *state, const char *value)
{
    (void)value;
    raise_class(state, MAIL_AUTO_REPLIED, "X-Loop or UMP-Loop");
}

static void suppress(struct mail_auto *state, const char *value)
{
    if (!word_is(value, "none") && !word_is(value, ""))
        raise_class(state, MAIL_AUTO_GENERATED, "X-Auto-Response-Suppress");
}

static void failed_recipients(struct mail_auto *state, const char *value)
{
    (void)value;
    raise_class(state, MAIL_AUTO_REPLIED, "X-Failed-Recipients");
}

static void cron(struct mail_auto *state, const char *value)
{
    (void)value;
    raise_class(state, MAIL_AUTO_GENERATED, "X-Cron-Env");
}

static const struct rule {
    const char *name;
    void (*check)(struct mail_auto *state, const char *value);
} rules[] = {
    {"Auto-Submitted", auto_submitted},
    {"Precedence", precedence},
    {"From", from},
    {"Received", received},
    {"Return-Path", return_path},
    {"Content-Type", content_type},
    {"X-Auto-Response-Suppress", suppress},
    {"X-Autoreply", vacation},
    {"X-Auto-Reply", vacation},
    {"X-Autorespond", vacation},
    {"X-Autoresponder", vacation},
    {"X-Autoreply-From", vacation},
    {"X-Mail-Autoreply", vacation},
    {"X-Vacation", vacation},
    {"X-Loop", loop},
    {"UMP-Loop", loop},
    {"X-Failed-Recipients", failed_recipients},
    {"X-Cron-Env", cron},
};

void mail_auto_field(struct mail_auto *state, const char *name, const char *value)
{
    if (strncasecmp(name, "List-", 5) == 0 && !contains(name, " ")) {
        raise_class(state, MAIL_AUTO_GENERATED, "mailing list");
        return;
    }
    for (unsigned i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcasecmp(name, rules[i].name) == 0)
            rules[i].check(state, value);
}

enum mail_auto_class mail_auto_finish(struct mail_auto *state)
{
    if (state->received > 25 && state->received_own > 2)
        raise_class(state, MAIL_AUTO_REPLIED, "mail loop");
    return state->class;
}
