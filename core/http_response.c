/* SPDX-License-Identifier: Apache-2.0 */
/* What a response means: was the request processed?  (FAILURES 4.)  Pure. */
#include "core/http_client.h"

#include <curl/curl.h>

const char *http_response_header(const struct http_response *response, const char *name)
{
    return response->headers ? g_hash_table_lookup(response->headers, name) : NULL;
}

const char *http_class_name(enum http_class class)
{
    static const char *const names[] = { [HTTP_SAFE] = "safe",
                                         [HTTP_DEFINITE] = "definite",
                                         [HTTP_AMBIGUOUS] = "ambiguous" };
    return names[class];
}

/* Without a whole response. */
static enum http_class classify_failure(int curl_code, long request_size)
{
    switch (curl_code) {
    case CURLE_SEND_FAIL_REWIND: /* libcurl wanted to send the body again: it had left once */
        return HTTP_AMBIGUOUS;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return HTTP_SAFE;
    default:
        return request_size == 0 ? HTTP_SAFE : HTTP_AMBIGUOUS;
    }
}

static enum http_class classify_status(long status, bool has_retry_after, bool understood, bool safe_503)
{
    switch (status) {
    case 429: /* too many requests */
    case 425: /* too early */
        return HTTP_SAFE;
    case 408: /* request timeout: an intermediary may say so of what it has passed on */
    case 303: /* see other: it has been processed */
        return HTTP_AMBIGUOUS;
    case 503:
        return has_retry_after && safe_503 ? HTTP_SAFE : HTTP_AMBIGUOUS;
    default:
        break;
    }
    if (status >= 200 && status < 300)
        return understood ? HTTP_DEFINITE : HTTP_AMBIGUOUS;
    /* 3xx: not processed there, and we follow nothing. 4xx: refused. */
    return status >= 300 && status < 500 ? HTTP_DEFINITE : HTTP_AMBIGUOUS;
}

enum http_class http_classify(int curl_code, long request_size, long status, bool has_retry_after, bool understood,
                              bool safe_503)
{
    if (curl_code != CURLE_OK)
        return classify_failure(curl_code, request_size);
    return classify_status(status, has_retry_after, understood, safe_503);
}

enum http_class http_outcome(const struct http_response *response, bool understood, bool safe_503)
{
    /* An answer that is cut off is not understood, whatever its beginning said. */
    return http_classify(response->curl_code, response->request_size, response->status,
                         response->retry_after != NULL, understood && !response->truncated, safe_503);
}

void http_response_free(struct http_response *response)
{
    if (!response)
        return;
    g_free(response->error);
    g_free(response->content_type);
    g_free(response->retry_after);
    g_free(response->final_url);
    g_clear_pointer(&response->body, g_bytes_unref);
    g_clear_pointer(&response->headers, g_hash_table_unref);
    g_free(response);
}
