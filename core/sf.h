/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured field values (RFC 9651): lists and dictionaries, with Dates and Display Strings.
 * Strict, as the RFC asks: the whole field fails when any of it is wrong.  Pure.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum sf_type {
    SF_INTEGER, /* .integer */
    SF_DECIMAL, /* .integer, thousandths */
    SF_STRING,  /* .text */
    SF_TOKEN,   /* .text */
    SF_BYTES,   /* .text, .length (a 0 follows) */
    SF_BOOLEAN, /* .integer 0 or 1 */
    SF_DATE,    /* .integer, seconds since 1970 */
    SF_DISPLAY, /* .text, UTF-8 */
    SF_INNER    /* .items: an inner list */
};

struct sf_value {
    enum sf_type type;
    gint64 integer;
    char *text;
    size_t length;
};

struct sf_param {
    char *key;
    struct sf_value value;
};

struct sf_item {
    char *key;            /* in a dictionary; else NULL */
    struct sf_value value;
    GArray *items;        /* SF_INNER: of struct sf_item; else NULL */
    GArray *params;       /* of struct sf_param; NULL when there are none */
};

/* A list or a dictionary: its members in order.  A key given twice counts once, the last value. */
struct sf {
    GArray *members; /* of struct sf_item; NULL when empty */
};

void sf_clear(struct sf *sf);
typedef struct sf sf_t; /* g_auto(sf_t) sf = {0}; */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(sf_t, sf_clear)

/* False: malformed; *out unchanged.  text must be unfolded; an empty one is an empty field. */
bool sf_parse_dictionary(const char *text, size_t length, struct sf *out);
bool sf_parse_list(const char *text, size_t length, struct sf *out);
/* One bare or parametrised item; free with sf_clear(): its one member. */
bool sf_parse_item(const char *text, size_t length, struct sf *out);

guint sf_count(const struct sf *sf);
const struct sf_item *sf_member(const struct sf *sf, guint index);
/* NULL when absent. */
const struct sf_item *sf_get(const struct sf *dictionary, const char *key);
/* The text of a string, token or display string; NULL when absent or of another type. */
const char *sf_get_text(const struct sf *dictionary, const char *key);
/* An integer; fallback when absent or of another type. */
gint64 sf_get_integer(const struct sf *dictionary, const char *key, gint64 fallback);
bool sf_get_boolean(const struct sf *dictionary, const char *key, bool fallback);

/* The whole, in canonical form.  NULL when a value cannot be expressed (bad key, non-ASCII string
 * …). */
char *sf_serialise_dictionary(const struct sf *sf);
char *sf_serialise_list(const struct sf *sf);

/*
 * Writing without a tree: sf_put_key() begins a member of a dictionary (with ", " before it unless
 * out is empty), then one value.  sf_put_text() writes a String when text is printable ASCII, else
 * a Display String (what is not UTF-8 is replaced).
 */
void sf_put_key(GString *out, const char *key);
void sf_put_text(GString *out, const char *text);
void sf_put_token(GString *out, const char *token); /* a String when it is no token */
void sf_put_integer(GString *out, gint64 value);
void sf_put_boolean(GString *out, bool value);
void sf_put_bytes(GString *out, const void *data, size_t length);
bool sf_is_key(const char *text);
bool sf_is_token(const char *text);
