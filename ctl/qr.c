/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/qr.h"

#include <qrencode.h>

#define QUIET 4

static bool is_dark(const QRcode *code, int x, int y)
{
    x -= QUIET;
    y -= QUIET;
    return x >= 0 && y >= 0 && x < code->width && y < code->width && (code->data[y * code->width + x] & 1);
}

char *qr_text(const char *text, bool colours)
{
    static const char *const blocks[2][2] = {{"█", "▀"}, {"▄", " "}}; /* upper dark?, lower dark?: light is drawn */
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    GString *out = g_string_new(NULL);
    int size;

    if (!code) {
        g_string_free(out, TRUE);
        return NULL;
    }
    size = code->width + 2 * QUIET;
    for (int y = 0; y < size; y += 2) {
        if (colours)
            g_string_append(out, "\033[40;97m");
        for (int x = 0; x < size; x++)
            g_string_append(out, blocks[is_dark(code, x, y)][y + 1 < size ? is_dark(code, x, y + 1) : 1]);
        g_string_append(out, colours ? "\033[0m\n" : "\n");
    }
    QRcode_free(code);
    return g_string_free(out, FALSE);
}
