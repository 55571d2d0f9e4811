/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the inbound room share.
 */
#pragma once

#include "bridge/asker.h"
#include "bridge/deliver.h"
#include "bridge/inbound/inbound.h"
#include "bridge/queue.h"
#include "core/http_client.h"
#include "core/message.h"

struct inbound {
    struct bridge *bridge;
    struct queue *queue;
    struct lmtp_client *lmtp;
    struct http_client *http;
    struct asker *poller;
    struct group_memory *groups;
    struct asker *watch;
    gint64 media_wait, media_give_up, retry_min, retry_max, expire;
    gint64 media_max, fetch_timeout;
    gint64 mail_room; /* bytes of attachments that one mail holds */
    gint64 attempts;
    gint64 window, segment_messages, segment_silence;
    /* fetches at a time */
    guint fetch_max;
};

/* One lane's jobs on their way; it goes from thread to thread, never in two at once. */
struct lane {
    struct inbound *inbound;
    GPtrArray *jobs;
    guint next; /* the job in work is next - 1 */
    struct inbound_item *item; /* of the message whose media are being fetched */
};

/* One message between store and mailbox. */
struct inbound_item {
    struct lane *lane;
    struct queue_job *job;
    struct endpoint *endpoint;
    struct ump_message *message;
    struct db_rows *stored;   /* store_inbound's row */
    bool late_media;          /* kind "media": what follows its text */
    int fetching;             /* atomic */
    GPtrArray *fetches;       /* struct media_fetch * */
};
void inbound_item_free(struct inbound_item *item);

/* What became of a step. */
enum inbound_step {
    STEP_DONE,  /* the job is ended: the lane goes on */
    STEP_WAIT,  /* the job waits (retry): the lane goes back */
    STEP_ASYNC  /* the item comes back by itself */
};

/* Temporary trouble that is not the job's fault: pause by its age. */
gint64 inbound_pause(const struct inbound *inbound, const struct queue_job *job);
/* The job itself cannot be worked on: after some attempts it is set aside. */
enum inbound_step inbound_fault(struct inbound *inbound, struct queue_job *job, const char *why);

/* message.c: parses the event again and stores its message. */
enum inbound_step inbound_message(struct lane *lane, struct queue_job *job);
/* Once its media are there, or are not to be had now. */
enum inbound_step inbound_media_there(struct inbound_item *item);

/* status.c */
enum inbound_step inbound_status(struct inbound *inbound, struct queue_job *job);

/* template.c */
enum inbound_step inbound_template(struct inbound *inbound, struct queue_job *job);

/* event.c: the event of a job out of its raw body; NULL with error. */
struct channel_event *inbound_event(const struct endpoint *endpoint, const struct queue_job *job, GError **error);

/* media.c: leaves out what one mail does not hold, by the sizes that are known, and says why in its place. */
void inbound_media_fit(const struct inbound *inbound, struct ump_message *message);
/* Begins to fetch what the message has not; false: nothing is to be fetched. */
bool inbound_media_begin(struct inbound_item *item);
enum inbound_media {
    MEDIA_ALL,     /* each is there, or will never be (its error says why) */
    MEDIA_MISSING  /* some may yet come */
};
enum inbound_media inbound_media_take(struct inbound_item *item);
/* {sha256, type, name, size, url, error} of each, for message_media_set. */
json_t *inbound_media_json(const struct ump_message *message);
/* Takes over what an earlier round stored: metadata of the message's row. */
void inbound_media_recall(struct inbound *inbound, struct ump_message *message, const char *metadata);

/* mail.c */
void inbound_mail(struct inbound_item *item, struct ump_message *message, struct db_rows *stored,
                  struct deliver_result *result);
/* store.c: 0 stored; 1: temporary; -1: lasting; with error. */
int inbound_store(struct inbound *inbound, const struct endpoint *endpoint, struct ump_message *message,
                  const char *event_key, struct db_rows **stored, GError **error);
/* Group without an id of its own: members, and a key made of them. */
void inbound_group(struct ump_message *message, const struct endpoint *endpoint);

/* group.c: members of a group, and who joined or left, where the provider is to be asked for them. */
struct group_memory *group_memory_new(void);
void group_memory_free(struct group_memory *memory); /* NULL is fine */
void inbound_members(struct inbound *inbound, const struct channel_endpoint *endpoint, struct ump_message *message);

/* poll.c: asks providers for what their webhooks lost. */
extern const struct asker_duty inbound_poll;
/* watch.c: finds endpoints that should speak and do not. */
extern const struct asker_duty inbound_watch;

/* Runs the lane from where it stands. */
void inbound_lane_run(struct lane *lane);
