/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/web/web_check.h"

#include <glib.h>
#include <string.h>

/* Digits alone: no sign, no list, no blank. */
static bool parse_digits(const char *text, size_t length, uint64_t *out)
{
    uint64_t n = 0;

    if (length == 0 || length > 18)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(text[i] - '0');
    }
    *out = n;
    return true;
}

void web_head_add(struct web_head *head, const char *name, const char *value)
{
    if (!value)
        value = "";
    head->headers++;
    if (strlen(name) + strlen(value) > WEB_MAX_HEADER)
        head->too_long = true;
    if (g_ascii_strcasecmp(name, "Content-Length") == 0) {
        head->content_lengths++;
        if (!parse_digits(value, strlen(value), &head->content_length))
            head->malformed = true;
    } else if (g_ascii_strcasecmp(name, "Transfer-Encoding") == 0) {
        head->transfer_encodings++;
        if (g_ascii_strcasecmp(value, "chunked") != 0)
            head->not_chunked = true;
    } else if (g_ascii_strcasecmp(name, "Content-Encoding") == 0) {
        if (*value && g_ascii_strcasecmp(value, "identity") != 0)
            head->encoded = true;
    }
}

enum web_check web_head_check(const struct web_head *head, uint64_t max_body)
{
    if (head->malformed || head->content_lengths > 1 || head->transfer_encodings > 1 ||
        (head->content_lengths > 0 && head->transfer_encodings > 0))
        return WEB_CHECK_BAD;
    if (head->not_chunked)
        return WEB_CHECK_TRANSFER;
    if (head->headers > WEB_MAX_HEADERS || head->too_long)
        return WEB_CHECK_HEADERS;
    if (head->encoded)
        return WEB_CHECK_ENCODING;
    if (head->content_length > max_body)
        return WEB_CHECK_TOO_LARGE;
    return WEB_CHECK_OK;
}

unsigned web_check_status(enum web_check check)
{
    static const unsigned codes[] = { 200, 400, 431, 415, 413, 400 };
    return (unsigned)check < G_N_ELEMENTS(codes) ? codes[check] : 400;
}

bool web_path_uuid(const char *path, const char *prefix, char id[static 37])
{
    size_t skip = strlen(prefix);

    if (strncmp(path, prefix, skip) != 0)
        return false;
    path += skip;
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? path[i] != '-' : !g_ascii_isxdigit(path[i]))
            return false;
        id[i] = g_ascii_tolower(path[i]);
    }
    id[36] = '\0';
    return path[36] == '\0' || (path[36] == '/' && path[37] == '\0');
}

bool web_forwarded_for(const char *value, char out[static 64])
{
    const char *last = strrchr(value, ',');
    size_t length;

    last = last ? last + 1 : value;
    last += strspn(last, " \t");
    length = strcspn(last, " \t");
    if (length == 0 || length > 63 || last[length + strspn(last + length, " \t")] != '\0')
        return false;
    memcpy(out, last, length);
    out[length] = '\0';
    return true;
}

int web_range(const char *value, uint64_t size, uint64_t *from, uint64_t *length)
{
    const char *dash;
    uint64_t first = 0, last = 0;
    bool has_first, has_last;

    if (strncmp(value, "bytes=", 6) != 0 || strchr(value, ','))
        return 0;
    value += 6;
    dash = strchr(value, '-');
    if (!dash)
        return 0;
    has_first = parse_digits(value, (size_t)(dash - value), &first);
    has_last = parse_digits(dash + 1, strlen(dash + 1), &last);
    if ((!has_first && dash != value) || (!has_last && dash[1] != '\0') || (!has_first && !has_last))
        return 0;
    if (!has_first) { /* the last n bytes */
        if (last == 0 || size == 0)
            return -1;
        *length = MIN(last, size);
        *from = size - *length;
        return 1;
    }
    if (first >= size)
        return -1;
    if (has_last && last < first)
        return 0;
    *from = first;
    *length = (has_last ? MIN(last, size - 1) : size - 1) - first + 1;
    return 1;
}
