/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the two Signal adapters share; nobody else includes it.  signal_cli speaks to the daemon of
 * signal-cli (JSON-RPC), signal_rest to signal-cli-rest-api before it.  Facts from signal-cli's manual
 * (signal-cli-jsonrpc(5)), its JSON classes, and the Swagger description of the REST API.
 *
 * A message is named by its author and the time at which he sent it, in ms: "1785492000000@<uuid or number>".
 */
#pragma once

#include "bridge/channels/channel_common.h"

/* ---- Data (signal_cli.c, signal_errors.c) ---- */

extern const struct channel_capabilities signal_capabilities[];
extern const struct channel_error signal_errors[];
extern const struct channel_refusals signal_refusals;
void signal_default_pace(const struct channel_endpoint *endpoint, struct channel_pace *pace);
/* The account at signal-cli: a setting, else the endpoint's own number. */
const char *signal_account(const struct channel_endpoint *endpoint);

/* ---- Names of messages and people (signal_values.c) ---- */

/* Milliseconds since 1970, whatever unit it came in (s, ms, µs), as number or string; 0: none. */
gint64 signal_stamp(const json_t *object, const char *key);
/* "<ms>@<author>"; NULL when one is missing. */
char *signal_message_id(gint64 stamp, const char *author);
/* Takes it apart: author is borrowed from id.  False: it is none. */
bool signal_message_id_split(const char *id, gint64 *stamp, const char **author);
/* A uuid in lower case, or a number in E.164. */
char *signal_identifier(const char *id);
/* What of an object names somebody: "<prefix>Uuid", else "<prefix>Number", else "<prefix>"; NULL: none.  For
 * prefix "" the keys are uuid and number. */
char *signal_author(const json_t *object, const char *prefix);
/* Number and uuid of somebody: his address is the number where there is one, the uuid then his alias. */
void signal_read_party(const json_t *object, const char *prefix, struct ump_party *party);
/* A member: {number, uuid}, or one of both as text. */
void signal_add_party(struct ump_group *group, const json_t *member);
bool signal_is_own(const struct channel_endpoint *endpoint, const char *id);
bool signal_truth(const json_t *object, const char *key);

/* ---- Text (signal_text.c): offsets on the network are UTF-16 code units ---- */

/* The text with its mentions as "@name" and its styles as marks (*bold*, _italic_, ~struck~, `code`, ||spoiler||). */
char *signal_text_in(const char *text, const json_t *mentions, const json_t *styles);
/* The text without marks; appends "start:length:STYLE" to styles and "start:length:+number" to mentions. */
char *signal_text_out(const char *text, json_t *styles, json_t *mentions);

/* ---- Events (signal_events.c) ---- */

enum channel_parse signal_parse(const struct channel_webhook *webhook, const struct channel_endpoint *endpoint,
                                GPtrArray *events, GError **error);
void signal_webhook_addresses(const struct channel_webhook *webhook, GPtrArray *names);

/* What a message of the network says, into message, whose people are set (signal_kinds.c).
 * own: it was sent from our own account.  False: there is nothing to show in it; *note says what it was (static). */
bool signal_read_content(const json_t *data, const struct channel_endpoint *endpoint, bool own,
                         struct ump_message *message, const char **note);
/* Of a story: its text or file. */
void signal_read_story(const json_t *story, const struct channel_endpoint *endpoint, struct ump_message *message);

/* ---- Sending, as both need it (signal_send.c) ---- */

/* The emoji of a reaction, which one that is taken back needs as well; NULL or "": there is none.  Borrowed. */
const char *signal_reaction(const struct ump_message *message);
/* What the channel allows: channel_check_limits, with attachments that go within the request. */
int signal_check(const struct channel_send *send, const struct channel_endpoint *endpoint, GError **error);
/* The attachments as data: URIs in a list under this key; -1 when the content of one is not at hand. */
int signal_put_media(const struct ump_message *message, json_t *object, const char *key, GError **error);
void signal_finish(json_t *body, const char *url, struct channel_request *request);
/* A recipient's failure into *result: its word ("UNREGISTERED_FAILURE"), and what stands beside it ({token,
 * retryAfterSeconds}; NULL: nothing). */
void signal_read_failure(const json_t *failure, const char *type, const struct channel_endpoint *endpoint,
                         struct channel_result *result);
/* Notes a member of a group who did not get it. */
void signal_add_member(struct channel_result *result, const json_t *recipient, const char *type);
/* The outcome of the code in *result, by the table of errors. */
void signal_apply_code(const struct channel_endpoint *endpoint, struct channel_result *result);
