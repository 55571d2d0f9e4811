/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/media_url.h"

#include <string.h>

#include "core/media_store.h"

/* The place in the table is what tokens hold: append only. */
static const struct {
    const char *type, *extension;
} types[] = {
    { "application/octet-stream", "" },
    { "image/jpeg", ".jpg" },
    { "image/png", ".png" },
    { "image/gif", ".gif" },
    { "image/webp", ".webp" },
    { "image/heic", ".heic" },
    { "image/bmp", ".bmp" },
    { "image/tiff", ".tif" },
    { "audio/mpeg", ".mp3" },
    { "audio/mp4", ".m4a" },
    { "audio/ogg", ".ogg" },
    { "audio/amr", ".amr" },
    { "audio/wav", ".wav" },
    { "audio/aac", ".aac" },
    { "audio/3gpp", ".3ga" },
    { "video/mp4", ".mp4" },
    { "video/3gpp", ".3gp" },
    { "video/quicktime", ".mov" },
    { "video/webm", ".webm" },
    { "application/pdf", ".pdf" },
    { "text/plain", ".txt" },
    { "text/vcard", ".vcf" },
    { "text/x-vcard", ".vcf" },
    { "text/calendar", ".ics" },
    { "application/zip", ".zip" },
    { "application/msword", ".doc" },
    { "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx" },
    { "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx" },
    { "application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx" },
    { "video/mpeg", ".mpg" },
    { "image/svg+xml", ".svg" },
};

uint8_t media_url_type_code(const char *type)
{
    for (gsize i = 1; type && i < G_N_ELEMENTS(types); i++)
        if (g_ascii_strcasecmp(type, types[i].type) == 0)
            return (uint8_t)i;
    return 0;
}

const char *media_url_type_name(uint8_t code)
{
    return types[code < G_N_ELEMENTS(types) ? code : 0].type;
}

const char *media_url_type_extension(uint8_t code)
{
    return types[code < G_N_ELEMENTS(types) ? code : 0].extension;
}

char *media_url_make(const struct ids_keys *ids, const char *public_url, const char *sha, const char *type,
                     gint64 expires)
{
    g_autofree char *token = media_token_make(ids, sha, media_url_type_code(type), expires);

    return g_strdup_printf("%s/media/%s", public_url ? public_url : "", token);
}
