/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all options.  Defaults, bounds, sample file, manual page, --check and --print come
 * from here; a row is added together with the code that reads it.
 *
 * After a change: `ninja sample` in the build directory writes conf/ump.conf anew (a test compares).
 *
 * In paths {state_dir} stands for [gateway] state_dir.
 */
#include "core/config.h"

const struct config_section config_sections[] = {
    {"gateway", "What all programs share: the domains served, where state and keys lie, the log."},
    {"database", "PostgreSQL. Each program adds its own role to the connection string unless it names one."},
    {"ctl", "umpctl, the administrator's tool."},
    {"milter", "ump-milter: policy while Postfix still talks to the sender."},
    {"lmtp", "ump-lmtp: the one door to mailboxes and to the outbound queue."},
    {"bridge", "ump-bridge as a whole."},
    {"web", "ump-bridge, role web: webhooks, REST API, media, events."},
    {"inbound", "ump-bridge, role inbound: events of providers become mail."},
    {"outbound", "ump-bridge, role outbound: the queue goes to the providers."},
    {"receipts", "Delivery reports and notices to senders."},
    {"dovecot", "What else the bridge asks of Dovecot, beside delivery."},
    {"media", "Pictures, sound and files: the store on disk and what is fetched for it."},
    {"conversation", "How messages are gathered into conversations and threads."},
    {"caps", "Ceilings on what one sender may spend. Endpoints and machine senders can have their own."},
    {NULL, NULL},
};

const struct config_option config_options[] = {
    /* --- gateway --- */
    {"gateway", "domains", CONFIG_LIST, NULL, NULL, NULL, NULL,
     "The mail domains that the gateway serves. The addresses of a channel are at CHANNEL.DOMAIN, "
     "notices that want an answer come from notice.DOMAIN."},
    {"gateway", "hostname", CONFIG_STRING, NULL, NULL, NULL, NULL,
     "The name of this machine in protocols and reports. Default: the system's host name."},
    {"gateway", "region", CONFIG_STRING, "US", "", NULL, NULL,
     "The country (two letters) in whose way telephone numbers without a country code are read, unless "
     "the account or user has another."},
    {"gateway", "channels", CONFIG_LIST, NULL, NULL, NULL, NULL,
     "The names that may stand before the domain. Default: every channel that the programs know."},
    {"gateway", "state_dir", CONFIG_PATH, "/var/lib/ump", NULL, NULL, NULL,
     "Where journal and media are kept."},
    {"gateway", "stamp_key_file", CONFIG_SECRET, "/etc/ump/stamp.key", NULL, NULL, NULL,
     "Keys of UMP-Stamp. The first signs, all verify. The same file on every machine."},
    {"gateway", "id_key_file", CONFIG_SECRET, "/etc/ump/id.key", NULL, NULL, NULL,
     "Keys of message ids, notice addresses, media and callback URLs. Never lose it: with another key, "
     "repeated webhooks are not recognised."},
    {"gateway", "secrets_key_file", CONFIG_SECRET, "/etc/ump/secrets.key", NULL, NULL, NULL,
     "Keys that encrypt the credentials of providers in the database."},
    {"gateway", "public_url", CONFIG_URL, NULL, NULL, NULL, NULL,
     "How providers and recipients reach the web role from outside, for example https://ump.example.org. "
     "Webhook, callback and media URLs begin with it."},
    {"gateway", "log_level", CONFIG_CHOICE, "info", NULL, NULL, "error|warning|notice|info|debug",
     "What is logged. Only debug may show whole telephone numbers."},
    {"gateway", "log_target", CONFIG_STRING, "stderr", NULL, NULL, NULL,
     "stderr, journal or file:PATH. A file is opened again at SIGUSR1."},
    {"gateway", "clock_offset", CONFIG_DURATION, "0s", "-3650d", "3650d", NULL,
     "Added to the wall clock. For tests."},

    /* --- database --- */
    {"database", "uri", CONFIG_STRING, "postgresql:///ump", NULL, NULL, NULL,
     "Connection string of libpq. Several hosts with target_session_attrs=read-write make a failover a "
     "mere retry."},
    {"database", "pool_size", CONFIG_INT, "8", "1", "256", NULL, "Connections for reading, per program."},
    {"database", "batch_statements", CONFIG_INT, "64", "1", "1024", NULL,
     "How many statements the writer puts into one transaction at most."},
    {"database", "batch_bytes", CONFIG_SIZE, "4MiB", "64KiB", "256MiB", NULL,
     "How many bytes of parameters the writer puts into one transaction at most."},
    {"database", "statement_timeout", CONFIG_DURATION, "5s", "100ms", "10m", NULL,
     "After this the server gives a statement up."},
    {"database", "connect_timeout", CONFIG_DURATION, "2s", "1s", "1m", NULL,
     "How long to try one host."},

    /* --- ctl --- */
    {"ctl", "database_uri", CONFIG_STRING, NULL, NULL, NULL, NULL,
     "Connection string with the owner's role, for umpctl only. Default: [database] uri with user=ump."},

    /* --- milter --- */
    {"milter", "socket", CONFIG_STRING, "unix:/var/spool/postfix/ump/milter.sock", NULL, NULL, NULL,
     "Where Postfix finds the milter: unix:PATH. Put it within Postfix's chroot."},
    {"milter", "socket_mode", CONFIG_STRING, "0660", NULL, NULL, "octal", "Mode of the socket."},
    {"milter", "socket_group", CONFIG_STRING, NULL, NULL, NULL, NULL,
     "Group of the socket. Default: the program's own."},
    {"milter", "timeout", CONFIG_DURATION, "60s", "5s", "1h", NULL,
     "How long Postfix may be silent within a session."},

    /* --- lmtp --- */
    {"lmtp", "socket", CONFIG_STRING, "unix:/var/spool/postfix/ump/lmtp.sock", NULL, NULL, NULL,
     "Where Postfix and ump-bridge hand mail over: unix:PATH. Put it within Postfix's chroot."},
    {"lmtp", "socket_mode", CONFIG_STRING, "0660", NULL, NULL, "octal", "Mode of the socket."},
    {"lmtp", "socket_group", CONFIG_STRING, NULL, NULL, NULL, NULL,
     "Group of the socket. Default: the program's own."},
    {"lmtp", "peers", CONFIG_LIST, "postfix ump-bridge", "", NULL, NULL,
     "The users, by name or number, that may connect (SO_PEERCRED). Root and the program's own user "
     "always may."},
    {"lmtp", "store", CONFIG_STRING, "lmtp:/run/dovecot/lmtp", NULL, NULL, NULL,
     "Where mail for mailboxes goes: lmtp:PATH relays to the socket of Dovecot's LMTP server."},
    {"lmtp", "index", CONFIG_CHOICE, "best-effort", NULL, NULL, "best-effort|required",
     "What happens to ordinary mail while the database is down: delivered at once and indexed later, or "
     "refused for a time with 451."},
    {"lmtp", "max_size", CONFIG_SIZE, "50MiB", "64KiB", "1GiB", NULL, "Largest mail, announced as SIZE."},
    {"lmtp", "max_recipients", CONFIG_INT, "1000", "1", "10000", NULL, "Recipients of one transaction."},
    {"lmtp", "max_sessions", CONFIG_INT, "200", "1", "10000", NULL, "Sessions at the same time."},
    {"lmtp", "command_timeout", CONFIG_DURATION, "5m", "1s", "1h", NULL,
     "How long a peer may be silent between commands."},
    {"lmtp", "data_timeout", CONFIG_DURATION, "3m", "1s", "1h", NULL,
     "How long a peer may be silent within DATA."},
    {"lmtp", "stamp_max_age", CONFIG_DURATION, "6d", "1h", "60d", NULL,
     "How old a stamp may be: Postfix's maximal_queue_lifetime and a day."},
    {"lmtp", "recipient_delimiter", CONFIG_STRING, "+", "", NULL, NULL,
     "What parts a mailbox's name from its extension, as in Postfix and Dovecot."},
    {"lmtp", "memory_limit", CONFIG_SIZE, "1MiB", "4KiB", "1GiB", NULL,
     "Mail above this size waits in a file, not in memory."},
    {"lmtp", "spool_dir", CONFIG_PATH, "{state_dir}", NULL, NULL, NULL,
     "Where such files are made; they have no name and vanish by themselves."},
    {"lmtp", "index_wait", CONFIG_DURATION, "2s", "10ms", "5m", NULL,
     "How long ordinary mail waits for the index before it is delivered without (index = best-effort) or "
     "refused for a time (required)."},
    {"lmtp", "index_text", CONFIG_SIZE, "16KiB", "0", "1MiB", NULL,
     "How much of an ordinary mail's text the index keeps."},
    {"lmtp", "journal_dir", CONFIG_PATH, "{state_dir}/lmtp", NULL, NULL, NULL,
     "What the index has to learn when the database is back, and (with -reports behind it) success "
     "reports that are to be sent."},
    {"lmtp", "journal_reserve", CONFIG_SIZE, "8MiB", "4KiB", "1GiB", NULL,
     "Room on the disk kept for that journal when the disk is full."},
    {"lmtp", "database_wait", CONFIG_DURATION, "20s", "100ms", "5m", NULL,
     "How long mail for a gateway address waits for the database before it is answered 451."},
    {"lmtp", "facts_lifetime", CONFIG_DURATION, "100ms", "0", "10s", NULL,
     "How long what the database said of a sender (account, grants, endpoint and its settings) serves his further mail "
     "to numbers. Opt-outs, caps and when the contact last wrote are looked up each time."},
    {"lmtp", "store_timeout", CONFIG_DURATION, "60s", "1s", "10m", NULL,
     "How long the store may take for one answer."},
    {"lmtp", "submit", CONFIG_STRING, "unix:/var/spool/postfix/public/umpsubmit", "", NULL, NULL,
     "Where success reports (NOTIFY=SUCCESS) about ordinary mail are handed over by SMTP: unix:PATH or "
     "HOST:PORT. Set to nothing, only senders with a mailbox in [gateway] domains get theirs, through the "
     "store."},

    /* --- bridge --- */
    {"bridge", "roles", CONFIG_LIST, "web inbound outbound receipts", NULL, NULL, NULL,
     "What this process does: web, inbound, outbound, receipts. Each can run on a machine of its own."},
    {"bridge", "grace", CONFIG_DURATION, "20s", "0s", "10m", NULL,
     "How long what is under way may take at a stop."},

    /* --- web --- */
    {"web", "listen", CONFIG_STRING, "127.0.0.1:8025", NULL, NULL, NULL,
     "ADDRESS:PORT of the HTTP server. A reverse proxy with TLS belongs in front."},
    {"web", "threads", CONFIG_INT, "2", "1", "64", NULL, "Threads of the HTTP server."},
    {"web", "journal_dir", CONFIG_PATH, "{state_dir}/journal", NULL, NULL, NULL,
     "Where webhooks are kept while the database does not answer. On a local disk."},
    {"web", "journal_after", CONFIG_DURATION, "300ms", "1ms", "1m", NULL,
     "A webhook that the database has not taken by then goes to the journal."},
    {"web", "journal_always", CONFIG_BOOL, "no", NULL, NULL, NULL,
     "Write every webhook to the journal too: nothing is lost even when an asynchronous standby takes "
     "over."},
    {"web", "max_body", CONFIG_SIZE, "256KiB", "4KiB", "16MiB", NULL,
     "Largest body of a request, unless the provider is known to send larger ones."},
    {"web", "max_signed_body", CONFIG_SIZE, "4MiB", "4KiB", "64MiB", NULL,
     "Up to here a webhook is read to verify its signature; one that is signed but larger than its "
     "provider is known to send is stored, and the operator is told."},
    {"web", "buffer", CONFIG_SIZE, "64MiB", "1MiB", "16GiB", NULL,
     "Memory for bodies of requests under way, in all; above it the answer is 503."},
    {"web", "keepalive", CONFIG_DURATION, "60s", "1s", "1h", NULL,
     "How long a connection may stay open between two requests."},
    {"web", "header_timeout", CONFIG_DURATION, "5s", "100ms", "5m", NULL,
     "Until when the head of a request must be there."},
    {"web", "request_timeout", CONFIG_DURATION, "10s", "100ms", "10m", NULL,
     "Until when a whole request must be there."},
    {"web", "min_rate", CONFIG_SIZE, "500", "0", "1MiB", "per second",
     "Bytes per second below which a body is given up."},
    {"web", "max_connections", CONFIG_INT, "2000", "1", "100000", NULL, "Connections at the same time."},
    {"web", "max_connections_per_address", CONFIG_INT, "20", "1", "100000", NULL,
     "Connections at the same time from one address, not counted for trusted_proxies."},
    {"web", "trusted_proxies", CONFIG_LIST, "127.0.0.1 ::1", "", NULL, NULL,
     "Addresses whose X-Forwarded-For is believed."},

    /* --- inbound --- */
    {"inbound", "lmtp_socket", CONFIG_STRING, "unix:/var/spool/postfix/ump/lmtp.sock", NULL, NULL, NULL,
     "The socket of ump-lmtp."},
    {"inbound", "workers", CONFIG_INT, "16", "1", "256", NULL, "Events in work at the same time."},
    {"inbound", "claim_batch", CONFIG_INT, "64", "1", "1000", NULL, "Events claimed at once."},
    {"inbound", "lease", CONFIG_DURATION, "60s", "1s", "1h", NULL,
     "After this an event that a dead worker held is taken by another."},
    {"inbound", "heartbeat", CONFIG_DURATION, "10s", "100ms", "10m", NULL, "How often leases are renewed."},
    {"inbound", "poll", CONFIG_DURATION, "1s", "10ms", "10m", NULL,
     "How often to look without having been woken."},
    {"inbound", "media_wait", CONFIG_DURATION, "30s", "0s", "1h", NULL,
     "How long a message waits for its media before it is tried again later."},
    {"inbound", "media_give_up", CONFIG_DURATION, "24h", "0s", "30d", NULL,
     "After this the mail is made with a note in place of the media."},
    {"inbound", "attempts", CONFIG_INT, "5", "1", "1000", NULL,
     "An event that failed this often is set aside and shown to the operator."},
    {"inbound", "retry_min", CONFIG_DURATION, "30s", "10ms", "1h", NULL,
     "First pause before the hand-over is tried again."},
    {"inbound", "retry_max", CONFIG_DURATION, "1h", "10ms", "7d", NULL, "Longest such pause."},
    {"inbound", "expire", CONFIG_DURATION, "14d", "1m", "365d", NULL,
     "After this a message that no mailbox takes is given up."},

    /* --- outbound --- */
    {"outbound", "concurrency", CONFIG_INT, "64", "1", "1000", NULL, "Requests in flight."},
    {"outbound", "claim_batch", CONFIG_INT, "64", "1", "1000", NULL, "Deliveries claimed at once."},
    {"outbound", "lease", CONFIG_DURATION, "60s", "1s", "1h", NULL,
     "After this a delivery that a dead worker held is rescued."},
    {"outbound", "heartbeat", CONFIG_DURATION, "10s", "100ms", "10m", NULL, "How often leases are renewed."},
    {"outbound", "poll", CONFIG_DURATION, "5s", "10ms", "10m", NULL,
     "How often to look without having been woken."},
    {"outbound", "connect_timeout", CONFIG_DURATION, "5s", "100ms", "5m", NULL,
     "How long to connect to a provider."},
    {"outbound", "request_timeout", CONFIG_DURATION, "20s", "100ms", "10m", NULL,
     "After this a request without an answer is uncertain."},
    {"outbound", "retry_min", CONFIG_DURATION, "5s", "10ms", "1h", NULL,
     "First pause after a failure that is safe to repeat."},
    {"outbound", "retry_max", CONFIG_DURATION, "15m", "10ms", "7d", NULL, "Longest such pause."},
    {"outbound", "expire", CONFIG_DURATION, "24h", "1s", "30d", NULL,
     "After this a message that could not be handed to its provider is reported as failed."},
    {"outbound", "uncertain_notice", CONFIG_DURATION, "30m", "1s", "7d", NULL,
     "After this the sender is told that a message may have been sent."},

    /* --- receipts --- */
    {"receipts", "workers", CONFIG_INT, "4", "1", "64", NULL, "Reports in work at the same time."},
    {"receipts", "smtp", CONFIG_STRING, "127.0.0.1:25", NULL, NULL, NULL,
     "HOST:PORT of the mail server that takes reports for senders whose mailbox is elsewhere (machine "
     "senders)."},
    {"receipts", "summary_above", CONFIG_INT, "10", "1", "1000", NULL,
     "Failures of a mail with more recipients than this are told in one report."},
    {"receipts", "summary_wait", CONFIG_DURATION, "2m", "0s", "1h", NULL,
     "How long such failures are gathered."},
    {"receipts", "digest_above", CONFIG_INT, "20", "1", "10000", NULL,
     "Failure reports to one sender per digest_interval before they are gathered into one."},
    {"receipts", "digest_interval", CONFIG_DURATION, "1h", "1s", "7d", NULL, "How often a digest is sent."},
    {"receipts", "daily_at", CONFIG_DURATION, "6h", "0s", "23h", NULL,
     "When the daily digest of an endpoint that has one is sent: so long after midnight where its owner is."},
    {"receipts", "notice_ttl", CONFIG_DURATION, "14d", "1h", "365d", NULL,
     "How long a notice can be answered."},

    /* --- media --- */
    {"dovecot", "doveadm_url", CONFIG_STRING, "", NULL, NULL, NULL,
     "Dovecot's doveadm HTTP API, \"http://127.0.0.1:8034/doveadm/v1\": what the network says of a message is then shown on "
     "its copy in the folder of sent mail, by the keywords $Delivered and $Read, messages that disappear are removed, and networks are told "
     "what was read, where an endpoint has read_receipts=yes "
     "(conf/dovecot/91-ump-receipts.conf). Empty: no."},
    {"dovecot", "doveadm_key_file", CONFIG_SECRET, NULL, NULL, NULL, NULL,
     "File with Dovecot's doveadm_api_key, alone on a line; read when doveadm_url is set."},
    {"dovecot", "events_key_file", CONFIG_SECRET, NULL, NULL, NULL, NULL,
     "File with the word, alone on a line, at the end of the URL to which Dovecot posts that somebody has changed flags "
     "(conf/dovecot/92-ump-events.conf): networks are then told at once what was read. Not set: nothing is taken there."},
    {"dovecot", "sent", CONFIG_STRING, "Sent", NULL, NULL, NULL, "The folder in which mail programs save what was sent."},

    {"media", "dir", CONFIG_PATH, "{state_dir}/media", NULL, NULL, NULL, "The store, by SHA-256."},
    {"media", "convert", CONFIG_STRING, "/usr/libexec/ump/ump-convert", "", NULL, NULL,
     "The program that makes pictures and sounds fit the channel; empty: they go as they are, or are refused."},
    {"media", "max_size", CONFIG_SIZE, "25MiB", "1KiB", "2GiB", NULL, "Largest single file."},
    {"media", "url_ttl", CONFIG_DURATION, "7d", "1m", "365d", NULL, "How long a media URL is good."},
    {"media", "fetch_timeout", CONFIG_DURATION, "60s", "1s", "1h", NULL, "How long to fetch one file."},
    {"media", "fetch_concurrency", CONFIG_INT, "16", "1", "256", NULL, "Files fetched at the same time."},

    /* --- conversation --- */
    {"conversation", "window", CONFIG_DURATION, "30d", "1m", "3650d", NULL,
     "A message without a reference joins the latest conversation with the contact if it is not older."},
    {"conversation", "segment_messages", CONFIG_INT, "100", "1", "100000", NULL,
     "After so many messages a new thread begins within the same conversation."},
    {"conversation", "segment_silence", CONFIG_DURATION, "7d", "1m", "3650d", NULL,
     "After such a silence a new thread begins within the same conversation."},
    {"conversation", "subject_style", CONFIG_CHOICE, "words", NULL, NULL, "words|stable|private",
     "Subjects of mail: the first words of the text, always the same, or without content."},

    /* --- caps --- */
    {"caps", "user_per_hour", CONFIG_INT, "30", "0", "1000000", NULL,
     "Messages that one user may send in an hour. 0: no cap."},
    {"caps", "max_segments", CONFIG_INT, "6", "1", "255", NULL, "SMS that one text may need."},
    {"caps", "max_recipients", CONFIG_INT, "50", "1", "1000", NULL,
     "Gateway addresses that one mail may have."},
    {"caps", "max_size", CONFIG_SIZE, "25MiB", "64KiB", "1GiB", NULL,
     "Largest mail that may go to a gateway address, attachments included."},
    {"caps", "range_per_hour", CONFIG_INT, "50", "0", "1000000", NULL,
     "First messages of an account to unknown numbers that share all but their last three digits, in an hour: "
     "stops who pumps consecutive numbers. 0: no cap."},
    {"caps", "spend_per_day", CONFIG_INT, "0", "0", "1000000000000", "millionths",
     "What an account may spend on messages in a day, in millionths of its currency, by its endpoints' "
     "price_per_segment. 0: no cap."},

    {NULL, NULL, CONFIG_STRING, NULL, NULL, NULL, NULL, NULL},
};
