/* SPDX-License-Identifier: Apache-2.0 */
/* What the providers of the benches send, made beforehand: a short text message of each kind, signed as its provider signs. */
#pragma once

#include <stdint.h>

struct make_event {
    const char *key;      /* telnyx: Ed25519 seed, 64 hexadecimal digits; twilio: auth token; whatsapp_cloud: app secret */
    const char *url;      /* twilio signs the address that it was given */
    const char *to;       /* our number, +… */
    const char *prefix;   /* begins the token of the text */
    int number;           /* follows it */
    int sender;           /* +1312555, four digits */
};

/* The header fields beside the length, each with its CRLF, and the body of a webhook; both the caller's.  kind: telnyx,
 * twilio or whatsapp_cloud; another one ends the program. */
void make_webhook(const char *kind, const struct make_event *from, char **fields, char **body);

/* What signal-cli tells of a message that was written at stamp (ms); its sender has not two at the same time. */
char *make_signal(const struct make_event *from, int64_t stamp);
