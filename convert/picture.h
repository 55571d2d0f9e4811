/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/*
 * A picture of any format that libvips trusts (JPEG, PNG, WebP, GIF, TIFF, HEIC, AVIF) as a JPEG of at most max bytes:
 * turned upright, in sRGB, without EXIF (and so without the place where it was taken), as large as fits.
 * What breaks off in the middle is shown as far as it goes.  0: *out is malloc'd, g_free; -1: *why says what is wrong.
 */
int picture_to_jpeg(const void *data, size_t length, size_t max, void **out, size_t *out_length, const char **why);
