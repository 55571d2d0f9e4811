/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a provider's adapter is: one const struct channel_ops per provider, in one table.  Adapters
 * are pure: bytes in, structs out.  They do no I/O, keep no state, ask no clock and see no database;
 * the core owns curl, SQL, retry, clock and throttling.  An absent op means: unsupported.
 * Capabilities and limits are data, so that nobody else asks which channel it is.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/channels/channel_kinds.h"
#include "core/http_client.h"
#include "core/message.h"

struct channel_ops;

/* ---- An endpoint, as adapters see it (bridge/endpoints.h makes them; immutable once made) ---- */

struct channel_endpoint {
    gint64 account_id;
    char *id;       /* uuid text */
    char *channel;  /* "sms" */
    char *provider; /* "telnyx" */
    char *address;  /* our own address there, "+12125550100" */
    char *domain;   /* mail domain of its owner, "example.org" */
    char *region;   /* of the account, "US" */
    json_t *settings;         /* object; never changed after it was made: no json_incref() either */
    json_t *secrets;          /* object, decrypted; may be NULL */
    json_t *account_settings; /* object */
    const struct channel_ops *ops; /* NULL: this build knows no such provider */
    void *prepared;           /* what ops->prepare made: a parsed public key … */
    char *unusable;           /* why it can neither verify nor send (a secret is missing …); NULL: it can */
};

/* Text of a setting, else of the secret of that name; NULL when unset or empty. */
const char *channel_setting(const struct channel_endpoint *endpoint, const char *key);
/* The other way round: a secret first (secrets may have been given under --set). */
const char *channel_secret(const struct channel_endpoint *endpoint, const char *key);
gint64 channel_setting_int(const struct channel_endpoint *endpoint, const char *key, gint64 fallback);
bool channel_setting_bool(const struct channel_endpoint *endpoint, const char *key, bool fallback);
/* base_url without trailing slash: the endpoint's, else the provider's published one. */
const char *channel_base_url(const struct channel_endpoint *endpoint);
/* True when the endpoint sets a base_url of its own (a simulator, a daemon). */
bool channel_base_url_is_own(const struct channel_endpoint *endpoint);

/* ---- Webhooks ---- */

struct channel_header {
    const char *name; /* lower case */
    const char *value;
};

/* One request as it came; all borrowed. */
struct channel_webhook {
    const struct channel_header *headers; /* none when the body is parsed again from the store */
    size_t header_count;
    const char *content_type; /* as sent; NULL: not known (parsed again) */
    const char *url;          /* as the provider knows it: [gateway] public_url, path and query as sent, never
                               * Host; NULL: no public_url, or parsed again */
    const char *body;         /* raw bytes, a 0 behind them that is not counted */
    size_t length;
};

/* The value of a header that is there exactly once; NULL when absent or repeated. */
const char *channel_webhook_header(const struct channel_webhook *webhook, const char *name);

enum channel_verify {
    CHANNEL_VERIFIED = 0,
    CHANNEL_NO_SIGNATURE = 1,  /* header missing, doubled or malformed: 401 */
    CHANNEL_BAD_SIGNATURE = 2, /* 401 */
    CHANNEL_TOO_OLD = 3,       /* signed time outside of the window: 401 */
    CHANNEL_UNVERIFIABLE = 4   /* the endpoint lacks its key: 401, and the operator is told */
};
const char *channel_verify_text(enum channel_verify verdict);

enum channel_event_kind {
    CHANNEL_EVENT_MESSAGE,
    CHANNEL_EVENT_STATUS,
    CHANNEL_EVENT_TEMPLATE, /* the provider has approved, paused … a template */
    CHANNEL_EVENT_OTHER /* stored, acknowledged, nothing further to do; note says what it was */
};
const char *channel_event_kind_name(enum channel_event_kind kind); /* "message", "status", "template", "other" */

enum channel_opt { CHANNEL_OPT_NONE, CHANNEL_OPT_STOP, CHANNEL_OPT_START, CHANNEL_OPT_HELP };

enum channel_status {
    CHANNEL_STATUS_NONE, /* queued, sending: nothing that we do not know */
    CHANNEL_STATUS_SENT,
    CHANNEL_STATUS_DELIVERED,
    CHANNEL_STATUS_READ,
    CHANNEL_STATUS_FAILED
};
const char *channel_status_name(enum channel_status status); /* "sent" …; NULL for NONE */

struct channel_event {
    enum channel_event_kind kind;
    char *key;  /* dedupe key within the endpoint: the provider's id of the event */
    char *lane; /* events of one lane are worked on in order: the sender; of statuses the message */
    GBytes *body; /* what of the body this event is about, and parses to it alone again; NULL: all of it */
    char *note; /* the provider's word for it ("message.received"); NULL */

    /* messages: everything that the network says; id, account, endpoint and conversation are left to
     * the core.  recipients are all to and cc, our own number included; group.id is set only where
     * the network has an id for the group (group MMS has none: the core makes it of the members). */
    struct ump_message *message;
    enum channel_opt opt;
    char *opt_identifier; /* who opted; NULL: the sender */

    /* statuses */
    enum channel_status status;
    bool by_us;        /* READ: of a message that came to us, which the user has read with a device of his own */
    char *provider_id; /* of the message */
    char *attempt_id;  /* uuid of our attempt, where the provider gives back what we sent with it; NULL */
    char *recipient;   /* whom it concerns, where the message is a group's; NULL */
    gint64 at;         /* µs, the provider's time; 0: not said */
    gint64 sent_at;    /* µs: when the message was sent, where that is how the network names it; 0 */
    char *error_code;
    char *error_text;
    gint64 segments;   /* -1: not said */
    gint64 cost;       /* millionths of currency; -1: not said */
    char *currency;

    /* templates: its name or its id at the provider; status as struct channel_template_info has it */
    char *template_name, *template_language, *template_id, *template_status; /* language NULL: in each */
};

struct channel_event *channel_event_new(void);
void channel_event_free(struct channel_event *event);

enum channel_parse {
    CHANNEL_PARSED = 0,
    CHANNEL_MALFORMED = 1, /* not what this provider sends */
    CHANNEL_OVER_LIMIT = 2 /* JSON too deep, too many tokens, too long a string (FAILURES T23) */
};

/*
 * The one way in which adapters read JSON of the network: the pre-scan of FAILURES T23, then jansson
 * with JSON_REJECT_DUPLICATES.  A lone surrogate, NUL or byte that is no UTF-8 becomes U+FFFD.
 * *root is a new reference on CHANNEL_PARSED.
 */
enum channel_parse channel_json_load(const char *body, size_t length, json_t **root, GError **error);
/* The same for providers that put many events into one body: up to so many values. */
enum channel_parse channel_json_load_batch(const char *body, size_t length, size_t max_values, json_t **root,
                                           GError **error);
/* The same for an answer that has a file's bytes in a string, of any length; NULL: malformed or over another limit. */
json_t *channel_json_load_content(const char *body, size_t length);
/* The pre-scan alone: linear, no allocation; CHANNEL_PARSED also for text that is no JSON. */
enum channel_parse channel_json_scan(const char *body, size_t length, const char **why);

/* ---- Sending ---- */

/* A message whose words the provider has approved beforehand; all borrowed. */
struct channel_template {
    const char *name, *language;
    const char *const *variables; /* what stands in its places, in order; NULL-terminated */
    const char *const *places;    /* these, as struct channel_template_info lists them: "body.1"; NULL-terminated */
};

/* What is to be sent; all borrowed. */
struct channel_send {
    const struct ump_message *message;   /* recipients: one, or the members of the group */
    const struct channel_template *template; /* is sent in place of the text; NULL */
    const char *attempt_id;              /* uuid of this attempt: client reference where there is one */
    const char *callback_url;            /* ours, carries the attempt's token; NULL: the profile's */
    const char *const *media_urls;       /* signed URLs, in the order of message->media; NULL: no media */
    const char *const *media_ids;        /* in their place what uploads gave; NULL: the provider fetches the URLs */
    const char *reply_to_provider_id;    /* of the message that is quoted or reacted to; NULL */
    const char *reply_to_text;           /* how it begins; NULL */
    gint64 now;                          /* µs */
    gint64 began;                        /* look-ups: when the attempt was begun, µs */
};

/* A request to the provider; strings owned. */
struct channel_request {
    char *method; /* NULL: POST with a body, else GET */
    char *url;
    GPtrArray *headers; /* char * "Name: value" */
    GBytes *body;       /* NULL: none */
    unsigned timeout_ms; /* 0: the default */
};
void channel_request_init(struct channel_request *request); /* headers: an empty array */
void channel_request_clear(struct channel_request *request);
typedef struct channel_request channel_request_t;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(channel_request_t, channel_request_clear)
void channel_request_header(struct channel_request *request, const char *name, const char *value);

enum channel_outcome {
    CHANNEL_ACCEPTED,  /* provider_id is set */
    CHANNEL_RETRY,     /* certainly not sent: later (retry_after_us, or the usual backoff) */
    CHANNEL_FAILED,    /* for good; code and text say why */
    CHANNEL_HOLD,      /* concerns the sender: hold the endpoint for hold_us, then as RETRY */
    CHANNEL_UNCERTAIN  /* may have been sent: reconcile, never repeat; provider_id, if set, is what it then was sent as */
};
const char *channel_outcome_name(enum channel_outcome outcome);

/* Strings owned. */
struct channel_result {
    enum channel_outcome outcome;
    char *provider_id;
    char *code; /* the provider's */
    char *text; /* the provider's words */
    gint64 retry_after_us; /* -1: not said */
    gint64 hold_us;        /* CHANNEL_HOLD */
    gint64 segments;       /* -1 */
    gint64 cost;           /* millionths; -1 */
    char *currency;
    char *alias;           /* another id of the recipient, by which his answers may come; NULL */
    json_t *members;       /* of a group, whom it did not reach: [{"recipient", "code", "text"}]; NULL: it reached all */
    bool config;           /* our configuration is wrong (bad key, unknown profile): tell the operator */
};
void channel_result_init(struct channel_result *result);
void channel_result_clear(struct channel_result *result);
typedef struct channel_result channel_result_t;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(channel_result_t, channel_result_clear)

/* Answer of a look-up of what became of an attempt. */
enum channel_lookup {
    CHANNEL_LOOKUP_FOUND,   /* there are messages that may be it */
    CHANNEL_LOOKUP_NONE,    /* the provider says that there is no such message */
    CHANNEL_LOOKUP_UNKNOWN  /* no answer to be had */
};
/* One of them; strings owned. */
struct channel_found {
    char *provider_id;
    bool same; /* its content is that of ours; false: it only came at the time */
    enum channel_status status;
    char *code, *text; /* of a failure; NULL */
};
void channel_found_free(struct channel_found *found);

/* One request of a poll; what the adapter must remember for its answer rides in context. */
struct channel_poll {
    struct channel_request request;
    char *context; /* NULL */
};
struct channel_poll *channel_poll_new(const char *context);
void channel_poll_free(struct channel_poll *poll);

/* Does free text go to somebody, by the provider's own word? */
enum channel_window { CHANNEL_WINDOW_UNKNOWN, CHANNEL_WINDOW_OPEN, CHANNEL_WINDOW_CLOSED };

/* ---- Streams: events that come over a connection of ours, not as webhooks ---- */

enum channel_stream_kind {
    CHANNEL_STREAM_SSE,  /* server-sent events; the data of each is a body */
    CHANNEL_STREAM_LINES /* a line is a body, or part of the protocol (read_line) */
};

/* Strings owned. */
struct channel_stream {
    enum channel_stream_kind kind;
    char *url;        /* "http://…"; of lines "tcp://host:port" or "unix:/path" */
    char *hello;      /* the line by which we ask for events; NULL: they come by themselves */
    size_t max_line;  /* bytes of an event */
    unsigned idle_ms; /* nothing at all for so long: the connection is dead; 0: it may be silent */
};
void channel_stream_clear(struct channel_stream *stream);
typedef struct channel_stream channel_stream_t;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(channel_stream_t, channel_stream_clear)

enum channel_line {
    CHANNEL_LINE_EVENT,   /* for parse_webhook */
    CHANNEL_LINE_READY,   /* events come now */
    CHANNEL_LINE_ENDED,   /* no more events come */
    CHANNEL_LINE_REFUSED, /* they will not come; with error */
    CHANNEL_LINE_NOTHING
};

/* ---- Errors in words ---- */

enum channel_error_class {
    CHANNEL_ERROR_RETRY,     /* certainly not sent; later, by itself */
    CHANNEL_ERROR_UNCERTAIN, /* it may have been sent all the same */
    CHANNEL_ERROR_FIX,       /* this message: mend it and send it again */
    CHANNEL_ERROR_HOLD,      /* the sender must wait */
    CHANNEL_ERROR_PERMANENT, /* this recipient cannot be reached */
    CHANNEL_ERROR_CONFIG     /* the administrator must act */
};

struct channel_error {
    const char *code;   /* NULL ends the table */
    enum channel_error_class class;
    const char *status; /* enhanced status code of a report: "5.1.1" */
    const char *reason; /* one plain sentence for a person: what happened */
    const char *advice; /* what to do; NULL */
    bool opted_out;     /* the provider's list of opt-outs knows the recipient: ours should too */
};

/* ---- The adapter ---- */

struct channel_capabilities {
    const char *channel; /* NULL ends the table */
    channel_kinds in, out; /* what arrives by it as mail, and what leaves by it; docs/CHANNELS.md */
    guint max_text;      /* characters or octets, see text_in_octets; 0: segments decide */
    guint max_caption;   /* the same, of a text that goes with an attachment; 0: as max_text */
    guint window_s;      /* free text may go to a contact so long after his last message, templates always; 0: always */
    bool text_in_octets;
    bool gsm_segments;   /* text is counted in SMS segments */
    guint max_segments;
    guint max_media;     /* items in one message; 0: no media */
    guint split_media;   /* so many messages a mail with more of them may become (core/parts); 0: it is refused */
    const char *uncaptioned; /* types with which no text can go, in the form of picture_types; NULL: none */
    gint64 max_media_total; /* bytes */
    gint64 max_media_each;
    guint max_group;     /* recipients of one group message; 0: no groups */
    bool groups_by_members; /* groups have no id: they are the set of their members */
    bool reply, reaction, typing, read_out, edit, delete;
    bool read_covers_earlier; /* a read receipt is one for the contact's earlier messages too */
    /* Pictures and sounds that it shows and plays, "image/jpeg image/webp:100000" (the largest of that type); others, and
     * larger ones, are made to fit by ump-lmtp before they are accepted.  NULL: any type, as it is. */
    const char *picture_types, *sound_types;
    const char *sound_to;     /* what other sounds become: "audio/ogg"; NULL: they go as they are */
    gint64 max_picture, max_sound; /* bytes of one; 0: max_media_each */
    gint64 converted_total;   /* what converted ones aim at, together; 0: max_media_total */
};

/* Token buckets: messages per second, and how many at once.  0: no such bucket; burst 0: rate, at least 1. */
struct channel_pace {
    double rate, burst;                 /* of the endpoint */
    double pair_rate, pair_burst;       /* of the endpoint and one contact */
    double account_rate, account_burst; /* of our account at the provider, over its endpoints of one tenant */
};

struct channel_setting_spec {
    const char *key; /* NULL ends the table */
    bool secret;
    bool required;
    const char *doc;
};

/* A template as the provider lists it; strings owned. */
struct channel_template_info {
    char *name, *language;
    char *status;     /* "approved", "pending", "rejected" … */
    json_t *body;     /* {"text": what it says, "category", "places": ["header.1", "body.1" …]: its variables in the order
                       * of reading, "missing": what it needs that a mail cannot give} */
};
void channel_template_info_free(struct channel_template_info *info);

struct channel_ops {
    const char *provider;
    const struct channel_capabilities *capabilities;
    const struct channel_setting_spec *settings;
    const struct channel_error *errors;
    const struct channel_error *network_errors; /* of the network behind it, as the provider passes them on; NULL */
    const char *base_url;           /* published base of its API, no trailing slash */
    const char *api_host;           /* Remote-MTA of reports: "api.telnyx.com" */
    const char *const *media_hosts; /* allow-list for inbound media: exact, or ".example.org"; NULL: base_url's only */
    size_t max_webhook;             /* 0: 256 KiB */
    int keep_days;                  /* of dedupe keys: 14 where the provider signs a time, else 400 */
    bool safe_503;                  /* documents that 503 with Retry-After was not processed */
    bool lookup_complete;           /* what its look-up does not show was not sent: it lists every message */
    bool idempotent;                /* a repeat under the same attempt id is never sent twice */
    bool inline_media;              /* build_request takes the content of attachments itself: it is loaded then */
    const char *webhook_reply_type; /* Content-Type and body of a webhook's 200; NULL: "ok", text/plain */
    const char *webhook_reply;

    /* How fast it may be asked, where the endpoint's settings do not say; *pace is all zero. */
    void (*default_pace)(const struct channel_endpoint *endpoint, struct channel_pace *pace);

    /* Parses keys once per endpoint; NULL with error: the endpoint is unusable for what needs them. */
    void *(*prepare)(const struct channel_endpoint *endpoint, GError **error);
    void (*dispose)(void *prepared);

    /* Over the raw bytes, before any parse; constant time.  now in seconds. */
    enum channel_verify (*verify_webhook)(const struct channel_webhook *webhook,
                                          const struct channel_endpoint *endpoint, gint64 now);
    /* Appends struct channel_event * to events; deterministic, so that the stored body parses to the
     * same again.  error (may be set on other results than CHANNEL_PARSED) is for the log. */
    enum channel_parse (*parse_webhook)(const struct channel_webhook *webhook,
                                        const struct channel_endpoint *endpoint, GPtrArray *events,
                                        GError **error);

    /* Where events come over a connection that we open; its bodies then go through parse_webhook.  0, or -1 with error.
     * read_line: what a line is (CHANNEL_STREAM_LINES); *farewell, owned: the line that ends what READY began. */
    int (*open_stream)(const struct channel_endpoint *endpoint, struct channel_stream *stream, GError **error);
    enum channel_line (*read_line)(const char *line, size_t length, const struct channel_endpoint *endpoint, char **farewell,
                                   GError **error);

    /* Where the provider asks by GET whether the address is ours: *answer is the body of our 200. */
    enum channel_verify (*verify_challenge)(const struct channel_header *query, size_t count,
                                            const struct channel_endpoint *endpoint, char **answer);
    /* Where one body may be about several addresses of ours: the setting that names them (unset: the endpoint's own), and the names in
     * a body that was verified, appended without repeats (char *).  The body is then parsed once for
     * each endpoint that has one of them, and by its keys could have verified it. */
    const char *address_setting;
    void (*webhook_addresses)(const struct channel_webhook *webhook, GPtrArray *names);
    /* Where one address of the provider's brings several channels: the one that a body is about.  The endpoint of that
     * channel with the same address takes it then, where there is one, in place of the one that was written to. */
    const char *(*webhook_channel)(const struct channel_webhook *webhook);

    /* 0; -1: cannot be said to this provider (UMP_ERROR_INVALID, a sentence for the sender). */
    int (*build_request)(const struct channel_send *send, const struct channel_endpoint *endpoint,
                         struct channel_request *request, GError **error);
    /* *result is initialised. */
    void (*parse_response)(const struct http_response *response, const struct channel_endpoint *endpoint,
                           struct channel_result *result);

    /* Media by upload, where the provider is not to fetch them (no public_url with https): asked for each, content
     * loaded, before build_request.  An upload that fails was no send: it may be repeated.
     * parse_upload: the id for media_ids, owned; NULL: *result says what that means. */
    int (*build_upload)(const struct ump_media *media, const struct channel_endpoint *endpoint,
                        struct channel_request *request, GError **error);
    char *(*parse_upload)(const struct http_response *response, const struct channel_endpoint *endpoint,
                          struct channel_result *result);

    /* Tells the network that the user has read a message; typing: and that he is writing. */
    int (*build_read)(const char *provider_id, bool typing, const struct channel_endpoint *endpoint,
                      struct channel_request *request, GError **error);

    /* Reconciliation: asks what became of an attempt (provider_id may be NULL).  Appends struct
     * channel_found *, oldest first, to found: which of them are other messages of ours is not the
     * adapter's to know. */
    int (*build_lookup)(const struct channel_send *send, const char *provider_id,
                        const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
    enum channel_lookup (*parse_lookup)(const struct channel_send *send, const struct http_response *response,
                                        const struct channel_endpoint *endpoint, GPtrArray *found);

    /* Takes a scheduled message back. */
    int (*build_cancel)(const char *provider_id, const struct channel_endpoint *endpoint,
                        struct channel_request *request, GError **error);

    /* umpctl endpoint test: is the key good, is the address ours, does the webhook point here?
     * parse_health appends sentences (char *) to findings; 0 healthy, 1 not. */
    int (*build_health)(const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
    int (*parse_health)(const struct http_response *response, const struct channel_endpoint *endpoint,
                        const char *webhook_url, GPtrArray *findings);

    /* What webhooks have lost since then (µs): appends the first requests (struct channel_poll *). */
    int (*build_poll)(const struct channel_endpoint *endpoint, gint64 since, GPtrArray *requests, GError **error);
    /* An answer: bodies (char *) as webhooks would have brought them, with the same keys; and more
     * requests, the next page first of all.  -1: it tells nothing, the round is over. */
    int (*parse_poll)(const struct http_response *response, const struct channel_poll *poll,
                      const struct channel_endpoint *endpoint, GPtrArray *bodies, GPtrArray *more, GError **error);

    /* The list of templates, page by page (cursor NULL: the first).  parse_templates appends struct
     * channel_template_info *; *next (owned): the cursor of the next page, NULL: this was the last.  0 or -1. */
    int (*build_templates)(const char *cursor, const struct channel_endpoint *endpoint, struct channel_request *request,
                           GError **error);
    int (*parse_templates)(const struct http_response *response, GPtrArray *templates, char **next, GError **error);

    /* Is the window open (capabilities.window_s)?  Asked before the endpoint's re-opening template is sent in place of a
     * text, because our own record of the contact's messages closed it. */
    int (*build_window)(const char *recipient, const struct channel_endpoint *endpoint, struct channel_request *request,
                        GError **error);
    enum channel_window (*parse_window)(const struct http_response *response);

    /* Inbound media that are asked for by a request of another kind than GET: the content, owned; NULL with error,
     * and *gone: it will never be there. */
    int (*build_media)(const struct ump_media *media, const struct channel_endpoint *endpoint, struct channel_request *request,
                       GError **error);
    GBytes *(*parse_media)(const struct http_response *response, bool *gone, GError **error);

    /* Who is in a group, where messages do not say: appends to group->members, and may set its title.  0, or -1 with error. */
    int (*build_group)(const char *group_id, const struct channel_endpoint *endpoint, struct channel_request *request, GError **error);
    int (*parse_group)(const struct http_response *response, const struct channel_endpoint *endpoint, struct ump_group *group,
                       GError **error);

    /* umpctl endpoint link, where our account is a device beside the user's phone.  build_link with uri NULL: asks for the
     * text of the QR code, then waits until it was scanned (absent number: unknown).  0, or -1 with error. */
    int (*build_link)(const struct channel_endpoint *endpoint, const char *uri, struct channel_request *request, GError **error);
    int (*parse_link)(const struct http_response *response, const struct channel_endpoint *endpoint, char **uri, char **number,
                      GError **error);

    /* Inbound media whose URL leads to a description that says where they are: that URL, owned; NULL with error. */
    char *(*parse_media_location)(const char *body, size_t length, GError **error);
    /* Credentials for inbound media, as headers for exact auth_hosts; absent: none are needed. */
    int (*media_auth)(const struct channel_endpoint *endpoint, GPtrArray *headers, const char *const **auth_hosts);
};

/* NULL-terminated; NULL when there is no such provider. */
extern const struct channel_ops *const channels[];
const struct channel_ops *channel_find(const char *provider);
/* NULL: the provider does not serve this channel. */
const struct channel_capabilities *channel_capabilities_of(const struct channel_ops *ops, const char *channel);
/* The row of a provider's code; NULL when unknown. */
const struct channel_error *channel_error_find(const struct channel_ops *ops, const char *code);
/* The same, and codes of our own ("expired", "opted-out"); ops may be NULL. */
const struct channel_error *channel_error_any(const struct channel_ops *ops, const char *code);
