/* SPDX-License-Identifier: Apache-2.0 */
/* A QR code for a terminal. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Two rows of modules per line of half blocks, with the quiet zone of four modules that ISO 18004 asks for; colours: in black
 * and white by escape sequences, else light modules are the blocks (for a dark terminal).  NULL: the text is too long. */
char *qr_text(const char *text, bool colours);
