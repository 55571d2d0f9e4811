/* SPDX-License-Identifier: Apache-2.0 */
#include "core/gsm.h"
#include "core/gsm_tables.h"

#include "unit.h"

static char *repeat(const char *text, guint times)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < times; i++)
        g_string_append(out, text);
    return g_string_free(out, FALSE);
}

static void test_alphabet(void **state)
{
    assert_int_equal(gsm_septets('a'), 1);
    assert_int_equal(gsm_septets('@'), 1);
    assert_int_equal(gsm_septets('\n'), 1);
    assert_int_equal(gsm_septets(0x20ac), 2);
    assert_int_equal(gsm_septets('{'), 2);
    assert_int_equal(gsm_septets('\\'), 2);
    assert_int_equal(gsm_septets('`'), 0);
    assert_int_equal(gsm_septets('\t'), 0);
    assert_int_equal(gsm_septets(0), 0);
    assert_int_equal(gsm_septets(0xc7), 1); /* Ç */
    assert_int_equal(gsm_septets(0xe7), 0); /* ç */
    assert_int_equal(gsm_septets(0x394), 1);
    assert_int_equal(gsm_septets(0x391), 0);
    guint characters = 0;
    for (gunichar c = 1; c < 0x3000; c++)
        characters += gsm_septets(c) != 0;
    assert_int_equal(characters, 127 + 10); /* 128 positions without the escape, 10 extensions */
}

static void test_count(void **state)
{
    static const struct {
        const char *text;
        guint times;
        enum gsm_encoding encoding;
        guint units, segments;
    } cases[] = {
        {"", 1, GSM_7BIT, 0, 0},
        {"a", 160, GSM_7BIT, 160, 1},
        {"a", 161, GSM_7BIT, 161, 2},
        {"a", 306, GSM_7BIT, 306, 2},
        {"a", 307, GSM_7BIT, 307, 3},
        {"\xe2\x82\xac", 80, GSM_7BIT, 160, 1},
        {"\xe2\x82\xac", 81, GSM_7BIT, 162, 2},
        {"\xe2\x82\xac", 153, GSM_7BIT, 306, 3}, /* 76 pairs fit into 153 septets */
        {"\xc3\xa7", 70, GSM_UCS2, 70, 1},
        {"\xc3\xa7", 71, GSM_UCS2, 71, 2},
        {"\xc3\xa7", 134, GSM_UCS2, 134, 2},
        {"\xc3\xa7", 135, GSM_UCS2, 135, 3},
        {"\xf0\x9f\x98\x80", 35, GSM_UCS2, 70, 1},
        {"\xf0\x9f\x98\x80", 36, GSM_UCS2, 72, 2},
        {"\xf0\x9f\x98\x80", 67, GSM_UCS2, 134, 3}, /* 33 pairs fit into 67 units */
        {"\xff", 3, GSM_UCS2, 3, 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = repeat(cases[i].text, cases[i].times);
        struct gsm_count count;
        assert_int_equal(gsm_count(text, strlen(text), 0, &count), cases[i].segments);
        assert_int_equal(count.encoding, cases[i].encoding);
        assert_int_equal(count.units, cases[i].units);
    }
}

static void test_left_and_culprit(void **state)
{
    struct gsm_count count;

    gsm_count("hello", 5, 0, &count);
    assert_int_equal(count.left, 155);
    assert_int_equal(count.culprit, 0);
    gsm_count("it\xe2\x80\x99s", 6, 0, &count);
    assert_int_equal(count.culprit, 0x2019);
    assert_int_equal(count.left, 66);
}

/* The alphabets as TS 23.038 prints them, positions that it leaves empty left out: how many different characters. */
static void test_national_tables(void **state)
{
    static const struct {
        const char *code;
        enum gsm_language language;
        guint locking, shift;
        const char *in_locking, *in_shift, *in_neither;
    } tables[] = {
        {"tr", GSM_TURKISH, 127, 17, "€ıĞğŞşİç", "ĞğİıŞşç€", "èìØæ¡¿"},
        {"es", GSM_SPANISH, 0, 19, "", "çÁÍÓÚáíóú€", "âê"},
        {"pt", GSM_PORTUGUESE, 127, 37, "êçúíóÔôÁáªÇÀ∞€ÓÂÊºÍÃÕÚ~ãõ`", "êÔôÁáΦΓΩΠΨΣΘÊÀÍÓÚÃÕÂíóúãõâ", "øæ"},
        {"bn", GSM_BENGALI, 114, 80, "অআকখহড়ৱ", "০৯ৠ৺A€", "क"},
        {"gu", GSM_GUJARATI, 120, 68, "અકહૐ૱", "૦૯।॥Z", "क"},
        {"hi", GSM_HINDI, 127, 86, "अकहॐॿ", "०९।॥ॱ", "অ"},
        {"kn", GSM_KANNADA, 120, 71, "ಅಕಹೕೣ", "೦೯ೞೲ", "अ"},
        {"ml", GSM_MALAYALAM, 120, 80, "അകഹൗ൹", "൦൯ൿൺ", "अ"},
        {"or", GSM_ORIYA, 116, 73, "ଅକହୗୣ", "୦୯ୱ", "अ"},
        {"pa", GSM_PUNJABI, 110, 74, "ਅਕਹੑੴ", "੦੯ੵ", "अ"},
        {"ta", GSM_TAMIL, 102, 75, "அகஹௐ௹", "௦௯௳௺", "अ"},
        {"te", GSM_TELUGU, 120, 76, "అకహౖౣ", "౦౯౿", "अ।"},
        {"ur", GSM_URDU, 127, 88, "ابچےٰ", "۰۹،؟۔", "ێ"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        const struct gsm_tables *t = &gsm_tables[tables[i].language];
        guint locking = 0, shift = 0;
        assert_int_equal(gsm_language_find(tables[i].code), tables[i].language);
        for (gunichar c = 1; c < 0x10000; c++) {
            locking += gsm_set_has(&t->locking, c);
            shift += gsm_set_has(&t->shift, c);
        }
        assert_int_equal(locking, tables[i].locking);
        assert_int_equal(shift, tables[i].shift);
        for (const char *p = tables[i].in_locking; *p; p = g_utf8_next_char(p))
            if (!gsm_set_has(&t->locking, g_utf8_get_char(p)))
                fail_msg("%s: no U+%04X in the locking table", tables[i].code, g_utf8_get_char(p));
        for (const char *p = tables[i].in_shift; *p; p = g_utf8_next_char(p))
            if (!gsm_set_has(&t->shift, g_utf8_get_char(p)))
                fail_msg("%s: no U+%04X in the shift table", tables[i].code, g_utf8_get_char(p));
        for (const char *p = tables[i].in_neither; *p; p = g_utf8_next_char(p))
            assert_false(gsm_set_has(&t->locking, g_utf8_get_char(p)) || gsm_set_has(&t->shift, g_utf8_get_char(p)));
        assert_true(gsm_set_has(&t->shift, 0x20ac) && gsm_set_has(&t->shift, '[') && gsm_set_has(&t->shift, '\f'));
        assert_false(gsm_set_has(&t->locking, 0x1b) || gsm_set_has(&t->shift, 0x1b));
    }
    assert_int_equal(gsm_language_find("de"), GSM_DEFAULT);
    assert_int_equal(gsm_language_find(""), GSM_DEFAULT);
}

#define BIT(language) (1u << (language))

/* The lengths of TS 23.038 and 23.040: 155 and 149 septets with one table named, 152 and 146 with two. */
static void test_national_count(void **state)
{
    static const struct {
        const char *text;
        guint times, national;
        enum gsm_encoding encoding;
        enum gsm_language locking, shift;
        guint units, segments, left;
    } cases[] = {
        {"ş", 155, BIT(GSM_TURKISH), GSM_7BIT, GSM_TURKISH, GSM_DEFAULT, 155, 1, 0},
        {"ş", 156, BIT(GSM_TURKISH), GSM_7BIT, GSM_TURKISH, GSM_DEFAULT, 156, 2, 142},
        {"ş", 298, BIT(GSM_TURKISH), GSM_7BIT, GSM_TURKISH, GSM_DEFAULT, 298, 2, 0},
        {"ş", 299, BIT(GSM_TURKISH), GSM_7BIT, GSM_TURKISH, GSM_DEFAULT, 299, 3, 148},
        {"ş", 70, BIT(GSM_TURKISH), GSM_UCS2, GSM_DEFAULT, GSM_DEFAULT, 70, 1, 0}, /* nothing to save */
        {"ş", 155, 0, GSM_UCS2, GSM_DEFAULT, GSM_DEFAULT, 155, 3, 46},
        {"ş", 155, BIT(GSM_SPANISH), GSM_UCS2, GSM_DEFAULT, GSM_DEFAULT, 155, 3, 46},
        {"á", 77, BIT(GSM_SPANISH), GSM_7BIT, GSM_DEFAULT, GSM_SPANISH, 154, 1, 1},
        {"á", 78, BIT(GSM_SPANISH), GSM_UCS2, GSM_DEFAULT, GSM_DEFAULT, 78, 2, 56},
        {"अ", 155, BIT(GSM_HINDI), GSM_7BIT, GSM_HINDI, GSM_DEFAULT, 155, 1, 0},
        {"अ०", 50, BIT(GSM_HINDI), GSM_7BIT, GSM_HINDI, GSM_HINDI, 150, 1, 2},
        {"अ०", 51, BIT(GSM_HINDI), GSM_UCS2, GSM_DEFAULT, GSM_DEFAULT, 102, 2, 32},
        {"क०", 97, BIT(GSM_HINDI), GSM_7BIT, GSM_HINDI, GSM_HINDI, 291, 2, 0}, /* 48 and a letter: 145 of 146 */
        {"a", 161, ~BIT(GSM_DEFAULT), GSM_7BIT, GSM_DEFAULT, GSM_DEFAULT, 161, 2, 145},
        {"ş", 155, ~BIT(GSM_DEFAULT), GSM_7BIT, GSM_TURKISH, GSM_DEFAULT, 155, 1, 0},
        {"ş\xf0\x9f\x98\x80", 40, BIT(GSM_TURKISH), GSM_UCS2, GSM_DEFAULT, GSM_DEFAULT, 120, 2, 14},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = repeat(cases[i].text, cases[i].times);
        struct gsm_count count;
        guint segments = gsm_count(text, strlen(text), cases[i].national, &count);
        if (segments != cases[i].segments || count.encoding != cases[i].encoding || count.units != cases[i].units)
            fail_msg("case %zu: %u segments, encoding %d, %u units", i, segments, count.encoding, count.units);
        assert_int_equal(count.locking, cases[i].locking);
        assert_int_equal(count.shift, cases[i].shift);
        assert_int_equal(count.left, cases[i].left);
    }
}

/* ---- A reference: one part after the other, by the book, tried for every coding ---- */

static gunichar *characters(const char *text, size_t length, size_t *n)
{
    gunichar *out = g_new(gunichar, length + 1);
    *n = 0;
    while (length > 0) {
        gunichar c = g_utf8_get_char_validated(text, (gssize)length);
        size_t step = c >= (gunichar)-2 ? 1 : (size_t)(g_utf8_next_char(text) - text);
        out[(*n)++] = c >= (gunichar)-2 ? 0xfffd : c;
        text += step;
        length -= step;
    }
    return out;
}

/* Units of a character, 0: not there. locking < 0: UCS-2. */
static guint reference_units(gunichar c, int locking, int shift)
{
    if (locking < 0)
        return c >= 0x10000 ? 2 : 1;
    if (gsm_set_has(&gsm_tables[locking].locking, c))
        return 1;
    return gsm_set_has(&gsm_tables[shift].shift, c) ? 2 : 0;
}

/* Bits of one part for text: 1120 less the header, which ends on a septet's boundary. */
static guint reference_room(int locking, int shift, bool several)
{
    guint octets = (several ? 5 : 0) + (locking > 0 ? 3 : 0) + (shift > 0 && locking >= 0 ? 3 : 0);
    guint header = octets > 0 ? (octets + 1) * 8 : 0, unit = locking < 0 ? 16 : 7;
    while (header % unit != 0 && locking >= 0)
        header++;
    return (1120 - header) / unit;
}

/* Segments with this coding; 0: it cannot say the text. */
static guint reference_segments(const gunichar *text, size_t n, int locking, int shift)
{
    guint total = 0, parts = 0;
    for (size_t i = 0; i < n; i++) {
        guint units = reference_units(text[i], locking, shift);
        if (units == 0)
            return 0;
        total += units;
    }
    if (total <= reference_room(locking, shift, false))
        return 1;
    for (size_t i = 0; i < n; parts++)
        for (guint room = reference_room(locking, shift, true); i < n; i++) {
            guint units = reference_units(text[i], locking, shift);
            if (units > room)
                break;
            room -= units;
        }
    return parts;
}

static guint reference_count(const char *text, size_t length, guint national)
{
    size_t n;
    g_autofree gunichar *c = characters(text, length, &n);
    guint best = n == 0 ? 0 : reference_segments(c, n, 0, 0);
    if (n > 0 && best == 0)
        best = reference_segments(c, n, -1, 0);
    for (int l = 0; n > 0 && l < GSM_LANGUAGES; l++)
        for (int s = 0; s < GSM_LANGUAGES; s++) {
            bool may = (l == 0 || (national >> l & 1)) && (s == 0 || (national >> s & 1));
            guint segments = may && gsm_tables[l].locking.ranges ? reference_segments(c, n, l, s) : 0;
            if (segments > 0 && segments < best)
                best = segments;
        }
    return best;
}

/* ---- Random texts ---- */

static const char *const alphabets[] = {
    "abcdefghijklmnopqrstuvwxyz ABC.,!?", "0123456789 {}[]^|~\\€", "äöüßéèñÇØ àù", "şğıİçĞ tr ve", "áéíóúñ¿¡ es que",
    "ãõâêôçàÀ pt não", "अआकखगहिीुू०१। ", "অআকখহ ০১", "ابچدےٰ۰۱ ", "😀👍🎉", "“”’–… ", "中文字", "é ",
};

static char *random_text(GRand *dice)
{
    GString *out = g_string_new(NULL);
    guint kinds = (guint)g_rand_int_range(dice, 1, 4), length = (guint)g_rand_int_range(dice, 0, 400);
    const char *chosen[4];
    for (guint i = 0; i < kinds; i++)
        chosen[i] = alphabets[g_rand_int_range(dice, 0, G_N_ELEMENTS(alphabets))];
    for (guint i = 0; i < length; i++) {
        const char *alphabet = chosen[g_rand_int_range(dice, 0, (gint32)kinds)];
        glong n = g_utf8_strlen(alphabet, -1);
        g_string_append_unichar(out, g_utf8_get_char(g_utf8_offset_to_pointer(alphabet, g_rand_int_range(dice, 0, (gint32)n))));
        if (g_rand_int_range(dice, 0, 2000) == 0)
            g_string_append_c(out, (char)0xff);
    }
    return g_string_free(out, FALSE);
}

static void test_count_equals_the_reference(void **state)
{
    static const guint allowed[] = {0, 0, 1u << GSM_TURKISH, 1u << GSM_SPANISH | 1u << GSM_PORTUGUESE,
                                    1u << GSM_HINDI | 1u << GSM_URDU | 1u << GSM_BENGALI, ~1u};
    guint32 seed = g_random_int();
    g_autoptr(GRand) dice = g_rand_new_with_seed(seed);
    for (guint i = 0; i < 3000; i++) {
        g_autofree char *text = random_text(dice);
        guint national = allowed[g_rand_int_range(dice, 0, G_N_ELEMENTS(allowed))];
        struct gsm_count count;
        guint segments = gsm_count(text, strlen(text), national, &count), wanted = reference_count(text, strlen(text), national);
        if (segments != wanted)
            fail_msg("seed %u, text %u: %u segments, not %u, of \"%s\" with %#x", seed, i, segments, wanted, text, national);
    }
}

/* ---- Splitting ---- */

/* Nothing is lost, every part fits, no part ends within a pair. */
static void check_split(const char *text, guint national)
{
    g_auto(GStrv) parts = gsm_split(text, strlen(text), national);
    g_autofree char *joined = g_strjoinv("", parts);
    struct gsm_count whole;

    assert_string_equal(joined, text);
    gsm_count(text, strlen(text), national, &whole);
    int locking = whole.encoding == GSM_UCS2 ? -1 : (int)whole.locking;
    guint room = reference_room(locking, (int)whole.shift, whole.segments > 1);
    for (size_t i = 0; parts[i] != NULL; i++) {
        size_t n;
        g_autofree gunichar *c = characters(parts[i], strlen(parts[i]), &n);
        guint units = 0;
        for (size_t k = 0; k < n; k++)
            units += reference_units(c[k], locking, (int)whole.shift);
        assert_true(g_utf8_validate(parts[i], -1, NULL));
        assert_true(units > 0 && units <= room);
    }
    assert_true(g_strv_length(parts) >= whole.segments);
    assert_true(g_strv_length(parts) <= whole.segments + 1 + whole.segments / 4);
}

static void test_split(void **state)
{
    static const char *const pieces[] = {
        "a", "\xe2\x82\xac", "\xc3\xa7", "\xf0\x9f\x98\x80", "e\xcc\x81", "ş", "अ०", "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", "क्ष",
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", /* a family */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++)
        for (guint n = 0; n < 200; n += 7) {
            g_autofree char *text = repeat(pieces[i], n);
            check_split(text, 0);
            check_split(text, ~1u);
        }
    for (guint i = 0; i < 500; i++) {
        g_autoptr(GRand) dice = g_rand_new_with_seed(i);
        g_autofree char *raw = random_text(dice), *text = g_utf8_make_valid(raw, -1);
        check_split(text, i % 2 ? ~1u : 0);
    }
}

/* What belongs together is not torn apart: a family of three (8 units), flags, a letter with its accent, a conjunct. */
static void test_split_graphemes(void **state)
{
    static const struct {
        const char *before, *piece;
    } cases[] = {
        {"", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7"},
        {"x", "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"},
        {"", "e\xcc\x81"},
        {"", "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd"},
        {"x", "क्ष"},
        {"", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *many = repeat(cases[i].piece, 90), *text = g_strconcat(cases[i].before, many, NULL);
        g_auto(GStrv) parts = gsm_split(text, strlen(text), 0);
        assert_true(g_strv_length(parts) > 1);
        for (size_t k = 1; parts[k] != NULL; k++)
            if (!g_str_has_prefix(parts[k], cases[i].piece))
                fail_msg("case %zu is torn apart at part %zu", i, k);
    }
}

static void test_transliterate(void **state)
{
    const char *text = "\xe2\x80\x9cIt\xe2\x80\x99s\xe2\x80\x9d \xe2\x80\x93 ok\xe2\x80\xa6\xc2\xa0";
    guint changed;
    g_autofree char *plain = gsm_transliterate(text, strlen(text), &changed);

    assert_string_equal(plain, "\"It's\" - ok... ");
    assert_int_equal(changed, 6);
    g_autofree char *fit = gsm_fit(text, strlen(text));
    assert_string_equal(fit, plain);
    /* fullwidth forms, ligatures; letters and emoji stay */
    const char *wide = "\xef\xbc\xa1\xef\xbd\x82\xef\xbc\x91\xef\xbc\x81 o\xef\xac\x83" "ce";
    g_autofree char *narrow = gsm_transliterate(wide, strlen(wide), NULL);
    assert_string_equal(narrow, "Ab1! office");
    const char *letters = "\xc5\x9f\xc3\xa7\xe4\xb8\xad\xe2\x9c\x85\xe2\x84\xa2";
    g_autofree char *same = gsm_transliterate(letters, strlen(letters), &changed);
    assert_string_equal(same, letters);
    assert_int_equal(changed, 0);
    const char *emoji = "It\xe2\x80\x99s \xf0\x9f\x98\x80";
    g_autofree char *kept = gsm_fit(emoji, strlen(emoji));
    assert_string_equal(kept, emoji);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alphabet),         cmocka_unit_test(test_count),
        cmocka_unit_test(test_left_and_culprit), cmocka_unit_test(test_split),
        cmocka_unit_test(test_split_graphemes),  cmocka_unit_test(test_transliterate),
        cmocka_unit_test(test_national_tables),  cmocka_unit_test(test_national_count),
        cmocka_unit_test(test_count_equals_the_reference),
    };

    return cmocka_run_group_tests_name("gsm", tests, NULL, NULL);
}
