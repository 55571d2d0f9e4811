/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this mail written by a person?  Classifies from headers and envelope (RFC 3834, FAILURES T12), as a pure state
 * machine that is fed one header at a time: the milter feeds what libmilter hands over, mail_parse what it scanned.
 */
#pragma once

#include <stdbool.h>

enum mail_auto_class {
    MAIL_AUTO_NONE,      /* a person */
    MAIL_AUTO_GENERATED, /* reminder, alert, list or bulk mail: leaves only for a declared machine sender */
    MAIL_AUTO_REPLIED    /* vacation, bounce, loop: never leaves */
};

struct mail_auto {
    enum mail_auto_class class;
    const char *reason;    /* static words for log and refusal ("Auto-Submitted: auto-replied"); NULL for a person */
    unsigned received;     /* Received fields */
    unsigned received_own; /* of these, by our own host */
    const char *hostname;  /* borrowed */
};

/* hostname: our own, for the loop count; NULL is fine. */
void mail_auto_init(struct mail_auto *state, const char *hostname);
/* Envelope sender without angle brackets; "" or "<>" is the null sender. NULL: not known. */
void mail_auto_envelope(struct mail_auto *state, const char *sender);
/* One header field; the value may be folded. */
void mail_auto_field(struct mail_auto *state, const char *name, const char *value);
/* After the last field: the loop rule; returns the class (also in state). */
enum mail_auto_class mail_auto_finish(struct mail_auto *state);
const char *mail_auto_class_name(enum mail_auto_class class);
