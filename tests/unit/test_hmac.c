/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hmac.h"

#include "unit.h"

/* RFC 4231 */
static void test_hmac_vectors(void **state)
{
    static const struct {
        const char *key, *data, *mac;
    } cases[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint8_t key[64], data[64], mac[HMAC_SIZE];
        size_t key_size = sizeof key, data_size = sizeof data;
        struct hmac_key prepared;
        assert_true(hmac_unhex(cases[i].key, strlen(cases[i].key), key, &key_size));
        assert_true(hmac_unhex(cases[i].data, strlen(cases[i].data), data, &data_size));
        hmac_key_init(&prepared, key, key_size);
        hmac_sign(&prepared, data, data_size, mac);
        g_autofree char *hex = hmac_hex(mac, sizeof mac);
        assert_string_equal(hex, cases[i].mac);
    }
}

/* RFC 4231 case 6: a key longer than a block. */
static void test_hmac_long_key(void **state)
{
    uint8_t key[131], mac[HMAC_SIZE];
    const char *data = "Test Using Larger Than Block-Size Key - Hash Key First";
    struct hmac_key prepared;

    memset(key, 0xaa, sizeof key);
    hmac_key_init(&prepared, key, sizeof key);
    hmac_sign(&prepared, data, strlen(data), mac);
    g_autofree char *hex = hmac_hex(mac, sizeof mac);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_parts_are_framed(void **state)
{
    const struct hmac_part a[] = {{"ab", 2}, {"c", 1}}, b[] = {{"a", 1}, {"bc", 2}};
    uint8_t mac_a[HMAC_SIZE], mac_b[HMAC_SIZE];
    struct hmac_key key;

    hmac_key_derive(&key, "secret", 6, "label");
    hmac_sign_parts(&key, a, 2, mac_a);
    hmac_sign_parts(&key, b, 2, mac_b);
    assert_false(hmac_equal(mac_a, mac_b, HMAC_SIZE));
}

static void test_crc32c(void **state)
{
    uint8_t zeros[32] = {0};

    assert_int_equal(hmac_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(hmac_crc32c(0, zeros, sizeof zeros), 0x8a9136aa);
    assert_int_equal(hmac_crc32c(hmac_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

static void test_text_forms(void **state)
{
    for (size_t length = 0; length < 70; length++) {
        uint8_t bytes[70], back[70];
        for (size_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)(i * 37 + length);
        g_autofree char *hex = hmac_hex(bytes, length);
        g_autofree char *base32 = hmac_base32(bytes, length);
        g_autofree char *base64 = hmac_base64url(bytes, length);
        size_t size = sizeof back;
        assert_true(hmac_unhex(hex, strlen(hex), back, &size) && size == length);
        assert_memory_equal(bytes, back, length);
        size = sizeof back;
        assert_true(hmac_unbase32(base32, strlen(base32), back, &size) && size == length);
        assert_memory_equal(bytes, back, length);
        size = sizeof back;
        assert_true(hmac_unbase64url(base64, strlen(base64), back, &size) && size == length);
        assert_memory_equal(bytes, back, length);
    }
}

static void test_decoders_are_strict(void **state)
{
    uint8_t out[8];
    size_t size = sizeof out;

    assert_false(hmac_unhex("abc", 3, out, &size));
    assert_false(hmac_unhex("zz", 2, out, &size));
    assert_false(hmac_unbase32("a", 1, out, &size));
    assert_false(hmac_unbase32("ab", 2, out, &size)); /* left-over bits are not zero */
    assert_false(hmac_unbase32("a1", 2, out, &size));
    assert_false(hmac_unbase64url("A", 1, out, &size));
    assert_false(hmac_unbase64url("AA==", 4, out, &size));
    assert_false(hmac_unbase64url("AB", 2, out, &size));
    size = 1;
    assert_false(hmac_unhex("aabb", 4, out, &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hmac_vectors),  cmocka_unit_test(test_hmac_long_key),
        cmocka_unit_test(test_parts_are_framed), cmocka_unit_test(test_crc32c),
        cmocka_unit_test(test_text_forms),    cmocka_unit_test(test_decoders_are_strict),
    };

    return cmocka_run_group_tests_name("hmac", tests, NULL, NULL);
}
