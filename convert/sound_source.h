/* SPDX-License-Identifier: Apache-2.0 */
/* Sound as FFmpeg reads it out of memory. */
#pragma once

#include <glib.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdbool.h>

struct sound_source {
    const guint8 *data; /* borrowed */
    gint64 length, at;
    AVFormatContext *format;
    AVCodecContext *codec;
    int stream;
    AVPacket *packet;
    bool drained; /* the decoder has been told that nothing follows */
};

/* 0; -1: no sound that is known here, or damaged.  sound_source_clear() in any case. */
int sound_source_open(struct sound_source *source, const void *data, gsize length);
void sound_source_clear(struct sound_source *source);

/* Length in seconds, by a walk over all packets, after which the source is at its beginning again; -1: it has none. */
double sound_source_measure(struct sound_source *source);

/* 1: frame holds the next samples; 0: there are no more; -1: damaged. */
int sound_source_next(struct sound_source *source, AVFrame *frame);
