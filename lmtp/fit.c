/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments as the channel carries them: pictures and sounds that do not fit become such that do (core/convert). */
#include "lmtp/fit.h"

#include <string.h>

#include "core/clock.h"
#include "core/convert.h"
#include "core/endpoint_settings.h"
#include "core/log.h"
#include "core/media_type.h"

#define SMALLEST (10 * 1000) /* bytes: nothing is made smaller than that */
#define PATIENCE (45 * CLOCK_SECOND) /* with all of a mail: gateway mail waits for it */
#define MODEST (100 * 1000) /* bytes: room that each should have, or all of the limit is used */

void outgoing_free(struct outgoing *outgoing)
{
    g_free(outgoing->type);
    g_free(outgoing->name);
    g_bytes_unref(outgoing->content);
    g_free(outgoing);
}

static struct outgoing *outgoing_new(const char *type, const char *name, GBytes *content)
{
    struct outgoing *outgoing = g_new0(struct outgoing, 1);

    outgoing->type = g_strdup(type);
    outgoing->name = g_strdup(name);
    outgoing->content = content;
    return outgoing;
}

/* ---- What the channel takes: the limits in the endpoint's settings, from the adapter's data ---- */

static bool is_listed(const json_t *limits, const char *key, const char *type, gint64 size)
{
    const char *types = json_string_value(json_object_get(limits, key));

    return !types || media_type_listed(types, type, size);
}

/* Several attachments go out as several messages (core/parts): they need not fit into one together. */
static bool is_split(const json_t *limits)
{
    return endpoint_setting_int(limits, "split_media", 0) > 1;
}

/* One attachment, and what is to become of it. */
struct part {
    const struct mail_attachment *attachment;
    const char *type;   /* what it is */
    gint64 size, max;   /* max: of one such */
    const char *target; /* what it could become; NULL: it stays as it is in any case */
    bool must;          /* it is not taken as it is */
    bool change;
};

/* Of one attachment, where its kind has no limit of its own; where each is in a message of its own, what that carries. */
static gint64 largest(const json_t *limits)
{
    return is_split(limits) ? endpoint_setting_int(limits, "max_media_total", G_MAXINT32) : G_MAXINT32;
}

static void read_part(const struct mail_attachment *attachment, const json_t *limits, struct part *part)
{
    const char *sound_to = json_string_value(json_object_get(limits, "sound_to"));

    *part = (struct part){
        .attachment = attachment,
        .type = mail_attachment_type(attachment),
        .size = (gint64)g_bytes_get_size(attachment->content),
    };
    enum convert_kind kind = convert_kind_of(part->type);
    bool picture = kind == CONVERT_PICTURE;
    part->target = picture ? "image/jpeg" : kind == CONVERT_SOUND ? sound_to : NULL;
    if (!part->target)
        return;
    part->max = endpoint_setting_int(limits, picture ? "max_picture" : "max_sound", largest(limits));
    part->must = part->size > part->max || !is_listed(limits, picture ? "picture_types" : "sound_types", part->type, part->size);
}

/* ---- The room ---- */

struct plan {
    struct part *parts;
    guint count;
    gint64 room; /* bytes for each that is changed */
};

static gint64 others(const struct plan *plan, guint *changed)
{
    gint64 bytes = 0;

    *changed = 0;
    for (guint i = 0; i < plan->count; i++) {
        if (plan->parts[i].change)
            ++*changed;
        else
            bytes += plan->parts[i].size;
    }
    return bytes;
}

/* What is small enough for its share stays as it is, and leaves room to the others.  False: nothing stayed. */
static bool leave_small_ones(struct plan *plan)
{
    bool left = false;

    for (guint i = 0; i < plan->count; i++) {
        struct part *part = &plan->parts[i];
        if (part->change && !part->must && part->size <= plan->room) {
            part->change = false;
            left = true;
        }
    }
    return left;
}

static void share(struct plan *plan, gint64 max, gint64 aim)
{
    guint changed;

    do {
        gint64 taken = others(plan, &changed), all = taken + changed * MODEST > aim ? max : aim;
        plan->room = changed == 0 ? 0 : max <= 0 ? G_MAXINT32 : (all - taken) / changed;
    } while (changed > 0 && leave_small_ones(plan));
}

static void make_plan(struct plan *plan, const GPtrArray *attached, const json_t *limits)
{
    gint64 max = is_split(limits) ? 0 : endpoint_setting_int(limits, "max_media_total", 0), total = 0;

    plan->count = attached->len;
    plan->parts = g_new0(struct part, attached->len + 1);
    for (guint i = 0; i < plan->count; i++) {
        read_part(attached->pdata[i], limits, &plan->parts[i]);
        total += plan->parts[i].size;
    }
    for (guint i = 0; i < plan->count; i++)
        plan->parts[i].change = plan->parts[i].must || (max > 0 && total > max && plan->parts[i].target);
    share(plan, max, endpoint_setting_int(limits, "converted_total", max));
}

/* ---- The change ---- */

static char *name_as(const char *name, const char *type)
{
    static const char *const extensions[] = {"image/jpeg", "jpg", "audio/ogg", "ogg", "audio/mpeg", "mp3", "audio/mp4", "m4a"};
    const char *dot = name ? strrchr(name, '.') : NULL, *extension = "bin";
    g_autofree char *stem = !name || !*name ? g_strdup(g_str_has_prefix(type, "audio/") ? "sound" : "picture")
                            : dot && dot > name ? g_strndup(name, (gsize)(dot - name))
                                                : g_strdup(name);

    for (guint i = 0; i < G_N_ELEMENTS(extensions); i += 2)
        if (strcmp(extensions[i], type) == 0)
            extension = extensions[i + 1];
    return g_strconcat(stem, ".", extension, NULL);
}

static struct outgoing *change(const struct fit *fit, const struct part *part, gint64 room, gint64 until)
{
    g_autoptr(GError) error = NULL;
    GBytes *made = convert_medium(fit->program, part->attachment->content, part->target, (gsize)MIN(room, part->max),
                                  MAX(until - ump_clock_mono_us(), 0), &error);

    if (!made) {
        log_warning("queue", fit->ident, "type", part->type, "bytes", LOG_INT(part->size), "error", error->message, "status",
                    "not-converted");
        return NULL;
    }
    log_info("queue", fit->ident, "type", part->type, "bytes", LOG_INT(part->size), "to", part->target, "made",
             LOG_INT((gint64)g_bytes_get_size(made)), "status", "converted");
    g_autofree char *name = name_as(part->attachment->name, part->target);
    return outgoing_new(part->target, name, made);
}

GPtrArray *fit_attachments(const struct fit *fit, const GPtrArray *attached, const json_t *settings)
{
    const json_t *limits = json_object_get(settings, "limits");
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)outgoing_free);
    bool can = fit->program && *fit->program;
    struct plan plan = {0};
    const gint64 until = ump_clock_mono_us() + PATIENCE;

    make_plan(&plan, attached, limits);
    for (guint i = 0; i < plan.count; i++) {
        const struct part *part = &plan.parts[i];
        struct outgoing *outgoing = can && part->change && plan.room >= SMALLEST ? change(fit, part, plan.room, until) : NULL;
        g_ptr_array_add(all, outgoing ? outgoing : outgoing_new(part->type, part->attachment->name,
                                                                g_bytes_ref(part->attachment->content)));
    }
    g_free(plan.parts);
    return all;
}
