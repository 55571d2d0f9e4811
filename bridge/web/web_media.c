/* SPDX-License-Identifier: Apache-2.0 */
/* GET /media/<token>: what providers fetch and recipients open.  Never rendered in our origin. */
#include <string.h>
#include <unistd.h>

#include "bridge/media_url.h"
#include "bridge/metrics.h"
#include "bridge/web/web_check.h"
#include "bridge/web/web_internal.h"
#include "core/clock.h"
#include "core/cleanup.h"
#include "core/log.h"

static void describe(struct MHD_Response *response, uint8_t kind, const char *sha)
{
    g_autofree char *disposition =
        g_strdup_printf("attachment; filename=\"%.12s%s\"", sha, media_url_type_extension(kind));
    g_autofree char *tag = g_strdup_printf("\"%s\"", sha);

    MHD_add_response_header(response, "Content-Type", media_url_type_name(kind));
    MHD_add_response_header(response, "Content-Disposition", disposition);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Content-Security-Policy", "default-src 'none'; sandbox");
    MHD_add_response_header(response, "Cache-Control", "private, max-age=3600");
    MHD_add_response_header(response, "ETag", tag);
    MHD_add_response_header(response, "Accept-Ranges", "bytes");
}

static enum MHD_Result send_file(struct MHD_Connection *connection, int fd, uint64_t size, uint8_t kind, const char *sha)
{
    const char *wanted = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Range");
    uint64_t from = 0, length = size;
    int part = wanted ? web_range(wanted, size, &from, &length) : 0;
    g_autofree char *range = NULL;
    struct MHD_Response *response;
    enum MHD_Result result;

    if (part < 0) {
        close(fd);
        return web_reply(connection, 416, "there is no such part\n", false);
    }
    response = MHD_create_response_from_fd_at_offset64(length, fd, from); /* closes fd */
    if (!response) {
        close(fd);
        return MHD_NO;
    }
    describe(response, kind, sha);
    if (part > 0) {
        range = g_strdup_printf("bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, from,
                                from + length - 1, size);
        MHD_add_response_header(response, "Content-Range", range);
    }
    result = MHD_queue_response(connection, part > 0 ? 206 : 200, response);
    MHD_destroy_response(response);
    metrics_inc(METRIC_MEDIA_SERVED);
    return result;
}

enum MHD_Result web_media(struct web *web, struct MHD_Connection *connection, const char *token)
{
    g_autoptr(GError) error = NULL;
    char sha[MEDIA_SHA_TEXT];
    uint8_t kind = 0;
    gint64 size = 0;
    int fd = -1, found;

    switch (media_token_verify(web->bridge->ids, token, ump_clock_now_us(), sha, &kind)) {
    case IDS_TOKEN_OK:
        break;
    case IDS_TOKEN_EXPIRED:
        return web_reply(connection, 410, "this link has expired\n", false);
    default:
        return web_reply(connection, 404, "nothing is here\n", false);
    }
    found = media_store_open_file(web->bridge->media, sha, &fd, &size, &error);
    if (found > 0)
        return web_reply(connection, 404, "it is no longer kept\n", false);
    if (found < 0) {
        log_error("media", sha, "error", error->message, "status", "unreadable");
        return web_reply(connection, 503, "cannot be read now\n", false);
    }
    return send_file(connection, fd, (uint64_t)size, kind, sha);
}
