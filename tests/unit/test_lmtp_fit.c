/* SPDX-License-Identifier: Apache-2.0 */
/* Which attachments are converted, to what, and how much room each gets; a small program notes what it is asked. */
#include "lmtp/fit.h"

#include <signal.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

#define MMS "{\"limits\":{\"max_media\":10,\"max_media_total\":1000000,\"converted_total\":600000," \
            "\"picture_types\":\"image/jpeg image/png image/gif\",\"sound_types\":\"audio/mpeg audio/amr\"," \
            "\"sound_to\":\"audio/mpeg\"}}"
#define CLOUD "{\"limits\":{\"max_media\":1,\"max_media_total\":100000000,\"picture_types\":\"image/jpeg image/png image/webp:100000\"," \
              "\"max_picture\":5000000,\"sound_types\":\"audio/ogg audio/mp4\",\"sound_to\":\"audio/ogg\",\"max_sound\":16000000}}"
#define OLD "{\"limits\":{\"max_media\":10,\"max_media_total\":1000000}}"

struct input {
    const char *type, *name;
    gsize size;
};

struct row {
    const char *what, *settings;
    struct input in[4];
    const char *out[4]; /* "type name asked-for-bytes"; "same": as it came */
};

static const struct row rows[] = {
    {"small ones stay", MMS, {{"image/jpeg", "a.jpg", 900000}}, {"same"}},
    {"a strange type", MMS, {{"image/heic", "IMG_1.HEIC", 4000000}}, {"image/jpeg IMG_1.jpg 600000"}},
    {"a strange type, small", MMS, {{"image/webp", "s.webp", 1000}}, {"image/jpeg s.jpg 600000"}},
    {"too large", MMS, {{"image/jpeg", "a.jpeg", 1000001}}, {"image/jpeg a.jpg 600000"}},
    {"two large ones share", MMS, {{"image/jpeg", "a.jpg", 2000000}, {"image/png", "b.png", 2000000}},
     {"image/jpeg a.jpg 300000", "image/jpeg b.jpg 300000"}},
    {"a small one leaves room", MMS, {{"image/jpeg", "a.jpg", 2000000}, {"image/png", "b.png", 100000}},
     {"image/jpeg a.jpg 500000", "same"}},
    {"what cannot change takes its room", MMS, {{"application/pdf", "c.pdf", 400000}, {"image/jpeg", "a.jpg", 2000000}},
     {"same", "image/jpeg a.jpg 200000"}},
    {"and the whole limit where the aim leaves none", MMS, {{"application/pdf", "c.pdf", 600000}, {"image/heic", "a.heic", 9000}},
     {"same", "image/jpeg a.jpg 400000"}},
    {"no room at all", MMS, {{"application/pdf", "c.pdf", 1100000}, {"image/jpeg", "a.jpg", 20000}}, {"same", "same"}},
    {"sound", MMS, {{"audio/ogg", "voice.opus", 30000}, {"audio/amr", "old.amr", 20000}},
     {"audio/mpeg voice.mp3 580000", "same"}},
    {"sound, too large", MMS, {{"audio/mpeg", "song.mp3", 3000000}}, {"audio/mpeg song.mp3 600000"}},
    {"a film stays", MMS, {{"video/mp4", "v.mp4", 3000000}}, {"same"}},
    {"an animation stays", MMS, {{"image/gif", "v.gif", 3000000}}, {"same"}},
    {"AMR on WhatsApp", CLOUD, {{"audio/amr", "note.amr", 20000}}, {"audio/ogg note.ogg 16000000"}},
    {"M4A on WhatsApp", CLOUD, {{"audio/x-m4a", "note.m4a", 20000}}, {"same"}},
    {"a large picture on WhatsApp", CLOUD, {{"image/jpeg", "a.jpg", 5000001}}, {"image/jpeg a.jpg 5000000"}},
    {"a sticker on WhatsApp", CLOUD, {{"image/webp", "s.webp", 100000}}, {"same"}},
    {"a photograph in WebP on WhatsApp", CLOUD, {{"image/webp", "s.webp", 100001}}, {"image/jpeg s.jpg 5000000"}},
    {"limits of an older release", OLD, {{"image/heic", "a.heic", 5000}, {"audio/amr", "b.amr", 50}}, {"same", "same"}},
    {"the same, too large", OLD, {{"image/heic", "a.heic", 5000000}}, {"image/jpeg a.jpg 1000000"}},
    {"no limits", "{}", {{"image/heic", "a.heic", 50000000}}, {"same"}},
};

static GPtrArray *attachments_of(const struct row *row)
{
    GPtrArray *attached = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(row->in) && row->in[i].type; i++) {
        struct mail_attachment *attachment = g_new0(struct mail_attachment, 1);
        attachment->type = (char *)row->in[i].type;
        attachment->name = (char *)row->in[i].name;
        attachment->content = g_bytes_new_take(g_malloc0(row->in[i].size), row->in[i].size);
        g_ptr_array_add(attached, attachment);
    }
    return attached;
}

static void check_row(const struct row *row, const char *program)
{
    const struct fit fit = {program, "queue"};
    json_t *settings = json_loads(row->settings, 0, NULL);
    GPtrArray *attached = attachments_of(row), *out = fit_attachments(&fit, attached, settings);

    print_message("%s\n", row->what);
    assert_int_equal(out->len, attached->len);
    for (guint i = 0; i < out->len; i++) {
        struct mail_attachment *attachment = attached->pdata[i];
        const struct outgoing *outgoing = out->pdata[i];
        bool same = !program || strcmp(row->out[i], "same") == 0;
        if (same) {
            assert_ptr_equal(outgoing->content, attachment->content);
            assert_string_equal(outgoing->name, attachment->name);
        } else {
            gsize length;
            const char *asked = g_bytes_get_data(outgoing->content, &length);
            g_autofree char *text = g_strdup_printf("%s %s %.*s", outgoing->type, outgoing->name, (int)length, asked);
            assert_string_equal(text, row->out[i]);
        }
        g_bytes_unref(attachment->content);
        g_free(attachment);
    }
    g_ptr_array_unref(out);
    g_ptr_array_unref(attached);
    json_decref(settings);
}

static void test_plans(void **state)
{
    g_autofree char *dir = unit_new_dir(), *program = g_build_filename(dir, "convert", NULL);

    signal(SIGPIPE, SIG_IGN);
    assert_true(g_file_set_contents(program, "#!/bin/sh\n/bin/cat >/dev/null\nprintf '%s' \"$2\"\n", -1, NULL));
    assert_int_equal(chmod(program, 0700), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        check_row(&rows[i], program);
    unit_remove_dir(g_steal_pointer(&dir));
}

/* Switched off, or failing, it leaves all as it came. */
static void test_without_a_program(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        check_row(&rows[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plans), cmocka_unit_test(test_without_a_program)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
