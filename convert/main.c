/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ump-convert TYPE MAX: a picture or sound on standard input becomes one of TYPE (image/jpeg, audio/ogg, audio/mpeg,
 * audio/mp4) of at most MAX bytes on standard output.  Started by ump-lmtp for one attachment; what strangers made is
 * decoded here and nowhere else, in a process that can do nothing but compute.  Exit 0; 1: one sentence on standard
 * error says why not.  --check: whether the sandbox holds here.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vips/vips.h>

#include "convert/picture.h"
#include "convert/sandbox.h"
#include "convert/sound.h"

#define INPUT_MAX (64 * 1024 * 1024)
#define OUTPUT_MAX (2U * 1024 * 1024 * 1024 - 1)

static int fail(const char *why)
{
    fprintf(stderr, "%s\n", why);
    return EXIT_FAILURE;
}

/* What is odd about a picture that can be read all the same: standard error holds our sentence alone. */
static void ignore(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
}

/* All of standard input; NULL: too much, or unreadable. */
static GByteArray *read_input(void)
{
    GByteArray *input = g_byte_array_new();
    guint8 buffer[65536];
    ssize_t n;

    while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || input->len + (size_t)n > INPUT_MAX) {
            g_byte_array_unref(input);
            return NULL;
        }
        g_byte_array_append(input, buffer, (guint)n);
    }
    return input;
}

static int write_output(const void *data, size_t length)
{
    for (const char *p = data; length > 0;) {
        ssize_t n = write(STDOUT_FILENO, p, length);
        if (n < 0 && errno != EINTR)
            return -1;
        p += MAX(n, 0);
        length -= (size_t)MAX(n, 0);
    }
    return 0;
}

static bool can_fork(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    return child > 0;
}

static bool can_make_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

/* What a taken-over decoder would try first. */
static int check_sandbox(void)
{
    char *const nothing[] = {NULL};
    struct stat st;
    const struct {
        const char *what;
        bool done;
    } tries[] = {
        {"open a file", open("/etc/passwd", O_RDONLY) >= 0},
        {"look at a file", stat("/etc/passwd", &st) == 0},
        {"make a file", open("/tmp/ump-convert-check", O_WRONLY | O_CREAT, 0600) >= 0},
        {"make a socket", socket(AF_INET, SOCK_STREAM, 0) >= 0},
        {"make a local socket", socket(AF_UNIX, SOCK_STREAM, 0) >= 0},
        {"start a process", can_fork()},
        {"start a program", execve("/bin/true", nothing, nothing) == 0},
        {"signal another process", kill(1, 0) == 0},
        {"change a file", unlink("/tmp/ump-convert-check") == 0},
        {"make code", can_make_code()},
    };
    int status = EXIT_SUCCESS;

    for (size_t i = 0; i < G_N_ELEMENTS(tries); i++)
        if (tries[i].done) {
            printf("the sandbox lets it %s\n", tries[i].what);
            status = EXIT_FAILURE;
        }
    if (status == EXIT_SUCCESS)
        printf("the sandbox holds\n");
    return status;
}

/* Everything that is loaded must be, before the sandbox closes.  False: *why. */
static bool start_pictures(const char **why)
{
    static const char *const loaders[] = {"VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp",
                                          "VipsForeignLoadHeif", "VipsForeignLoadTiff", "VipsForeignLoadNsgif"};

    setenv("VIPS_NOVECTOR", "1", 1); /* it would write code */
    *why = "libvips does not start";
    if (vips_init("ump-convert") != 0)
        return false;
    vips_operation_block_set("VipsForeignLoad", TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(loaders); i++)
        vips_operation_block_set(loaders[i], FALSE);
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    return true;
}

static int convert(const char *type, size_t max)
{
    GByteArray *input = read_input();
    const char *why = NULL;
    void *out = NULL;
    size_t length = 0;
    int done;

    if (!input)
        return fail("it cannot be read, or is larger than 64 MiB");
    if (sound_is_target(type))
        done = sound_convert(input->data, input->len, type, max, &out, &length, &why);
    else
        done = picture_to_jpeg(input->data, input->len, max, &out, &length, &why);
    g_byte_array_unref(input);
    if (done < 0)
        return fail(why);
    done = write_output(out, length);
    g_free(out);
    return done < 0 ? fail("it cannot be written") : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *why = NULL;
    bool check = argc == 2 && strcmp(argv[1], "--check") == 0;
    bool sound = argc == 3 && sound_is_target(argv[1]), picture = argc == 3 && strcmp(argv[1], "image/jpeg") == 0;
    guint64 max = 0;

    if (!check && !((sound || picture) && g_ascii_string_to_unsigned(argv[2], 10, 1, OUTPUT_MAX, &max, NULL))) {
        fprintf(stderr, "usage: ump-convert TYPE MAX <MEDIUM >CONVERTED, ump-convert --check\n");
        return 64;
    }
    closefrom(STDERR_FILENO + 1);
    g_log_set_default_handler(ignore, NULL);
    if (!sound && !start_pictures(&why))
        return fail(why);
    if (!sandbox_enter(&why)) {
        fprintf(stderr, "the sandbox is refused: %s\n", why);
        return EXIT_FAILURE;
    }
    return check ? check_sandbox() : convert(argv[1], (size_t)max);
}
