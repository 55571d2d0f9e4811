/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail whose text cannot go out as a message, whoever writes it to whom: encrypted mail, calendar invitations (their
 * text is a program's), winmail.dat with all of the text within.
 */
#pragma once

#include <stdbool.h>

#include "core/mail_parse.h"

enum mail_refusal {
    MAIL_REFUSAL_NONE,
    MAIL_REFUSAL_ENCRYPTED,  /* PGP/MIME, S/MIME, a PGP block within the text */
    MAIL_REFUSAL_INVITATION, /* iTIP (RFC 5546): a text/calendar part with a METHOD; a plain .ics file is none */
    MAIL_REFUSAL_WINMAIL     /* TNEF, and no text beside it */
};

/* has_text: new text was found in the mail.  Pure, linear. */
enum mail_refusal mail_refusal_of(const struct parsed_mail *mail, bool has_text);
