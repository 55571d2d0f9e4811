/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several adapters need: values out of untrusted JSON, forms, opt-out words, limits of sending,
 * and what an answer of the provider means.  Pure.
 */
#pragma once

#include "bridge/channels/channel.h"

/* ---- JSON as it comes: null or absent, numbers as strings, strings as numbers (channel_value.c) ---- */

/* A string, or an integer as text; NULL for anything else and for "". */
char *channel_value_text(const json_t *value);
char *channel_json_text(const json_t *object, const char *key);
/* -1 unless an integer, or a string that is one. */
gint64 channel_json_int(const json_t *object, const char *key);
/* Of segments: -1 unless from 0 to 1000. */
gint64 channel_json_count(const json_t *object, const char *key);
/* A time as a number of seconds, milliseconds or microseconds since 1970, told apart by its size: µs; 0: none. */
gint64 channel_json_epoch(const json_t *object, const char *key);
/* "0.0051" → 5100; more than six decimals are cut; -1 when it is no amount. */
gint64 channel_amount(const char *text);
/* "Fri, 24 May 2019 17:44:50 +0000" → µs; 0 when it is none (RFC 5322, numeric zones). */
gint64 channel_rfc5322_time(const char *text);
/* Strict: the one way to write exactly `want` (at most 64) bytes, standard alphabet, padded. */
bool channel_base64(const char *text, guint8 *out, size_t want);

/* The values that there are, with blanks between; NULL: none (channel_text.c). */
char *channel_json_words(const json_t *object, const char *const *keys);

/* A toll-free number of the North American numbering plan. */
bool channel_is_toll_free(const char *number);

/* ---- Readable text, and vCard 3.0 (channel_text.c) ---- */

/* As printf, on a line of its own. */
void channel_add_line(GString *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Takes the string over, as the message's text; an empty one is no text. */
void channel_take_text(struct ump_message *message, GString *text);
/* Escaped for a value (RFC 2426 5.8.4); NULL is empty. */
void channel_vcard_text(GString *out, const char *text);
/* "NAME:a;b;c" of the values under these keys ("": left empty); nothing when there are none. */
void channel_vcard_fields(GString *out, const char *name, const json_t *object, const char *const *keys);
/* The same for each object of a list. */
void channel_vcard_list(GString *out, const char *name, const json_t *list, const char *const *keys);
/* One more contact of a message: phones is an array of objects with the number under key; takes vcard. */
void channel_add_card(struct ump_message *message, const char *name, const json_t *phones, const char *key, char *vcard);

/* ---- application/x-www-form-urlencoded (channel_form.c) ---- */

/* One pair, decoded; both end with a 0 that is not counted, and may hold zeros. */
struct channel_field {
    char *name, *value;
    size_t name_length, value_length;
};
/* In the order of the body; channel_field_free each (the array frees with it).  CHANNEL_OVER_LIMIT
 * beyond 1000 pairs or 64 KiB in one.  A % that no two hex digits follow stands for itself. */
enum channel_parse channel_form_parse(const char *body, size_t length, GPtrArray **fields, GError **error);
/* Of the first field with this name; NULL when there is none or it is empty. */
const char *channel_form_get(const GPtrArray *fields, const char *name);
/* Appends "&name=value" ("name=value" to an empty string), escaped; nothing for NULL and "". */
void channel_form_add(GString *body, const char *name, const char *value);

/* ---- Events ---- */

/* STOP, START or HELP of a text alone, in English and in the languages of the endpoint's countries (NULL: in English):
 * the whole text, any case, with or without accents; punctuation, emoji and a "please" around it are ignored. */
enum channel_opt channel_opt_keyword(const struct channel_endpoint *endpoint, const char *text);
/* "sha256:…" of the body: the dedupe key of what names none. */
char *channel_body_key(const struct channel_webhook *webhook);
/* An event that is kept and asks for nothing. */
void channel_add_other(GPtrArray *events, const char *note, const char *key);

/* ---- Sending and its answers (channel_answer.c) ---- */

/* UMP_ERROR_INVALID with a sentence for the sender; -1. */
int channel_refuse(GError **error, const char *why);
/* What the capabilities of the endpoint's channel allow: recipients, text, attachments.  0, or -1. */
int channel_check_limits(const struct channel_send *send, const struct channel_endpoint *endpoint, GError **error);
/* The body of an answer; NULL when it is cut or no JSON. */
json_t *channel_answer_json(const struct http_response *response);

/* How long a code asks for; a table of them ends with a NULL code. */
struct channel_code_time {
    const char *code;
    gint64 us;
};
gint64 channel_code_time(const struct channel_code_time *table, const char *code, gint64 otherwise);

/* What a provider's codes mean beside its table of errors. */
struct channel_refusals {
    const char *unauthorized;           /* the code that 401 stands for when the body names no known one */
    gint64 (*hold_us)(const char *code);  /* how long a sender is held; 0: this code does not concern the sender */
    gint64 (*retry_us)(const char *code); /* until another try is worth it; -1: the usual backoff */
};
/* The outcome of a code of the provider's table; a time that the answer itself named stays. */
void channel_apply_error(const struct channel_error *known, const struct channel_refusals *refusals, struct channel_result *result);
/*
 * The outcome of an answer that is no 2xx, from its status, result->code (NULL: "http-<status>") and
 * the provider's table.  429: later.  5xx and 408 stay uncertain, whatever the body says (FAILURES 4).
 */
void channel_apply_refusal(const struct http_response *response, const struct channel_endpoint *endpoint,
                           const struct channel_refusals *refusals, struct channel_result *result);
