/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures: ISO/IEC 14496-12 and 23008-12 (brands after "ftyp"), RFC 4867 (AMR), RFC 7845 and the Vorbis I
 * specification (the first page of an Ogg stream has 28 bytes before its packet), RFC 9649 (WebP).
 */
#include "core/media_type.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

static const struct signature {
    size_t at;
    const char *bytes;
    size_t length;
    const char *type;
} signatures[] = {
    {0, "\xff\xd8\xff", 3, "image/jpeg"},
    {0, "\x89PNG\r\n\x1a\n", 8, "image/png"},
    {0, "GIF8", 4, "image/gif"},
    {8, "WEBPVP8", 7, "image/webp"},
    {0, "II*\0", 4, "image/tiff"},
    {0, "MM\0*", 4, "image/tiff"},
    {4, "ftypheic", 8, "image/heic"},
    {4, "ftypheix", 8, "image/heic"},
    {4, "ftypheim", 8, "image/heic"},
    {4, "ftypheis", 8, "image/heic"},
    {4, "ftyphevc", 8, "image/heic"},
    {4, "ftypmif1", 8, "image/heic"},
    {4, "ftypmsf1", 8, "image/heic"},
    {4, "ftypavif", 8, "image/avif"},
    {4, "ftypavis", 8, "image/avif"},
    {4, "ftypM4A ", 8, "audio/mp4"},
    {4, "ftypM4B ", 8, "audio/mp4"},
    {0, "#!AMR-WB\n", 9, "audio/amr-wb"},
    {0, "#!AMR\n", 6, "audio/amr"},
    {28, "OpusHead", 8, "audio/ogg"},
    {28, "\x01vorbis", 7, "audio/vorbis"},
    {0, "fLaC", 4, "audio/flac"},
    {8, "WAVEfmt ", 8, "audio/wav"},
    {0, "caff\0\1", 6, "audio/x-caf"},
};

static const struct {
    const char *name, *type;
} names[] = {
    {"image/jpg", "image/jpeg"},         {"image/pjpeg", "image/jpeg"},       {"image/x-png", "image/png"},
    {"image/heif", "image/heic"},        {"image/heic-sequence", "image/heic"}, {"image/heif-sequence", "image/heic"},
    {"audio/x-m4a", "audio/mp4"},        {"audio/m4a", "audio/mp4"},          {"audio/mp4a-latm", "audio/mp4"},
    {"audio/mp3", "audio/mpeg"},         {"audio/x-mp3", "audio/mpeg"},       {"audio/mpeg3", "audio/mpeg"},
    {"audio/x-aac", "audio/aac"},        {"audio/aacp", "audio/aac"},         {"audio/x-wav", "audio/wav"},
    {"audio/wave", "audio/wav"},         {"audio/vnd.wave", "audio/wav"},     {"audio/x-flac", "audio/flac"},
    {"audio/opus", "audio/ogg"},         {"audio/x-opus+ogg", "audio/ogg"},   {"audio/x-amr", "audio/amr"},
    {"audio/amr-nb", "audio/amr"},       {"audio/3gp", "audio/3gpp"},         {"audio/3gpp2", "audio/3gpp"},
};

const char *media_type_of(const char *declared, const void *data, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(signatures); i++) {
        const struct signature *s = &signatures[i];
        if (length >= s->at + s->length && memcmp((const char *)data + s->at, s->bytes, s->length) == 0)
            return s->type;
    }
    if (!declared)
        return "application/octet-stream";
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(declared, names[i].name) == 0)
            return names[i].type;
    return declared;
}

bool media_type_listed(const char *types, const char *type, gint64 size)
{
    g_auto(GStrv) known = g_strsplit(types, " ", -1);

    for (char **one = known; *one; one++) {
        char *colon = strchr(*one, ':');
        if (colon)
            *colon = '\0';
        if (g_ascii_strcasecmp(*one, type) == 0)
            return !colon || size <= g_ascii_strtoll(colon + 1, NULL, 10);
    }
    return false;
}
