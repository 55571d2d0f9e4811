/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Automatic clean-up of foreign handles: g_autoptr() for what the libraries hand out, autofd for
 * file descriptors.  The one place where the rules of ownership of other libraries meet GLib's.
 *
 *     g_autoptr(json_t) root = json_loadb(...);
 *     autofd int fd = open(...);
 */
#pragma once

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <glib.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

typedef struct curl_slist curl_slist;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PGresult, PQclear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PGconn, PQfinish)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURL, curl_easy_cleanup)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURLU, curl_url_cleanup)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(curl_slist, curl_slist_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FILE, fclose)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DIR, closedir)

/* Closes *fd unless it is negative; errno is kept. */
static inline void cleanup_close_fd(int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
        *fd = -1;
    }
}

/* Takes the descriptor out of an autofd variable. */
static inline int cleanup_steal_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define autofd __attribute__((cleanup(cleanup_close_fd)))
