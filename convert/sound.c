/* SPDX-License-Identifier: Apache-2.0 */
/* libavcodec's and libavformat's own documentation of 5.1: avcodec_send_frame(), av_write_frame(), swr_convert_frame(). */
#include "convert/sound.h"

#include <glib.h>
#include <libavutil/audio_fifo.h>
#include <libswresample/swresample.h>
#include <string.h>

#include "convert/sound_source.h"

#define IO_BYTES 16384
#define OVERHEAD 0.92 /* what the container leaves of a size */
#define SECONDS_MAX (60 * 60)

static const struct target {
    const char *type, *format, *codec;
    enum AVSampleFormat samples;
    int rate, mono_bits, stereo_bits; /* bits per second, where the size allows them */
    int least_bits;                   /* below that nothing is understood */
} targets[] = {
    {"audio/ogg", "ogg", "libopus", AV_SAMPLE_FMT_FLT, 48000, 32000, 64000, 8000},
    {"audio/mpeg", "mp3", "libmp3lame", AV_SAMPLE_FMT_FLTP, 24000, 48000, 64000, 16000},
    {"audio/mp4", "ipod", "aac", AV_SAMPLE_FMT_FLTP, 44100, 64000, 96000, 24000},
};

struct sink {
    GByteArray *bytes;
    gint64 at;
    gsize max;
    bool full;
    AVFormatContext *format;
    AVCodecContext *codec;
    SwrContext *resampler;
    AVAudioFifo *fifo;
    AVFrame *frame;
    AVPacket *packet;
    gint64 written; /* samples */
};

static int refuse(const char **why, const char *sentence)
{
    *why = sentence;
    return -1;
}

static const struct target *find_target(const char *type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++)
        if (strcmp(targets[i].type, type) == 0)
            return &targets[i];
    return NULL;
}

bool sound_is_target(const char *type)
{
    return find_target(type) != NULL;
}

/* ---- Where it is written: memory that grows ---- */

static int write_bytes(void *opaque, uint8_t *buffer, int size)
{
    struct sink *sink = opaque;
    gint64 end = sink->at + size;

    if (end > (gint64)sink->max) {
        sink->full = true;
        return AVERROR(ENOSPC);
    }
    if (end > (gint64)sink->bytes->len)
        g_byte_array_set_size(sink->bytes, (guint)end);
    memcpy(sink->bytes->data + sink->at, buffer, (size_t)size);
    sink->at = end;
    return size;
}

static int64_t seek_bytes(void *opaque, int64_t offset, int whence)
{
    struct sink *sink = opaque;
    gint64 length = sink->bytes->len, base = whence == SEEK_CUR ? sink->at : whence == SEEK_END ? length : 0;

    if (whence == AVSEEK_SIZE)
        return length;
    if (offset < -base || offset > length - base)
        return AVERROR(EINVAL);
    sink->at = base + offset;
    return sink->at;
}

/* ---- Opening ---- */

static int open_codec(struct sink *sink, const struct target *target, const struct sound_source *source, gint64 bits)
{
    const AVCodec *encoder = avcodec_find_encoder_by_name(target->codec);
    int channels = MIN(source->codec->ch_layout.nb_channels, 2);

    if (!encoder)
        return -1;
    sink->codec = avcodec_alloc_context3(encoder);
    sink->codec->sample_fmt = target->samples;
    sink->codec->sample_rate = target->rate;
    sink->codec->bit_rate = bits;
    sink->codec->thread_count = 1;
    sink->codec->time_base = (AVRational){1, target->rate};
    av_channel_layout_default(&sink->codec->ch_layout, bits < 2 * target->least_bits ? 1 : channels);
    if (sink->format->oformat->flags & AVFMT_GLOBALHEADER)
        sink->codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    return avcodec_open2(sink->codec, encoder, NULL);
}

static int open_format(struct sink *sink, const struct target *target)
{
    unsigned char *buffer = av_malloc(IO_BYTES);

    if (avformat_alloc_output_context2(&sink->format, NULL, target->format, NULL) < 0) {
        av_free(buffer);
        return -1;
    }
    sink->format->pb = avio_alloc_context(buffer, IO_BYTES, 1, sink, NULL, write_bytes, seek_bytes);
    sink->format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    return 0;
}

static int open_stream(struct sink *sink)
{
    AVStream *stream = avformat_new_stream(sink->format, NULL);

    if (!stream || avcodec_parameters_from_context(stream->codecpar, sink->codec) < 0)
        return -1;
    stream->time_base = sink->codec->time_base;
    return avformat_write_header(sink->format, NULL);
}

static int open_resampler(struct sink *sink, const struct sound_source *source)
{
    const AVCodecContext *to = sink->codec, *from = source->codec;
    AVChannelLayout layout = {0};
    int code;

    if (from->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&layout, from->ch_layout.nb_channels);
    else
        av_channel_layout_copy(&layout, &from->ch_layout);
    code = swr_alloc_set_opts2(&sink->resampler, (AVChannelLayout *)&to->ch_layout, to->sample_fmt, to->sample_rate, &layout, from->sample_fmt,
                               from->sample_rate, 0, NULL);
    av_channel_layout_uninit(&layout);
    if (code < 0 || swr_init(sink->resampler) < 0)
        return -1;
    sink->fifo = av_audio_fifo_alloc(to->sample_fmt, to->ch_layout.nb_channels, to->sample_rate);
    return sink->fifo ? 0 : -1;
}

static int open_sink(struct sink *sink, const struct target *target, const struct sound_source *source, gint64 bits,
                     size_t max)
{
    *sink = (struct sink){.bytes = g_byte_array_new(), .max = max};
    sink->frame = av_frame_alloc();
    sink->packet = av_packet_alloc();
    if (open_format(sink, target) < 0 || open_codec(sink, target, source, bits) < 0 || open_stream(sink) < 0)
        return -1;
    return open_resampler(sink, source);
}

static void clear_sink(struct sink *sink)
{
    AVIOContext *io = sink->format ? sink->format->pb : NULL;

    if (sink->fifo)
        av_audio_fifo_free(sink->fifo);
    swr_free(&sink->resampler);
    avcodec_free_context(&sink->codec);
    avformat_free_context(sink->format);
    if (io) {
        av_freep(&io->buffer);
        avio_context_free(&io);
    }
    av_frame_free(&sink->frame);
    av_packet_free(&sink->packet);
    g_byte_array_unref(sink->bytes);
}

/* ---- Encoding ---- */

/* frame NULL: nothing follows. */
static int encode(struct sink *sink, AVFrame *frame)
{
    int code = avcodec_send_frame(sink->codec, frame);

    while (code >= 0) {
        code = avcodec_receive_packet(sink->codec, sink->packet);
        if (code == AVERROR(EAGAIN) || code == AVERROR_EOF)
            return 0;
        if (code >= 0) {
            av_packet_rescale_ts(sink->packet, sink->codec->time_base, sink->format->streams[0]->time_base);
            sink->packet->stream_index = 0;
            code = av_interleaved_write_frame(sink->format, sink->packet);
        }
        av_packet_unref(sink->packet);
        if (code >= 0 && sink->full)
            return -1;
    }
    return code;
}

/* Encodes what has gathered, in frames of the size that the encoder wants; all: the rest too. */
static int encode_gathered(struct sink *sink, bool all)
{
    int frame_size = sink->codec->frame_size > 0 ? sink->codec->frame_size : 1024;

    while (av_audio_fifo_size(sink->fifo) >= (all ? 1 : frame_size)) {
        AVFrame *frame = sink->frame;
        int n = MIN(av_audio_fifo_size(sink->fifo), frame_size), code;
        frame->nb_samples = n;
        frame->format = sink->codec->sample_fmt;
        frame->sample_rate = sink->codec->sample_rate;
        av_channel_layout_copy(&frame->ch_layout, &sink->codec->ch_layout);
        code = av_frame_get_buffer(frame, 0);
        if (code >= 0 && av_audio_fifo_read(sink->fifo, (void **)frame->extended_data, n) == n) {
            frame->pts = sink->written;
            sink->written += n;
            code = encode(sink, frame);
        }
        av_frame_unref(frame);
        if (code < 0)
            return code;
    }
    return 0;
}

/* Samples of the source, converted, behind those that wait; in NULL: what the resampler still holds. */
static int gather(struct sink *sink, const AVFrame *in)
{
    int room = swr_get_out_samples(sink->resampler, in ? in->nb_samples : 0), n;
    uint8_t **out = NULL;

    if (room <= 0)
        return room;
    if (av_samples_alloc_array_and_samples(&out, NULL, sink->codec->ch_layout.nb_channels, room, sink->codec->sample_fmt, 0) < 0)
        return -1;
    n = swr_convert(sink->resampler, out, room, in ? (const uint8_t **)in->extended_data : NULL, in ? in->nb_samples : 0);
    if (n > 0 && av_audio_fifo_write(sink->fifo, (void **)out, n) < n)
        n = -1;
    av_freep(&out[0]);
    av_freep(&out);
    return n;
}

/* A stream whose form changes midway would be read with the wrong one. */
static bool is_same_form(const struct sound_source *source, const AVFrame *frame)
{
    return frame->sample_rate == source->codec->sample_rate && frame->format == source->codec->sample_fmt &&
           frame->ch_layout.nb_channels == source->codec->ch_layout.nb_channels;
}

/* 0; 1: larger than it may be; -1: the source is damaged. */
static int transcode(struct sink *sink, struct sound_source *source)
{
    AVFrame *frame = av_frame_alloc();
    const gint64 most = (gint64)SECONDS_MAX * sink->codec->sample_rate;
    int code;

    while ((code = sound_source_next(source, frame)) > 0) {
        code = is_same_form(source, frame) && sink->written < most ? gather(sink, frame) : -1;
        av_frame_unref(frame);
        if (code < 0 || (code = encode_gathered(sink, false)) < 0)
            break;
    }
    av_frame_free(&frame);
    if (code == 0 && (code = gather(sink, NULL)) >= 0 && (code = encode_gathered(sink, true)) >= 0 &&
        (code = encode(sink, NULL)) >= 0)
        code = av_write_trailer(sink->format);
    avio_flush(sink->format->pb);
    return sink->full ? 1 : code < 0 || sink->written == 0 ? -1 : 0;
}

/* 0; 1: larger than it may be; -1. */
static int attempt(const void *data, size_t length, const struct target *target, gint64 bits, size_t max, void **out,
                   size_t *out_length, const char **why)
{
    struct sound_source source;
    struct sink sink = {0};
    int code;

    if (sound_source_open(&source, data, length) < 0) {
        sound_source_clear(&source);
        return refuse(why, "it is no sound, or of a kind that is not known");
    }
    if (open_sink(&sink, target, &source, bits, max) < 0) {
        code = sink.full ? 1 : refuse(why, "the encoder does not start");
    } else if ((code = transcode(&sink, &source)) < 0) {
        refuse(why, "it is damaged");
    } else if (code == 0) {
        *out_length = sink.bytes->len;
        *out = g_memdup2(sink.bytes->data, sink.bytes->len);
    }
    clear_sink(&sink);
    sound_source_clear(&source);
    return code;
}

static int measure(const void *data, size_t length, double *seconds, int *channels, const char **why)
{
    struct sound_source source;
    int code = 0;

    if (sound_source_open(&source, data, length) < 0) {
        code = refuse(why, "it is no sound, or of a kind that is not known");
    } else {
        *channels = source.codec->ch_layout.nb_channels;
        *seconds = sound_source_measure(&source);
        if (*seconds <= 0)
            code = refuse(why, "it is damaged");
        else if (*seconds > SECONDS_MAX)
            code = refuse(why, "it is longer than an hour");
    }
    sound_source_clear(&source);
    return code;
}

int sound_convert(const void *data, size_t length, const char *type, size_t max, void **out, size_t *out_length,
                  const char **why)
{
    const struct target *target = find_target(type);
    double seconds = 0, room;
    int channels = 1, code = 1;

    av_log_set_level(AV_LOG_QUIET);
    if (measure(data, length, &seconds, &channels, why) < 0)
        return -1;
    room = (double)max * 8 * OVERHEAD / seconds;
    for (gint64 bits = channels > 1 ? target->stereo_bits : target->mono_bits; code > 0 && bits >= target->least_bits;
         bits = bits * 3 / 4)
        if ((double)bits <= room)
            code = attempt(data, length, target, bits, max, out, out_length, why);
    return code > 0 ? refuse(why, "it does not become that small") : code;
}
