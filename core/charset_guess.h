/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The charset of a text that does not say it, or says a wrong one: by how its bytes are distributed.
 */
#pragma once

#include <stddef.h>

/* A name for iconv; never NULL ("windows-1252" when nothing better fits).  The text must not be valid UTF-8. Linear. */
const char *charset_guess(const char *data, size_t len);
