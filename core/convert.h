/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachments that a channel does not carry as they are: made into such that it does by ump-convert, a process of its
 * own for each, which can do nothing but compute (convert/).
 */
#pragma once

#include <glib.h>

enum convert_kind { CONVERT_NOTHING, CONVERT_PICTURE, CONVERT_SOUND };

/* Whether a medium of this type (core/media_type.h) can be made smaller, or another type, without loss of what it says:
 * no animations, drawings or films. */
enum convert_kind convert_kind_of(const char *type);

/* The medium as type ("image/jpeg" of a picture; "audio/ogg", "audio/mpeg", "audio/mp4" of a sound), of at most max
 * bytes; NULL with error (UMP_ERROR_INVALID: its sentence says what is wrong with the medium; UMP_ERROR_UNAVAILABLE:
 * the program does not work).  Blocks: two at a time run, others wait; who runs longer than time_us is killed. */
GBytes *convert_medium(const char *program, GBytes *medium, const char *type, gsize max, gint64 time_us, GError **error);
