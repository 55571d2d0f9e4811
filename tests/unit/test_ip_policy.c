/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ip_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* after those that it needs */
#include <cmocka.h>

static bool is_global(const char *text)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    if (strchr(text, ':')) {
        assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        return ip_is_global((struct sockaddr *)&in6);
    }
    assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
    return ip_is_global((struct sockaddr *)&in);
}

static void test_refused(void **state)
{
    static const char *const refused[] = {
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
        "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.170",
        "192.0.2.1", "192.168.1.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1",
        "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1",
        "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1",
        "2620:4f:8000::1", "3fff::1", "3fff:fff::1", "5f00::1", "4000::1", "fc00::1", "fd00:ec2::254", "fe80::1",
        "fec0::1", "ff02::1", "1fff::1",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (is_global(refused[i]))
            fail_msg("%s passed", refused[i]);
}

static void test_allowed(void **state)
{
    static const char *const allowed[] = {
        "8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255",
        "128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.1", "192.0.1.1", "192.167.255.255", "192.169.0.1",
        "198.17.255.255", "198.20.0.1", "223.255.255.255", "2001:4860:4860::8888", "2001:200::1", "2606:4700::1111",
        "2a00:1450::1", "3ffe::1", "2003::1", "2620:4f:8001::1",
    };
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (!is_global(allowed[i]))
            fail_msg("%s refused", allowed[i]);
}

static void test_other_families(void **state)
{
    struct sockaddr other = { .sa_family = AF_UNIX };
    assert_false(ip_is_global(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_other_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
