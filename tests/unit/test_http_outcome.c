/* SPDX-License-Identifier: Apache-2.0 */
/* The table of FAILURES 4, and where media may be fetched from and credentials go (T26, T27). */
#include "core/http_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
/* after those that it needs */
#include <cmocka.h>

static void test_outcomes(void **state)
{
    static const struct {
        int curl;
        long size, status;
        bool retry_after, understood, safe_503;
        enum http_class class;
    } table[] = {
        { CURLE_COULDNT_RESOLVE_HOST, 0, 0, 0, 0, 0, HTTP_SAFE },
        { CURLE_COULDNT_CONNECT, 0, 0, 0, 0, 0, HTTP_SAFE },
        { CURLE_COULDNT_RESOLVE_PROXY, 0, 0, 0, 0, 0, HTTP_SAFE },
        { CURLE_SSL_CONNECT_ERROR, 0, 0, 0, 0, 0, HTTP_SAFE },
        { CURLE_PEER_FAILED_VERIFICATION, 0, 0, 0, 0, 0, HTTP_SAFE },
        { CURLE_OPERATION_TIMEDOUT, 0, 0, 0, 0, 0, HTTP_SAFE },
        { CURLE_OPERATION_TIMEDOUT, 300, 0, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_GOT_NOTHING, 300, 0, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_SEND_ERROR, 300, 0, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_RECV_ERROR, 300, 0, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_SEND_FAIL_REWIND, 300, 0, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_SEND_FAIL_REWIND, 0, 0, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_PARTIAL_FILE, 300, 200, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_HTTP2, 300, 0, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_HTTP2_STREAM, 300, 0, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_ABORTED_BY_CALLBACK, 0, 0, 0, 0, 0, HTTP_SAFE },
        { CURLE_ABORTED_BY_CALLBACK, 300, 0, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_OK, 300, 200, 0, 1, 0, HTTP_DEFINITE },
        { CURLE_OK, 300, 201, 0, 1, 0, HTTP_DEFINITE },
        { CURLE_OK, 300, 200, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_OK, 300, 400, 0, 1, 0, HTTP_DEFINITE },
        { CURLE_OK, 300, 401, 0, 0, 0, HTTP_DEFINITE },
        { CURLE_OK, 300, 404, 0, 0, 0, HTTP_DEFINITE },
        { CURLE_OK, 300, 408, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_OK, 300, 425, 0, 0, 0, HTTP_SAFE },
        { CURLE_OK, 300, 429, 0, 0, 0, HTTP_SAFE },
        { CURLE_OK, 300, 429, 1, 1, 0, HTTP_SAFE },
        { CURLE_OK, 300, 301, 0, 0, 0, HTTP_DEFINITE },
        { CURLE_OK, 300, 303, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_OK, 300, 500, 0, 1, 0, HTTP_AMBIGUOUS },
        { CURLE_OK, 300, 502, 1, 0, 1, HTTP_AMBIGUOUS },
        { CURLE_OK, 300, 503, 0, 0, 1, HTTP_AMBIGUOUS },
        { CURLE_OK, 300, 503, 1, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_OK, 300, 503, 1, 0, 1, HTTP_SAFE },
        { CURLE_OK, 300, 504, 0, 0, 0, HTTP_AMBIGUOUS },
        { CURLE_OK, 300, 0, 0, 0, 0, HTTP_AMBIGUOUS },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        enum http_class got = http_classify(table[i].curl, table[i].size, table[i].status, table[i].retry_after,
                                            table[i].understood, table[i].safe_503);
        if (got != table[i].class)
            fail_msg("row %zu (curl %d, status %ld): %s", i, table[i].curl, table[i].status, http_class_name(got));
    }
}

static void test_media_policy(void **state)
{
    static char *const cdn[] = { (char *)"media.example.org", (char *)".cdn.example.org", NULL };
    static char *const secret[] = { (char *)"media.example.org", NULL };
    static const struct {
        const char *url;
        bool allowed, at_base, auth;
    } table[] = {
        { "https://media.example.org/a", true, false, true },
        { "https://MEDIA.example.org:443/a", true, false, true },
        { "https://media.example.org:8443/a", true, false, false },
        { "http://media.example.org/a", false, false, false },
        { "https://a.cdn.example.org/a", true, false, false },
        { "https://.cdn.example.org/a", false, false, false },
        { "https://evil-cdn.example.org/a", false, false, false },
        { "https://media.example.org.evil.test/", false, false, false },
        { "https://media.example.org@evil.test/", false, false, false },
        { "https://evil.test#media.example.org/", false, false, false },
        { "https://evil.test\\@media.example.org/", false, false, false },
        { "http://127.0.0.1:8080/v2/x", true, true, true },
        { "http://u:p@127.0.0.1:8080/v2/x", false, true, false },
        { "http://127.0.0.1:8081/v2/x", false, false, false },
        { "https://127.0.0.1:8080/", false, false, false },
        { "http://localhost:8080/", false, false, false },
        { "file:///etc/passwd", false, false, false },
        { "gopher://media.example.org/", false, false, false },
        { "//media.example.org/", false, false, false },
        { "", false, false, false },
    };
    struct http_target base;
    assert_true(http_target_parse("http://127.0.0.1:8080/v2", &base));
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        bool at_base, auth;
        const char *fault = http_media_policy(table[i].url, &base, cdn, secret, &at_base, &auth);
        if (!fault != table[i].allowed || at_base != table[i].at_base || auth != table[i].auth)
            fail_msg("%s: %s, base %d, auth %d", table[i].url, fault ? fault : "allowed", at_base, auth);
    }
    http_target_clear(&base);
    bool at_base, auth;
    assert_null(http_media_policy("https://any.test/", &base, NULL, NULL, &at_base, &auth));
    assert_false(auth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_media_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
