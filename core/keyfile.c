/* SPDX-License-Identifier: Apache-2.0 */
/* Key files: parse strictly, generate, rotate. */
#include "core/keyfile.h"

#include "core/cleanup.h"
#include "core/error.h"
#include "core/hmac.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>

#define KEYFILE_MAX_BYTES 65536

static const char *const KEYFILE_COMMENT =
    "# The first key signs or encrypts, all of them verify or decrypt.\n";

static void take_token(const char **p, const char *end, const char **token, size_t *length)
{
    while (*p < end && (**p == ' ' || **p == '\t'))
        (*p)++;
    *token = *p;
    while (*p < end && **p != ' ' && **p != '\t')
        (*p)++;
    *length = (size_t)(*p - *token);
}

static bool is_key_id(const char *text, size_t length)
{
    if (length < 1 || length > 16)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_islower(text[i]) && !g_ascii_isdigit(text[i]))
            return false;
    return true;
}

/* One line; what is wrong with it, or NULL. */
static const char *parse_line(struct keyfile *keyfile, const char *p, const char *end)
{
    const char *id, *hex, *rest;
    size_t id_length, hex_length, rest_length, size = KEYFILE_KEY_SIZE;

    take_token(&p, end, &id, &id_length);
    if (id_length == 0 || *id == '#')
        return NULL;
    take_token(&p, end, &hex, &hex_length);
    take_token(&p, end, &rest, &rest_length);
    if (!is_key_id(id, id_length))
        return "a key id has 1 to 16 of a-z and 0-9";
    if (rest_length != 0 || hex_length != 2 * KEYFILE_KEY_SIZE)
        return "a key has 64 hexadecimal digits";
    if (keyfile_find(keyfile, id, id_length) != NULL)
        return "this key id stands there twice";
    if (keyfile->count == KEYFILE_MAX_KEYS)
        return "too many keys";
    struct keyfile_key *key = &keyfile->keys[keyfile->count];
    if (!hmac_unhex(hex, hex_length, key->key, &size) || size != KEYFILE_KEY_SIZE)
        return "a key has 64 hexadecimal digits";
    memcpy(key->id, id, id_length);
    keyfile->count++;
    return NULL;
}

struct keyfile *keyfile_parse(const char *text, size_t length, const char *name, GError **error)
{
    g_autoptr(keyfile_t) keyfile = g_new0(struct keyfile, 1);
    const char *end = text + length;
    int line = 1;

    for (const char *p = text; p < end; line++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        const char *next = stop != NULL ? stop + 1 : end;
        if (stop == NULL)
            stop = end;
        if (stop > p && stop[-1] == '\r')
            stop--;
        const char *wrong = parse_line(keyfile, p, stop);
        if (wrong != NULL) {
            g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "%s:%d: %s", name, line, wrong);
            return NULL;
        }
        p = next;
    }
    if (keyfile->count == 0) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "%s: holds no key", name);
        return NULL;
    }
    return g_steal_pointer(&keyfile);
}

/* The whole file; refuses what others may read. */
static char *read_private(const char *path, size_t *length, struct stat *st, GError **error)
{
    autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, st) != 0) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "%s: %s", path, g_strerror(errno));
        return NULL;
    }
    if (!S_ISREG(st->st_mode) || st->st_size > KEYFILE_MAX_BYTES) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "%s: is no key file", path);
        return NULL;
    }
    if ((st->st_mode & 07) != 0) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG,
                    "%s: everyone may read or write it (mode %04o); chmod it to 0640", path,
                    (unsigned)(st->st_mode & 07777));
        return NULL;
    }
    g_autofree char *text = g_malloc0((size_t)st->st_size + 1);
    size_t have = 0;
    while (have < (size_t)st->st_size) {
        ssize_t n = read(fd, text + have, (size_t)st->st_size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    *length = have;
    return g_steal_pointer(&text);
}

static void wipe(char *text, size_t length)
{
    if (text != NULL)
        OPENSSL_cleanse(text, length);
    g_free(text);
}

struct keyfile *keyfile_load(const char *path, GError **error)
{
    size_t length = 0;
    struct stat st;
    char *text = read_private(path, &length, &st, error);

    if (text == NULL)
        return NULL;
    struct keyfile *keyfile = keyfile_parse(text, length, path, error);
    wipe(text, length);
    return keyfile;
}

void keyfile_free(struct keyfile *keyfile)
{
    if (keyfile != NULL)
        OPENSSL_cleanse(keyfile, sizeof *keyfile);
    g_free(keyfile);
}

const struct keyfile_key *keyfile_find(const struct keyfile *keyfile, const char *id, size_t length)
{
    for (guint i = 0; i < keyfile->count; i++)
        if (strlen(keyfile->keys[i].id) == length && memcmp(keyfile->keys[i].id, id, length) == 0)
            return &keyfile->keys[i];
    return NULL;
}

/* --- Writing --- */

static int random_key(struct keyfile_key *key, GError **error)
{
    uint8_t id[4];

    if (RAND_bytes(key->key, sizeof key->key) != 1 || RAND_bytes(id, sizeof id) != 1) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_FAILED, "no random bytes");
        return -1;
    }
    snprintf(key->id, sizeof key->id, "k%02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
    return 0;
}

static GString *format_keys(const struct keyfile *keyfile)
{
    GString *text = g_string_new(KEYFILE_COMMENT);

    for (guint i = 0; i < keyfile->count; i++) {
        char *hex = hmac_hex(keyfile->keys[i].key, KEYFILE_KEY_SIZE);
        g_string_append_printf(text, "%s %s\n", keyfile->keys[i].id, hex);
        wipe(hex, strlen(hex));
    }
    return text;
}

static int sync_directory(const char *path, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    autofd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        return ump_error_errno(error, errno, "%s", dir);
    return 0;
}

static int fill_file(int fd, const char *path, const struct keyfile *keyfile, gid_t gid, mode_t mode,
                     GError **error)
{
    GString *text = format_keys(keyfile);
    ssize_t n = write(fd, text->str, text->len);
    bool whole = n == (ssize_t)text->len;
    int errnum = n < 0 ? errno : ENOSPC;

    OPENSSL_cleanse(text->str, text->len);
    g_string_free(text, TRUE);
    if (!whole)
        return ump_error_errno(error, errnum, "%s", path);
    if ((gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid) != 0) || fchmod(fd, mode) != 0 || fsync(fd) != 0)
        return ump_error_errno(error, errno, "%s", path);
    return 0;
}

int keyfile_generate(const char *path, gid_t gid, GError **error)
{
    g_autoptr(keyfile_t) keyfile = g_new0(struct keyfile, 1);

    autofd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return 1;
    if (fd < 0)
        return ump_error_errno(error, errno, "%s", path);
    keyfile->count = 1;
    if (random_key(&keyfile->keys[0], error) != 0 ||
        fill_file(fd, path, keyfile, gid, 0640, error) != 0) {
        unlink(path);
        return -1;
    }
    return sync_directory(path, error);
}

int keyfile_rotate(const char *path, guint keep, GError **error)
{
    struct stat st;
    g_autoptr(keyfile_t) keyfile = keyfile_load(path, error);

    if (keyfile == NULL)
        return -1;
    if (stat(path, &st) != 0)
        return ump_error_errno(error, errno, "%s", path);
    guint limit = keep == 0 || keep > KEYFILE_MAX_KEYS ? KEYFILE_MAX_KEYS : keep;
    guint old = MIN(keyfile->count, limit - 1);
    memmove(&keyfile->keys[1], &keyfile->keys[0], old * sizeof keyfile->keys[0]);
    memset(&keyfile->keys[0], 0, sizeof keyfile->keys[0]);
    keyfile->count = old + 1;
    if (random_key(&keyfile->keys[0], error) != 0)
        return -1;

    g_autofree char *temporary = g_strconcat(path, ".new", NULL);
    unlink(temporary);
    autofd int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return ump_error_errno(error, errno, "%s", temporary);
    if (fill_file(fd, temporary, keyfile, st.st_gid, st.st_mode & 0750, error) != 0) {
        unlink(temporary);
        return -1;
    }
    if (rename(temporary, path) != 0)
        return ump_error_errno(error, errno, "%s", path);
    return sync_directory(path, error);
}
