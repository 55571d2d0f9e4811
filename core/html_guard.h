/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of an HTML text may be given to the tree builder: it is quadratic in unclosed formatting elements and in
 * attributes of one tag, and frees its tree by recursion.  One linear pass.
 */
#pragma once

#include <stddef.h>

/* Length of the prefix that stays within the limits (1 MiB, 400 levels, 60 open formatting elements, 100 attributes
 * in a tag, 60,000 tags); len when all of it does. */
size_t html_guard(const char *html, size_t len);
