/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media of the WhatsApp Cloud API.  Out: POST /<phone number id>/media as multipart/form-data gives
 * an id that lives for a month.  In: GET /<media id> says for five minutes where the bytes are; that
 * address wants the token too.
 */
#include "bridge/channels/whatsapp_cloud.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/error.h"

/* "audio/ogg" → itself; what is no type would end the header. */
static const char *safe_type(const char *type)
{
    size_t length = type ? strlen(type) : 0;

    return length > 0 && length < 100 &&
                   strspn(type, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.+-_") == length
               ? type
               : "application/octet-stream";
}

static char *safe_name(const char *name)
{
    char *safe = g_strdup(name && *name ? name : "file");

    for (char *p = safe; *p; p++)
        if ((guchar)*p < ' ' || *p == '"' || *p == '\\')
            *p = '_';
    return safe;
}

/* 32 hex digits of the content's own hash: they stand in no content by chance, and the request stays the same. */
static char *boundary_of(const struct ump_media *media)
{
    return g_strdup_printf("ump-%.32s", media->sha256 && strlen(media->sha256) >= 32 ? media->sha256
                                                                                   : "5b3ff8a0d6f94c0f9a1d8f6f0f0f3c7e");
}

int whatsapp_build_upload(const struct ump_media *media, const struct channel_endpoint *endpoint,
                          struct channel_request *request, GError **error)
{
    g_autofree char *boundary = boundary_of(media), *name = safe_name(media->name), *type = NULL;
    const char *mime = safe_type(media->type);
    GByteArray *body;
    gsize size;
    const guint8 *data;

    if (!media->content)
        return channel_refuse(error, "the attachment is no longer kept");
    request->url = whatsapp_url(endpoint, "media", error);
    if (!request->url || whatsapp_authorize(endpoint, request, error) < 0)
        return -1;
    data = g_bytes_get_data(media->content, &size);
    g_autofree char *head = g_strdup_printf(
        "--%s\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n"
        "--%s\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\n%s\r\n"
        "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\nContent-Type: %s\r\n\r\n",
        boundary, boundary, mime, boundary, name, mime);
    g_autofree char *tail = g_strdup_printf("\r\n--%s--\r\n", boundary);
    body = g_byte_array_sized_new((guint)(size + strlen(head) + strlen(tail)));
    g_byte_array_append(body, (const guint8 *)head, (guint)strlen(head));
    g_byte_array_append(body, data, (guint)size);
    g_byte_array_append(body, (const guint8 *)tail, (guint)strlen(tail));
    request->body = g_byte_array_free_to_bytes(body);
    type = g_strdup_printf("multipart/form-data; boundary=%s", boundary);
    channel_request_header(request, "Content-Type", type);
    request->timeout_ms = 120000;
    return 0;
}

char *whatsapp_parse_upload(const struct http_response *response, const struct channel_endpoint *endpoint,
                            struct channel_result *result)
{
    g_autoptr(json_t) root = channel_answer_json(response);
    char *id = response->status == 200 ? channel_json_text(root, "id") : NULL;

    if (id && strlen(id) <= 200)
        return id;
    g_free(id);
    if (response->curl_code == 0 && response->status != 200)
        whatsapp_read_refusal(response, endpoint, root, result);
    return NULL;
}

char *whatsapp_parse_media_location(const char *body, size_t length, GError **error)
{
    g_autoptr(json_t) root = NULL;
    char *url;

    if (channel_json_load(body, length, &root, error) != CHANNEL_PARSED)
        return NULL;
    url = channel_json_text(root, "url");
    if (!url)
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_INVALID, "the description of the medium does not say where it is");
    return url;
}

int whatsapp_media_auth(const struct channel_endpoint *endpoint, GPtrArray *headers, const char *const **auth_hosts)
{
    static const char *const hosts[] = {"graph.facebook.com", "lookaside.fbsbx.com", NULL};
    const char *token = channel_secret(endpoint, "access_token");

    if (token)
        g_ptr_array_add(headers, g_strdup_printf("Authorization: Bearer %s", token));
    *auth_hosts = hosts;
    return 0;
}
