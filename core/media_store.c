/* SPDX-License-Identifier: Apache-2.0 */
/* Content-addressed files: O_TMPFILE, fsync, linkat into DIR/ab/cd/<sha256>, fsync of the directory. */
#include "core/media_store.h"

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/hmac.h"
#include "core/ids.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define SHA_BYTES 32
#define FAN_PATH 8 /* "ab/cd" and the 0 */
#define NAME_PATH (FAN_PATH + MEDIA_SHA_TEXT)

struct media_store {
    int fd; /* of the directory */
    char *path;
    gint64 max_size;
};

struct media_writer {
    struct media_store *store;
    int fd;
    gint64 size;
    EVP_MD_CTX *digest;
};

/* Below the store and through no link: what stands in the database never leads out of it. */
static int open_beneath(const struct media_store *store, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)flags | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, store->fd, path, &how, sizeof how);
}

static bool is_sha(const char *sha)
{
    for (size_t i = 0; i < MEDIA_SHA_TEXT - 1; i++)
        if (!g_ascii_isdigit(sha[i]) && !(sha[i] >= 'a' && sha[i] <= 'f'))
            return false;
    return sha[MEDIA_SHA_TEXT - 1] == '\0';
}

static void path_of(const char *sha, char path[static NAME_PATH])
{
    snprintf(path, NAME_PATH, "%.2s/%.2s/%.64s", sha, sha + 2, sha);
}

struct media_store *media_store_open(const char *dir, gint64 max_size, GError **error)
{
    /* Programs of several users share the store by their group, whatever their umask. */
    if (mkdir(dir, 0770) != 0 ? errno != EEXIST : chmod(dir, 0770) != 0) {
        ump_error_errno(error, errno, "%s", dir);
        return NULL;
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        ump_error_errno(error, errno, "%s", dir);
        return NULL;
    }
    struct media_store *store = g_new0(struct media_store, 1);
    store->fd = fd;
    store->path = g_strdup(dir);
    store->max_size = max_size;
    return store;
}

void media_store_close(struct media_store *store)
{
    if (store == NULL)
        return;
    close(store->fd);
    g_free(store->path);
    g_free(store);
}

/* --- Writing --- */

struct media_writer *media_writer_new(struct media_store *store, GError **error)
{
    int fd = openat(store->fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0640);

    if (fd < 0 || fchmod(fd, 0640) != 0) {
        ump_error_errno(error, errno, "%s", store->path);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct media_writer *writer = g_new0(struct media_writer, 1);
    writer->store = store;
    writer->fd = fd;
    writer->digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(writer->digest, EVP_sha256(), NULL);
    return writer;
}

void media_writer_abort(struct media_writer *writer)
{
    if (writer == NULL)
        return;
    close(writer->fd);
    EVP_MD_CTX_free(writer->digest);
    g_free(writer);
}

int media_writer_write(struct media_writer *writer, const void *data, size_t length, GError **error)
{
    const char *p = data;

    if ((gint64)length > writer->store->max_size - writer->size) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_LIMIT, "larger than %" G_GINT64_FORMAT " bytes",
                    writer->store->max_size);
        return -1;
    }
    EVP_DigestUpdate(writer->digest, data, length);
    writer->size += (gint64)length;
    while (length > 0) {
        ssize_t n = write(writer->fd, p, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ump_error_errno(error, errno, "%s", writer->store->path);
        p += n;
        length -= (size_t)n;
    }
    return 0;
}

gint64 media_writer_size(const struct media_writer *writer)
{
    return writer->size;
}

/* Makes parent/name when absent, durably. */
static int make_directory(const struct media_store *store, const char *parent, const char *path, GError **error)
{
    if (mkdirat(store->fd, path, 0770) != 0)
        return errno == EEXIST ? 0 : ump_error_errno(error, errno, "%s/%s", store->path, path);
    if (fchmodat(store->fd, path, 0770, 0) != 0)
        return ump_error_errno(error, errno, "%s/%s", store->path, path);
    autofd int fd = open_beneath(store, parent, O_RDONLY | O_DIRECTORY);
    if (fd < 0 || fsync(fd) != 0)
        return ump_error_errno(error, errno, "%s/%s", store->path, parent);
    return 0;
}

static int sync_fan(const struct media_store *store, const char *fan, GError **error)
{
    autofd int fd = open_beneath(store, fan, O_RDONLY | O_DIRECTORY);

    if (fd < 0 || fsync(fd) != 0)
        return ump_error_errno(error, errno, "%s/%s", store->path, fan);
    return 0;
}

/* Gives the file its name: 0, 1 it is there already, -1. */
static int link_file(const struct media_store *store, int fd, const char *sha, GError **error)
{
    char path[NAME_PATH], fan[FAN_PATH], top[3], from[32];

    path_of(sha, path);
    snprintf(top, sizeof top, "%.2s", sha);
    snprintf(fan, sizeof fan, "%.2s/%.2s", sha, sha + 2);
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    bool known = false;
    if (linkat(AT_FDCWD, from, store->fd, path, AT_SYMLINK_FOLLOW) != 0) {
        if (errno == ENOENT) {
            if (make_directory(store, ".", top, error) != 0 || make_directory(store, top, fan, error) != 0)
                return -1;
            errno = 0;
            if (linkat(AT_FDCWD, from, store->fd, path, AT_SYMLINK_FOLLOW) != 0 && errno != EEXIST)
                return ump_error_errno(error, errno, "%s/%s", store->path, path);
            known = errno == EEXIST;
        } else if (errno == EEXIST) {
            known = true;
        } else {
            return ump_error_errno(error, errno, "%s/%s", store->path, path);
        }
    }
    /* Also when it was there: who made it may not have come to this line. */
    return sync_fan(store, fan, error) != 0 ? -1 : known;
}

static void digest_text(EVP_MD_CTX *digest, char sha[static MEDIA_SHA_TEXT])
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    unsigned size;

    EVP_DigestFinal_ex(digest, bytes, &size);
    g_autofree char *hex = hmac_hex(bytes, SHA_BYTES);
    memcpy(sha, hex, MEDIA_SHA_TEXT);
}

int media_writer_finish(struct media_writer *writer, char sha[static MEDIA_SHA_TEXT], GError **error)
{
    char name[MEDIA_SHA_TEXT];
    int result;

    digest_text(writer->digest, name);
    if (fsync(writer->fd) != 0)
        result = ump_error_errno(error, errno, "%s", writer->store->path);
    else
        result = link_file(writer->store, writer->fd, name, error);
    if (result >= 0)
        memcpy(sha, name, MEDIA_SHA_TEXT);
    media_writer_abort(writer);
    return result;
}

int media_store_put(struct media_store *store, const void *data, size_t length, char sha[static MEDIA_SHA_TEXT],
                    GError **error)
{
    struct media_writer *writer = media_writer_new(store, error);

    if (writer == NULL)
        return -1;
    if (media_writer_write(writer, data, length, error) != 0) {
        media_writer_abort(writer);
        return -1;
    }
    return media_writer_finish(writer, sha, error);
}

/* --- Reading --- */

int media_store_open_file(struct media_store *store, const char *sha, int *fd, gint64 *size, GError **error)
{
    char path[NAME_PATH];
    struct stat st;

    if (!is_sha(sha))
        return 1;
    path_of(sha, path);
    autofd int file = open_beneath(store, path, O_RDONLY | O_NONBLOCK);
    if (file < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 1;
    if (file < 0 || fstat(file, &st) != 0)
        return ump_error_errno(error, errno, "%s/%s", store->path, path);
    if (!S_ISREG(st.st_mode))
        return 1;
    *size = st.st_size;
    *fd = cleanup_steal_fd(&file);
    return 0;
}

static int read_all(int fd, char *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

GBytes *media_store_read(struct media_store *store, const char *sha, GError **error)
{
    autofd int fd = -1;
    gint64 size;

    int result = media_store_open_file(store, sha, &fd, &size, error);
    if (result > 0)
        g_set_error(error, UMP_ERROR, UMP_ERROR_NOT_FOUND, "there is no such content");
    if (result != 0)
        return NULL;
    char *data = g_malloc((gsize)size + 1);
    errno = 0;
    if (read_all(fd, data, (size_t)size) != 0) {
        ump_error_errno(error, errno != 0 ? errno : EIO, "%s/%s", store->path, sha);
        g_free(data);
        return NULL;
    }
    return g_bytes_new_take(data, (gsize)size);
}

bool media_store_has(struct media_store *store, const char *sha)
{
    autofd int fd = -1;
    gint64 size;

    return media_store_open_file(store, sha, &fd, &size, NULL) == 0;
}

int media_store_remove(struct media_store *store, const char *sha, GError **error)
{
    char path[NAME_PATH];

    if (!is_sha(sha))
        return 1;
    path_of(sha, path);
    if (unlinkat(store->fd, path, 0) == 0)
        return 0;
    return errno == ENOENT || errno == ENOTDIR ? 1 : ump_error_errno(error, errno, "%s/%s", store->path, path);
}

/* --- Walking --- */

/* The entries of one directory whose names have the given length, as hexadecimal digits. */
static GPtrArray *list_names(const struct media_store *store, const char *path, size_t length)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    int fd = open_beneath(store, path, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strlen(entry->d_name) == length && strspn(entry->d_name, "0123456789abcdef") == length)
            g_ptr_array_add(names, g_strdup(entry->d_name));
    if (dir != NULL)
        closedir(dir);
    return names;
}

static bool each_file(struct media_store *store, const char *fan, media_store_func func, void *data)
{
    g_autoptr(GPtrArray) names = list_names(store, fan, MEDIA_SHA_TEXT - 1);

    for (guint i = 0; i < names->len; i++) {
        const char *sha = g_ptr_array_index(names, i);
        struct stat st;
        char path[NAME_PATH];
        path_of(sha, path);
        if (fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            !func(sha, st.st_size, st.st_mtime, data))
            return false;
    }
    return true;
}

int media_store_each(struct media_store *store, media_store_func func, void *data, GError **error)
{
    g_autoptr(GPtrArray) tops = list_names(store, ".", 2);

    for (guint i = 0; i < tops->len; i++) {
        const char *top = g_ptr_array_index(tops, i);
        g_autoptr(GPtrArray) fans = list_names(store, top, 2);
        for (guint k = 0; k < fans->len; k++) {
            char fan[FAN_PATH];
            snprintf(fan, sizeof fan, "%.2s/%.2s", top, (const char *)g_ptr_array_index(fans, k));
            if (!each_file(store, fan, func, data))
                return 0;
        }
    }
    return 0;
}

/* --- Tokens --- */

char *media_token_make(const struct ids_keys *keys, const char *sha, uint8_t kind, gint64 expires_us)
{
    struct ids_token token = {.kind = kind, .expires = (expires_us + CLOCK_SECOND - 1) / CLOCK_SECOND};
    size_t size = SHA_BYTES;

    if (!is_sha(sha) || !hmac_unhex(sha, strlen(sha), token.subject, &size))
        return NULL;
    token.subject_length = size;
    return ids_token_make(keys, IDS_MEDIA, &token);
}

int media_token_verify(const struct ids_keys *keys, const char *text, gint64 now_us, char sha[static MEDIA_SHA_TEXT],
                       uint8_t *kind)
{
    struct ids_token token;

    enum ids_token_result result = ids_token_verify(keys, IDS_MEDIA, text, strlen(text), now_us, &token);
    if (result == IDS_TOKEN_INVALID || token.subject_length != SHA_BYTES)
        return IDS_TOKEN_INVALID;
    g_autofree char *hex = hmac_hex(token.subject, SHA_BYTES);
    memcpy(sha, hex, MEDIA_SHA_TEXT);
    if (kind != NULL)
        *kind = token.kind;
    return result;
}
