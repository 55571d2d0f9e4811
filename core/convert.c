/* SPDX-License-Identifier: Apache-2.0 */
#include "core/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/cond.h"
#include "core/error.h"

#define AT_ONCE 2
#define WORDS_MAX 500

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t free;
    int running;
} slots = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void slots_init(void)
{
    cond_init(&slots.free);
}

/* False: no slot was free until then (monotonic µs). */
static bool enter(gint64 until)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, slots_init);
    pthread_mutex_lock(&slots.mutex);
    while (slots.running >= AT_ONCE && cond_wait_until(&slots.free, &slots.mutex, until))
        ;
    bool free = slots.running < AT_ONCE;
    slots.running += free;
    pthread_mutex_unlock(&slots.mutex);
    return free;
}

static void leave(void)
{
    pthread_mutex_lock(&slots.mutex);
    slots.running--;
    pthread_cond_signal(&slots.free);
    pthread_mutex_unlock(&slots.mutex);
}

enum convert_kind convert_kind_of(const char *type)
{
    static const char *const pictures[] = {"image/jpeg", "image/png", "image/webp", "image/heic", "image/avif", "image/tiff",
                                           NULL};
    static const char *const sounds[] = {"audio/amr",  "audio/amr-wb", "audio/mp4", "audio/aac",  "audio/ogg",
                                         "audio/vorbis", "audio/mpeg", "audio/wav", "audio/flac", "audio/x-caf",
                                         "audio/3gpp", "audio/webm", NULL};
    g_autofree char *lower = type ? g_ascii_strdown(type, -1) : g_strdup("");

    if (g_strv_contains(pictures, lower))
        return CONVERT_PICTURE;
    return g_strv_contains(sounds, lower) ? CONVERT_SOUND : CONVERT_NOTHING;
}

/* One run of the program. */
struct run {
    pid_t pid;
    int in, out, err; /* our ends; -1: closed */
    const char *data;
    gsize left, max;
    gint64 until; /* monotonic µs */
    GByteArray *made, *words;
};

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Pipes whose ends no other child of ours inherits; theirs[i] become 0, 1 and 2 of the program. */
static int start(struct run *run, const char *program, char *const *argv)
{
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    posix_spawn_file_actions_t actions;
    char *const environment[] = {(char *)"LC_ALL=C.UTF-8", NULL};
    int result = 0;

    for (int i = 0; i < 3 && result == 0; i++)
        result = pipe2(pipes[i], O_CLOEXEC) < 0 ? errno : 0;
    if (result == 0) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, pipes[0][0], STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, pipes[1][1], STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, pipes[2][1], STDERR_FILENO);
        result = posix_spawn(&run->pid, program, &actions, NULL, argv, environment);
        posix_spawn_file_actions_destroy(&actions);
    }
    close_end(&pipes[0][0]);
    close_end(&pipes[1][1]);
    close_end(&pipes[2][1]);
    run->in = pipes[0][1];
    run->out = pipes[1][0];
    run->err = pipes[2][0];
    return result;
}

static void feed(struct run *run)
{
    ssize_t n = write(run->in, run->data, run->left);

    if (n > 0) {
        run->data += n;
        run->left -= (gsize)n;
    }
    if (run->left == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&run->in);
}

/* False: it says more than it may. */
static bool drain(int *fd, GByteArray *into, gsize max)
{
    guint8 buffer[32768];
    ssize_t n = read(*fd, buffer, sizeof buffer);

    if (n > 0)
        g_byte_array_append(into, buffer, (guint)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_end(fd);
    return into->len <= max;
}

enum talk { TALK_GOOD, TALK_LATE, TALK_TOO_MUCH };

/* Until both of its outputs are closed. */
static enum talk converse(struct run *run)
{
    bool good = true;

    for (int *fd = &run->in; fd <= &run->err; fd++)
        fcntl(*fd, F_SETFL, O_NONBLOCK);
    while (good && (run->out >= 0 || run->err >= 0)) {
        struct pollfd ends[3] = {{run->in, POLLOUT, 0}, {run->out, POLLIN, 0}, {run->err, POLLIN, 0}};
        gint64 left = run->until - ump_clock_mono_us();
        int ready = left > 0 ? poll(ends, 3, (int)(left / 1000) + 1) : 0;
        if (ready == 0)
            return TALK_LATE;
        if (run->in >= 0 && ends[0].revents)
            feed(run);
        if (run->out >= 0 && ends[1].revents)
            good = drain(&run->out, run->made, run->max);
        if (good && run->err >= 0 && ends[2].revents)
            good = drain(&run->err, run->words, WORDS_MAX);
    }
    return good ? TALK_GOOD : TALK_TOO_MUCH;
}

static void set_error(GError **error, const struct run *run, enum talk talk, int status)
{
    if (talk == TALK_LATE)
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "it takes too long");
    else if (talk == TALK_TOO_MUCH)
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "ump-convert says more than it may");
    else if (WIFEXITED(status) && run->words->len > 0)
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "%.*s", (int)strcspn((const char *)run->words->data, "\n"), run->words->data);
    else if (WIFSIGNALED(status))
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "ump-convert was ended by signal %d", WTERMSIG(status));
    else
        g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "ump-convert ended with %d and said nothing", WEXITSTATUS(status));
}

/* The program has closed its outputs, or is to end: it has a second for it, and is ended then. */
static int reap(pid_t pid, bool now)
{
    int status = 0, fd = now ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd end = {fd, POLLIN, 0};

    if (now || (fd >= 0 && poll(&end, 1, 1000) <= 0))
        kill(pid, SIGKILL);
    close_end(&fd);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static GBytes *run_once(const char *program, GBytes *medium, const char *type, gsize max, gint64 until, GError **error)
{
    g_autofree char *limit = g_strdup_printf("%" G_GSIZE_FORMAT, max);
    char *const argv[] = {(char *)"ump-convert", (char *)type, limit, NULL};
    struct run run = {.max = max, .until = until, .made = g_byte_array_new(), .words = g_byte_array_new()};
    GBytes *made = NULL;
    int status = 0;

    run.data = g_bytes_get_data(medium, &run.left);
    int result = start(&run, program, argv);
    if (result != 0) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_UNAVAILABLE, "%s: %s", program, g_strerror(result));
    } else {
        enum talk talk = converse(&run);
        status = reap(run.pid, talk != TALK_GOOD);
        if (talk == TALK_GOOD && WIFEXITED(status) && WEXITSTATUS(status) == 0 && run.made->len > 0) {
            made = g_byte_array_free_to_bytes(g_steal_pointer(&run.made));
        } else {
            g_byte_array_append(run.words, (const guint8 *)"", 1);
            run.words->len--;
            set_error(error, &run, talk, status);
        }
    }
    close_end(&run.in);
    close_end(&run.out);
    close_end(&run.err);
    if (run.made)
        g_byte_array_unref(run.made);
    g_byte_array_unref(run.words);
    return made;
}

GBytes *convert_medium(const char *program, GBytes *medium, const char *type, gsize max, gint64 time_us, GError **error)
{
    gint64 until = ump_clock_mono_us() + time_us;
    GBytes *made;

    if (time_us <= 0 || !enter(until)) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_INVALID, "it takes too long");
        return NULL;
    }
    made = run_once(program, medium, type, max, until, error);
    leave();
    return made;
}
