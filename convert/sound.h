/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Is it a type that sound can become: "audio/ogg" (Opus), "audio/mpeg" (MP3), "audio/mp4" (AAC)? */
bool sound_is_target(const char *type);

/*
 * The first sound in data (AMR, AAC, M4A, 3GP, Ogg, MP3, WAV, FLAC, CAF, WebM) as type, of at most max bytes, without
 * tags, pictures and chapters; its rate of bits becomes lower only as far as the size wants that.  0: *out is g_free'd
 * by the caller; -1: *why says what is wrong.
 */
int sound_convert(const void *data, size_t length, const char *type, size_t max, void **out, size_t *out_length,
                  const char **why);
