/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCard files (RFC 6350; versions 2.1 and 3.0 as phones export them): names, numbers, addresses.
 * Pure: bytes in, structs out.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct vcard {
    char *name;         /* FN, else put together from N, else ORG; NULL when there is none */
    GPtrArray *numbers; /* TEL values as written, char * */
    GPtrArray *mails;   /* EMAIL values, char * */
};

/* struct vcard * each; free with g_ptr_array_unref().  Never NULL; what is no vCard gives none. */
GPtrArray *vcard_parse(const char *text, size_t length);
