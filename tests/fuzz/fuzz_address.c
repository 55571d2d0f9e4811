/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address parsers: SMTP paths with parameters, gateway addresses, numbers.  An address that was
 * taken is written again in a form that is taken again.
 */
#include "core/address.h"
#include "core/smtp_path.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const DOMAINS[] = {"example.org", "x.org", NULL};

static void check_gateway(const char *text, size_t size)
{
    const struct address_space space = {.domains = DOMAINS, .region = "US"};
    g_auto(address_t) address = {0}, again = {0};

    enum address_result result = address_parse(text, size, &space, &address);
    g_autofree char *says = address_explain(result, &address);
    g_assert_null(strpbrk(says, "\r\n"));
    if (result != ADDRESS_OK)
        return;
    g_autofree char *written = address_format(address.kind, address.id, address.channel, address.domain);
    if (address.kind == ADDRESS_NUMBER && written == NULL)
        return; /* shorter than E.164 numbers that are sent to: refused by the policy */
    g_assert_nonnull(written);
    g_assert_cmpint(address_parse(written, strlen(written), &space, &again), ==, ADDRESS_OK);
    g_assert_cmpstr(address.id, ==, again.id);
}

static void check_path(const char *text, size_t size, guint flags)
{
    g_auto(smtp_path_t) path = {0}, again = {0};

    if (smtp_path_parse(text, size, flags, &path) != SMTP_PATH_OK)
        return;
    g_assert_null(strpbrk(path.address, "\r\n"));
    g_autofree char *written = g_strdup_printf("<%s>", path.address);
    g_assert_cmpint(smtp_path_parse(written, strlen(written), flags | SMTP_PATH_ALLOW_UTF8, &again), ==, SMTP_PATH_OK);
    g_assert_cmpstr(path.address, ==, again.address);
    check_gateway(path.address, strlen(path.address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    check_path(text, size, SMTP_PATH_MAIL);
    check_path(text, size, SMTP_PATH_RCPT);
    check_path(text, size, SMTP_PATH_RCPT | SMTP_PATH_ALLOW_UTF8);
    check_gateway(text, size);
    return 0;
}
