/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client against the servers of test_http.py. */
#include "core/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after those that it needs */
#include <cmocka.h>

static const char *base, *secure;

static char *at(const char *path)
{
    return g_strconcat(base, path, NULL);
}

static struct http_response *ask(struct http_client *client, const char *method, const char *path, const char *body,
                                 unsigned timeout_ms)
{
    g_autofree char *url = at(path);
    g_autoptr(GBytes) bytes = body ? g_bytes_new(body, strlen(body)) : NULL;
    static const char *const headers[] = { "Content-Type: application/json", "Authorization: Bearer secret", NULL };
    struct http_request request = { .method = method,
                                    .url = url,
                                    .base_url = base,
                                    .headers = headers,
                                    .body = bytes,
                                    .timeout_ms = timeout_ms };
    return http_send_wait(client, &request);
}

static void assert_body(const struct http_response *r, const char *text)
{
    gsize length;
    const char *data = g_bytes_get_data(r->body, &length);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(data, text, length);
}

static void assert_count(struct http_client *client, const char *path, const char *count)
{
    g_autofree char *query = g_strconcat("/count?path=", path, NULL);
    struct http_response *r = ask(client, NULL, query, NULL, 0);
    assert_body(r, count);
    http_response_free(r);
}

static void test_send(void **state)
{
    struct http_client *client = *state;
    struct http_response *r = ask(client, NULL, "/ok", "{\"text\":\"hi\"}", 0);
    assert_int_equal(r->curl_code, 0);
    assert_int_equal(r->status, 200);
    assert_string_equal(r->content_type, "application/json");
    assert_string_equal(http_response_header(r, "x-ratelimit-remaining"), "7");
    assert_true(r->request_size > 0);
    assert_int_equal(http_outcome(r, true, false), HTTP_DEFINITE);
    assert_body(r, "{\"id\":\"1\"}");
    http_response_free(r);
    g_autofree char *large = g_strnfill(3 << 20, 'y'); /* more than one read, and no Expect */
    r = ask(client, NULL, "/echo", large, 0);
    assert_true(r->truncated);
    assert_int_equal(g_bytes_get_size(r->body), 1 << 20);
    assert_int_equal(http_outcome(r, true, false), HTTP_AMBIGUOUS);
    http_response_free(r);
    r = ask(client, "PUT", "/echo", "put", 0);
    assert_body(r, "put");
    http_response_free(r);
    r = ask(client, "DELETE", "/ok", NULL, 0);
    assert_int_equal(r->status, 200);
    http_response_free(r);
    r = ask(client, "POST", "/ok", NULL, 0);
    assert_int_equal(r->status, 200);
    http_response_free(r);
}

/* Decision 3: libcurl must not post twice by itself. */
static void test_reused_connection_dropped(void **state)
{
    struct http_client *client = *state;
    http_response_free(ask(client, NULL, "/ok", "{}", 0));
    struct http_response *r = ask(client, NULL, "/drop?a", "{}", 0);
    assert_int_equal(r->curl_code, CURLE_SEND_FAIL_REWIND);
    assert_int_equal(http_outcome(r, false, false), HTTP_AMBIGUOUS);
    http_response_free(r);
    assert_count(client, "/drop?a", "1");
    /* without a body there is nothing to rewind: a new connection then, which is not tried again */
    http_response_free(ask(client, NULL, "/ok", "{}", 0));
    r = ask(client, "POST", "/drop?b", NULL, 0);
    assert_int_equal(r->curl_code, CURLE_GOT_NOTHING);
    assert_int_equal(http_outcome(r, false, false), HTTP_AMBIGUOUS);
    http_response_free(r);
    assert_count(client, "/drop?b", "1");
    http_response_free(ask(client, NULL, "/ok", "{}", 0));
    http_response_free(ask(client, "DELETE", "/drop?c", NULL, 0));
    assert_count(client, "/drop?c", "1");
}

static void test_failures(void **state)
{
    struct http_client *client = *state;
    static const struct {
        const char *path;
        int curl;
        long status;
        enum http_class class;
    } table[] = {
        { "/half", CURLE_PARTIAL_FILE, 200, HTTP_AMBIGUOUS },
        { "/hang", CURLE_OPERATION_TIMEDOUT, 0, HTTP_AMBIGUOUS },
        { "/status?code=500", 0, 500, HTTP_AMBIGUOUS },
        { "/status?code=429&extra=Retry-After:%203", 0, 429, HTTP_SAFE },
        { "/status?code=422", 0, 422, HTTP_DEFINITE },
        { "/to?url=/ok", 0, 302, HTTP_DEFINITE }, /* not followed */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        struct http_response *r = ask(client, NULL, table[i].path, "{}", 1000);
        assert_int_equal(r->curl_code, table[i].curl);
        assert_int_equal(r->status, table[i].status);
        assert_int_equal(http_outcome(r, false, false), table[i].class);
        if (table[i].status == 429)
            assert_int_equal(r->retry_after_us, 3000000);
        http_response_free(r);
    }
}

static void test_retry_after_date(void **state)
{
    struct http_response *r = ask(*state, NULL,
                                  "/status?code=503&extra=Date:%20Fri,%2020%20Nov%202026%2011:00:00%20GMT%0D%0A"
                                  "Retry-After:%20Fri,%2020%20Nov%202026%2011:01:30%20GMT",
                                  "{}", 0);
    assert_int_equal(r->retry_after_us, 90000000);
    assert_int_equal(http_outcome(r, false, true), HTTP_SAFE);
    http_response_free(r);
}

static void test_refused_before_the_wire(void **state)
{
    struct http_client *client = *state;
    static const char *const crlf[] = { "X: a\r\nY: b", NULL };
    g_autofree char *url = at("/ok");
    struct http_request request = { .url = url, .base_url = base, .headers = crlf };
    struct http_response *r = http_send_wait(client, &request);
    assert_int_equal(r->curl_code, CURLE_URL_MALFORMAT);
    assert_int_equal(http_outcome(r, false, false), HTTP_SAFE);
    http_response_free(r);
    request = (struct http_request){ .url = url, .base_url = "https://api.example.org" };
    r = http_send_wait(client, &request);
    assert_int_equal(r->curl_code, CURLE_URL_MALFORMAT);
    http_response_free(r);
    request = (struct http_request){ .url = "http://127.0.0.1:1/", .base_url = "http://127.0.0.1:1" };
    r = http_send_wait(client, &request);
    assert_int_equal(r->curl_code, CURLE_COULDNT_CONNECT);
    assert_int_equal(http_outcome(r, false, false), HTTP_SAFE);
    http_response_free(r);
}

static void test_certificates(void **state)
{
    struct http_client_options options = { .ca_file = getenv("HTTPS_TEST_CA") };
    struct http_client *trusting = http_client_new(&options, NULL);
    g_autofree char *url = g_strconcat(secure, "/ok", NULL);
    g_autoptr(GBytes) body = g_bytes_new_static("{}", 2);
    struct http_request request = { .url = url, .body = body };
    struct http_response *r = http_send_wait(trusting, &request);
    assert_int_equal(r->curl_code, 0);
    http_response_free(r);
    r = http_send_wait(*state, &request);
    assert_int_equal(r->curl_code, CURLE_PEER_FAILED_VERIFICATION);
    assert_int_equal(r->request_size, 0);
    assert_int_equal(http_outcome(r, false, false), HTTP_SAFE);
    http_response_free(r);
    http_client_free(trusting, 1000);
}

/* ---- many ---- */

static void count_done(void *data, const struct http_response *r)
{
    if (r->curl_code == 0 && r->status == 200)
        atomic_fetch_add((atomic_uint *)data, 1);
    else
        atomic_fetch_add((atomic_uint *)data, 1000000);
}

static void test_many_in_flight(void **state)
{
    atomic_uint done = 0;
    g_autofree char *url = at("/ok");
    g_autoptr(GBytes) body = g_bytes_new_static("{}", 2);
    struct http_request request = { .url = url, .base_url = base, .body = body };
    for (int i = 0; i < 2000; i++)
        http_send(*state, &request, count_done, &done);
    for (int i = 0; i < 3000 && atomic_load(&done) < 2000; i++)
        g_usleep(10000);
    assert_int_equal(atomic_load(&done), 2000);
}

static void note_code(void *data, const struct http_response *r)
{
    atomic_store((atomic_int *)data, r->curl_code * 10 + (int)http_outcome(r, false, false));
}

static void test_free_aborts(void **state)
{
    struct http_client_options options = { 0 };
    struct http_client *client = http_client_new(&options, NULL);
    atomic_int code = -1;
    g_autofree char *url = at("/hang");
    struct http_request request = { .url = url, .base_url = base };
    http_send(client, &request, note_code, &code);
    g_usleep(300000);
    http_client_free(client, 100);
    assert_int_equal(atomic_load(&code), CURLE_ABORTED_BY_CALLBACK * 10 + HTTP_AMBIGUOUS);
}

/* ---- media ---- */

struct fetched {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    GByteArray *bytes;
    bool finished, refused, truncated;
    int curl_code;
    long status;
    char *error;
    size_t stop_at;
};

static bool sink(void *data, const void *bytes, size_t length)
{
    struct fetched *f = data;
    g_byte_array_append(f->bytes, bytes, (guint)length);
    return !f->stop_at || f->bytes->len < f->stop_at;
}

static void fetch_done(void *data, const struct http_response *r)
{
    struct fetched *f = data;
    pthread_mutex_lock(&f->lock);
    f->finished = true;
    f->refused = r->refused;
    f->truncated = r->truncated;
    f->curl_code = r->curl_code;
    f->status = r->status;
    f->error = g_strdup(r->error ? r->error : "");
    assert_int_equal(r->length, f->stop_at ? r->length : f->bytes->len);
    pthread_cond_signal(&f->cond);
    pthread_mutex_unlock(&f->lock);
}

static void fetch(struct http_client *client, struct http_fetch *request, struct fetched *f)
{
    static const char *const headers[] = { "Authorization: Bearer media", NULL };
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->cond, NULL);
    f->bytes = g_byte_array_new();
    request->headers = headers;
    http_fetch(client, request, sink, fetch_done, f);
    pthread_mutex_lock(&f->lock);
    while (!f->finished)
        pthread_cond_wait(&f->cond, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

static void fetched_clear(struct fetched *f)
{
    g_byte_array_unref(f->bytes);
    g_free(f->error);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->cond);
}

static void test_media(void **state)
{
    static const struct {
        const char *path;
        int curl;
        bool truncated, refused;
        guint length;
        unsigned timeout_ms; /* 0: long enough for any machine */
    } table[] = {
        { "/large?size=100000", 0, false, false, 100000 },
        { "/large?size=100001", CURLE_FILESIZE_EXCEEDED, true, false, 0 },
        { "/chunked", CURLE_WRITE_ERROR, true, false, G_MAXUINT },
        { "/gzip", 0, false, false, G_MAXUINT }, /* stored as it came: 48 kB */
        { "/loop?n=3", 0, false, false, 3 },
        { "/loop?n=4", CURLE_COULDNT_CONNECT, false, true, 0 },
        { "/auth", 0, false, false, 12 },
        { "/to?url=/auth", 0, false, false, 12 },
        { "/status?code=404", 0, false, false, 0 },
        { "/half", CURLE_PARTIAL_FILE, false, false, 5 },
        { "/drip", CURLE_OPERATION_TIMEDOUT, false, false, G_MAXUINT, 2000 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *url = at(table[i].path);
        struct http_fetch request = { .url = url, .base_url = base, .max_size = 100000,
                                      .timeout_ms = table[i].timeout_ms > 0 ? table[i].timeout_ms : 60000 };
        struct fetched f = { 0 };
        fetch(*state, &request, &f);
        if (f.curl_code != table[i].curl || f.truncated != table[i].truncated || f.refused != table[i].refused)
            fail_msg("%s: %d %d %d %s", table[i].path, f.curl_code, f.truncated, f.refused, f.error);
        assert_true(f.bytes->len <= 100000);
        if (table[i].length != G_MAXUINT)
            assert_int_equal(f.bytes->len, table[i].length);
        fetched_clear(&f);
    }
}

/* T26: where a URL, or a redirect, must not lead. */
static void test_media_policy(void **state)
{
    const char *port = getenv("HTTPS_TEST_PORT");
    static const char *const targets[] = {
        "https://127.0.0.1:P/ok",       "https://localhost:P/ok",      "https://2130706433:P/ok",
        "https://0x7f.1:P/ok",          "https://[::1]:P/ok",          "https://[::ffff:127.0.0.1]:P/ok",
        "https://0.0.0.0:P/ok",         "https://169.254.169.254/",    "https://[fd00:ec2::254]/",
        "https://100.64.0.1/",          "https://10.0.0.1/",           "https://[64:ff9b::7f00:1]/",
        "http://127.0.0.1:1/",          "file:///etc/passwd",          "gopher://127.0.0.1:1/x",
        "https://user:pw@127.0.0.1:P/", "ftp://127.0.0.1/x",           "https://[::127.0.0.1]:P/ok",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++)
        for (int redirected = 0; redirected < 2; redirected++) {
            g_autoptr(GString) target = g_string_new(targets[i]);
            g_autofree char *with_port = g_strconcat(":", port, "/", NULL);
            g_string_replace(target, ":P/", with_port, 1);
            g_autofree char *escaped = g_uri_escape_string(target->str, NULL, FALSE);
            g_autofree char *path = g_strconcat("/to?url=", escaped, NULL), *hop = at(path);
            struct http_fetch request = { .url = redirected ? hop : target->str,
                                          .base_url = base,
                                          .timeout_ms = 3000,
                                          .connect_timeout_ms = 1000 };
            struct fetched f = { 0 };
            fetch(*state, &request, &f);
            if (!f.refused || f.bytes->len || f.curl_code == 0)
                fail_msg("%s (redirected: %d): %d %s", target->str, redirected, f.curl_code, f.error);
            fetched_clear(&f);
        }
}

static void test_media_sink_stops(void **state)
{
    g_autofree char *url = at("/chunked");
    struct http_fetch request = { .url = url, .base_url = base };
    struct fetched f = { .stop_at = 1000 };
    fetch(*state, &request, &f);
    assert_int_equal(f.curl_code, CURLE_WRITE_ERROR);
    assert_false(f.truncated);
    fetched_clear(&f);
}

static int setup(void **state)
{
    struct http_client_options options = { .max_per_host = 16 };
    base = getenv("HTTP_TEST_URL");
    secure = getenv("HTTPS_TEST_URL");
    assert_non_null(base);
    *state = http_client_new(&options, NULL);
    return 0;
}

static int teardown(void **state)
{
    http_client_free(*state, 1000);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_send, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reused_connection_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retry_after_date, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_before_the_wire, setup, teardown),
        cmocka_unit_test_setup_teardown(test_certificates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_in_flight, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_aborts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_media, setup, teardown),
        cmocka_unit_test_setup_teardown(test_media_policy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_media_sink_stops, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
