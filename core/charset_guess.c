/* SPDX-License-Identifier: Apache-2.0 */
/* Charsets by their bytes, see charset_guess.h. */
#include "core/charset_guess.h"

#include <stdbool.h>

enum { SAMPLE = 65536 };

struct counts {
    size_t high, ascii_letters;          /* bytes */
    size_t low_half, high_half;          /* C0–DF, E0–FF: the cases of Cyrillic letters */
    size_t odd_runs, pairs;              /* runs of high bytes; pairs in them */
    size_t kana, hangul, level1, beyond; /* pairs by their first byte, in EUC */
    size_t sjis_pairs, sjis_kana, sjis_bad;
    size_t big5_pairs, big5_low, big5_bad; /* big5_low: second bytes of ASCII */
};

static bool between(unsigned char c, unsigned char first, unsigned char last)
{
    return c >= first && c <= last;
}

static void count_bytes(const unsigned char *p, size_t len, struct counts *n)
{
    for (size_t i = 0; i < len; i++) {
        n->ascii_letters += between(p[i] | 32, 'a', 'z');
        n->high += p[i] >= 0x80;
        n->low_half += between(p[i], 0xC0, 0xDF);
        n->high_half += p[i] >= 0xE0;
    }
}

static void count_euc(const unsigned char *p, size_t len, struct counts *n)
{
    for (size_t i = 0; i < len; i++) {
        size_t run = i;
        while (run < len && p[run] >= 0x80)
            run++;
        n->odd_runs += (run - i) % 2;
        for (; i + 1 < run; i += 2) {
            n->pairs++;
            n->kana += p[i] == 0xA4 || p[i] == 0xA5;
            n->hangul += between(p[i], 0xB0, 0xC8);
            n->level1 += between(p[i], 0xB0, 0xD7);
            n->beyond += between(p[i], 0xC9, 0xD7);
        }
        i = run;
    }
}

static void count_sjis(const unsigned char *p, size_t len, struct counts *n)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] < 0x80 || between(p[i], 0xA1, 0xDF))
            continue;
        bool lead = (between(p[i], 0x81, 0x9F) || between(p[i], 0xE0, 0xEF)) && i + 1 < len;
        if (!lead || !(between(p[i + 1], 0x40, 0x7E) || between(p[i + 1], 0x80, 0xFC))) {
            n->sjis_bad++;
            continue;
        }
        n->sjis_pairs++;
        n->sjis_kana += (p[i] == 0x82 && p[i + 1] >= 0x9F) || (p[i] == 0x83 && p[i + 1] <= 0x96);
        i++;
    }
}

static void count_big5(const unsigned char *p, size_t len, struct counts *n)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] < 0x80)
            continue;
        bool low = i + 1 < len && between(p[i + 1], 0x40, 0x7E), good = low || (i + 1 < len && between(p[i + 1], 0xA1, 0xFE));
        if (!between(p[i], 0xA1, 0xF9) || !good) {
            n->big5_bad++;
            continue;
        }
        n->big5_pairs++;
        n->big5_low += low;
        i++;
    }
}

const char *charset_guess(const char *data, size_t len)
{
    struct counts n = {0};
    const unsigned char *p = (const unsigned char *)data;
    len = len < SAMPLE ? len : SAMPLE;
    count_bytes(p, len, &n);
    count_euc(p, len, &n);
    count_sjis(p, len, &n);
    count_big5(p, len, &n);
    if (n.sjis_bad == 0 && n.sjis_pairs >= 2 && n.sjis_kana * 5 >= n.sjis_pairs)
        return "SHIFT_JIS";
    if (n.odd_runs == 0 && n.pairs >= 2) {
        if (n.kana * 5 >= n.pairs)
            return "EUC-JP";
        if (n.hangul * 10 >= n.pairs * 7 && n.beyond * 20 <= n.pairs)
            return "CP949";
        if (n.level1 * 10 >= n.pairs * 6 && n.high > n.ascii_letters)
            return "GB18030";
    }
    if (n.big5_bad == 0 && n.big5_pairs >= 2 && n.big5_low * 6 >= n.big5_pairs && n.high > n.ascii_letters / 2)
        return "BIG5";
    if ((n.low_half + n.high_half) * 10 >= n.high * 8 && n.high > 2 * n.ascii_letters)
        return n.high_half > n.low_half ? "windows-1251" : "KOI8-R";
    return "windows-1252";
}
