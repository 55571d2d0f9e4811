/* SPDX-License-Identifier: Apache-2.0 */
/* libavformat's and libavcodec's own documentation of 5.1: avformat_open_input(), avcodec_send_packet(). */
#include "convert/sound_source.h"

#include <string.h>

#define IO_BYTES 16384
#define FORMATS "mov,ogg,amr,amrnb,amrwb,aac,mp3,wav,flac,caf,matroska"
#define CODECS "aac,amrnb,amrwb,opus,libopus,vorbis,mp3,mp3float,flac,alac,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s32le,pcm_f32le," \
               "pcm_u8,pcm_mulaw,pcm_alaw,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt"

static int read_bytes(void *opaque, uint8_t *buffer, int size)
{
    struct sound_source *source = opaque;
    gint64 n = MIN((gint64)size, source->length - source->at);

    if (n <= 0)
        return AVERROR_EOF;
    memcpy(buffer, source->data + source->at, (size_t)n);
    source->at += n;
    return (int)n;
}

static int64_t seek_bytes(void *opaque, int64_t offset, int whence)
{
    struct sound_source *source = opaque;
    gint64 base = whence == SEEK_CUR ? source->at : whence == SEEK_END ? source->length : 0;

    if (whence == AVSEEK_SIZE)
        return source->length;
    if (offset < -base || offset > source->length - base)
        return AVERROR(EINVAL);
    source->at = base + offset;
    return source->at;
}

static int open_format(struct sound_source *source)
{
    unsigned char *buffer = av_malloc(IO_BYTES);
    AVIOContext *io = avio_alloc_context(buffer, IO_BYTES, 0, source, read_bytes, NULL, seek_bytes);
    AVDictionary *options = NULL;
    int code;

    source->format = avformat_alloc_context();
    source->format->pb = io;
    source->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    av_dict_set(&options, "format_whitelist", FORMATS, 0);
    av_dict_set(&options, "codec_whitelist", CODECS, 0);
    av_dict_set(&options, "protocol_whitelist", "", 0);
    code = avformat_open_input(&source->format, "", NULL, &options); /* on failure it frees the context, not its I/O */
    av_dict_free(&options);
    if (code < 0) {
        av_freep(&io->buffer);
        avio_context_free(&io);
    }
    return code;
}

static int open_codec(struct sound_source *source)
{
    const AVCodec *decoder = NULL;

    if (avformat_find_stream_info(source->format, NULL) < 0)
        return -1;
    source->stream = av_find_best_stream(source->format, AVMEDIA_TYPE_AUDIO, -1, -1, &decoder, 0);
    if (source->stream < 0 || !decoder)
        return -1;
    for (unsigned i = 0; i < source->format->nb_streams; i++)
        if ((int)i != source->stream)
            source->format->streams[i]->discard = AVDISCARD_ALL;
    source->codec = avcodec_alloc_context3(decoder);
    source->codec->thread_count = 1;
    source->codec->pkt_timebase = source->format->streams[source->stream]->time_base;
    if (avcodec_parameters_to_context(source->codec, source->format->streams[source->stream]->codecpar) < 0 ||
        avcodec_open2(source->codec, decoder, NULL) < 0)
        return -1;
    return source->codec->sample_rate > 0 && source->codec->ch_layout.nb_channels > 0 ? 0 : -1;
}

int sound_source_open(struct sound_source *source, const void *data, gsize length)
{
    *source = (struct sound_source){.data = data, .length = (gint64)length, .stream = -1};
    source->packet = av_packet_alloc();
    return open_format(source) < 0 ? -1 : open_codec(source);
}

void sound_source_clear(struct sound_source *source)
{
    AVIOContext *io = source->format ? source->format->pb : NULL;

    avcodec_free_context(&source->codec);
    avformat_close_input(&source->format);
    if (io) {
        av_freep(&io->buffer);
        avio_context_free(&io);
    }
    av_packet_free(&source->packet);
}

double sound_source_measure(struct sound_source *source)
{
    double base = av_q2d(source->format->streams[source->stream]->time_base);
    gint64 sum = 0;

    while (av_read_frame(source->format, source->packet) >= 0) {
        if (source->packet->stream_index == source->stream && source->packet->duration > 0)
            sum += MIN(source->packet->duration, G_MAXINT64 / 2 - sum);
        av_packet_unref(source->packet);
    }
    if (avformat_seek_file(source->format, source->stream, G_MININT64, 0, 0, 0) < 0 &&
        av_seek_frame(source->format, -1, 0, AVSEEK_FLAG_BYTE) < 0)
        return -1;
    avcodec_flush_buffers(source->codec);
    return sum > 0 ? (double)sum * base : -1;
}

int sound_source_next(struct sound_source *source, AVFrame *frame)
{
    for (;;) {
        int code = avcodec_receive_frame(source->codec, frame);
        if (code >= 0)
            return 1;
        if (code == AVERROR_EOF)
            return 0;
        if (code != AVERROR(EAGAIN))
            return -1;
        code = av_read_frame(source->format, source->packet);
        if (code == AVERROR_EOF && !source->drained) {
            source->drained = true;
            avcodec_send_packet(source->codec, NULL);
            continue;
        }
        if (code < 0)
            return code == AVERROR_EOF ? 0 : -1;
        if (source->packet->stream_index == source->stream && avcodec_send_packet(source->codec, source->packet) < 0) {
            av_packet_unref(source->packet);
            return -1;
        }
        av_packet_unref(source->packet);
    }
}
