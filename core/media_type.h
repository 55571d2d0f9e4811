/* SPDX-License-Identifier: Apache-2.0 */
/* What a medium is, by its first bytes rather than by what a mail program called it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * "image/heic": the type that the bytes tell, where they tell one (pictures, and the sounds of phones and chat
 * networks); else the declared one under its usual name ("image/jpg" is "image/jpeg").  Ogg is audio/ogg only with
 * Opus in it, which is what networks mean by that; with Vorbis it is audio/vorbis.  Static or declared itself;
 * never NULL.
 */
const char *media_type_of(const char *declared, const void *data, size_t length);

/* Is the type among these, "image/jpeg image/webp:100000"?  A number is the largest of its type that counts, in bytes. */
bool media_type_listed(const char *types, const char *type, gint64 size);
