/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C and the text forms of bytes. */
#include "core/hmac.h"

#include <pthread.h>
#include <string.h>

/* --- CRC-32C (Castagnoli), eight bytes at a time --- */

static uint32_t crc_table[8][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_init(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
        crc_table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            crc_table[k][i] = (crc_table[k - 1][i] >> 8) ^ crc_table[0][crc_table[k - 1][i] & 0xff];
}

uint32_t hmac_crc32c(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *p = data;

    pthread_once(&crc_once, crc_init);
    crc = ~crc;
    for (; length >= 8; p += 8, length -= 8) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + 4, 4);
        low = GUINT32_FROM_LE(low) ^ crc;
        high = GUINT32_FROM_LE(high);
        crc = crc_table[7][low & 0xff] ^ crc_table[6][low >> 8 & 0xff] ^ crc_table[5][low >> 16 & 0xff] ^
              crc_table[4][low >> 24] ^ crc_table[3][high & 0xff] ^ crc_table[2][high >> 8 & 0xff] ^
              crc_table[1][high >> 16 & 0xff] ^ crc_table[0][high >> 24];
    }
    for (; length > 0; p++, length--)
        crc = (crc >> 8) ^ crc_table[0][(crc ^ *p) & 0xff];
    return ~crc;
}

/* --- Hexadecimal, base32, base64url: groups of bits, most significant first --- */

static const char HEX[] = "0123456789abcdef";
static const char BASE32[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *encode(const void *data, size_t length, const char *alphabet, unsigned width)
{
    const uint8_t *p = data;
    char *text = g_malloc(length * 8 / width + 2);
    size_t n = 0;
    uint32_t bits = 0;
    unsigned have = 0;

    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | p[i];
        for (have += 8; have >= width; have -= width)
            text[n++] = alphabet[bits >> (have - width) & ((1u << width) - 1)];
    }
    if (have > 0)
        text[n++] = alphabet[bits << (width - have) & ((1u << width) - 1)];
    text[n] = '\0';
    return text;
}

static int digit_of(char c, unsigned width)
{
    if (width == 6) {
        if (c >= 'A' && c <= 'Z')
            return c - 'A';
        if (c >= 'a' && c <= 'z')
            return c - 'a' + 26;
        if (c >= '0' && c <= '9')
            return c - '0' + 52;
        return c == '-' ? 62 : c == '_' ? 63 : -1;
    }
    c = g_ascii_tolower(c);
    if (width == 4)
        return g_ascii_xdigit_value(c);
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

static bool decode(const char *text, size_t length, unsigned width, uint8_t *out, size_t *size)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;

    for (size_t i = 0; i < length; i++) {
        int digit = digit_of(text[i], width);
        if (digit < 0)
            return false;
        bits = bits << width | (uint32_t)digit;
        have += width;
        if (have >= 8) {
            if (n == *size)
                return false;
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    /* Left-over bits must be fewer than a digit and zero: one text for one value. */
    if (have >= width || (bits & ((1u << have) - 1)) != 0)
        return false;
    *size = n;
    return true;
}

char *hmac_hex(const void *data, size_t length)
{
    return encode(data, length, HEX, 4);
}

bool hmac_unhex(const char *text, size_t length, uint8_t *out, size_t *size)
{
    return decode(text, length, 4, out, size);
}

char *hmac_base32(const void *data, size_t length)
{
    return encode(data, length, BASE32, 5);
}

bool hmac_unbase32(const char *text, size_t length, uint8_t *out, size_t *size)
{
    return decode(text, length, 5, out, size);
}

char *hmac_base64url(const void *data, size_t length)
{
    return encode(data, length, BASE64URL, 6);
}

bool hmac_unbase64url(const char *text, size_t length, uint8_t *out, size_t *size)
{
    return decode(text, length, 6, out, size);
}
