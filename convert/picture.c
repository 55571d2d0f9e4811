/* SPDX-License-Identifier: Apache-2.0 */
#include "convert/picture.h"

#include <vips/vips.h>

#define PIXELS_MAX (100 * 1000 * 1000.0) /* 100 megapixels: more is a bomb */

/* From good to just readable on a telephone; the first that fits. */
static const struct {
    int side, quality;
} steps[] = {{4096, 85}, {2560, 82}, {2048, 78}, {1600, 75}, {1280, 72}, {1024, 68}, {800, 62}, {640, 55}, {480, 50}, {320, 45}};

/* The size stands in the head: nothing is decoded before it is known to be sane. */
static int check_size(const void *data, size_t length, const char **why)
{
    VipsImage *image = vips_image_new_from_buffer(data, length, "", "access", VIPS_ACCESS_SEQUENTIAL, NULL);
    double pixels;

    if (!image) {
        *why = "it is no picture, or of a kind that is not known";
        return -1;
    }
    pixels = (double)vips_image_get_width(image) * vips_image_get_height(image);
    g_object_unref(image);
    if (pixels > PIXELS_MAX) {
        *why = "it has more than 100 megapixels";
        return -1;
    }
    return 0;
}

static int save(const void *data, size_t length, int side, int quality, void **out, size_t *out_length)
{
    VipsArrayDouble *white = vips_array_double_newv(1, 255.0); /* where it was transparent */
    VipsImage *image = NULL;
    int result = -1;

    if (vips_thumbnail_buffer((void *)data, length, &image, side, "height", side, "size", VIPS_SIZE_DOWN, "export_profile",
                              "srgb", NULL) == 0) {
        result = vips_jpegsave_buffer(image, out, out_length, "Q", quality, "strip", TRUE, "optimize_coding", TRUE,
                                      "background", white, NULL);
        g_object_unref(image);
    }
    vips_area_unref(VIPS_AREA(white));
    return result;
}

int picture_to_jpeg(const void *data, size_t length, size_t max, void **out, size_t *out_length, const char **why)
{
    if (check_size(data, length, why) < 0)
        return -1;
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (save(data, length, steps[i].side, steps[i].quality, out, out_length) != 0) {
            *why = "it is damaged";
            return -1;
        }
        if (*out_length <= max)
            return 0;
        g_free(*out);
    }
    *why = "it does not become that small";
    return -1;
}
