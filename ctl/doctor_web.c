/* SPDX-License-Identifier: Apache-2.0 */
/* DNS names, the certificate, and whether the world reaches our webhooks. */
#include <netdb.h>
#include <string.h>
#include <time.h>

#include "core/cleanup.h"
#include "ctl/doctor.h"

#define CERT_WARN_DAYS 14

static void check_name(struct doctor *doctor, const char *host)
{
    struct addrinfo *list = NULL;
    int code = getaddrinfo(host, NULL, &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &list);
    doctor_note(doctor, code == 0 ? DOCTOR_OK : DOCTOR_WRONG, "DNS", "publish an A or AAAA record, or mend [gateway] public_url",
                "%s: %s", host, code == 0 ? "has an address" : gai_strerror(code));
    if (list != NULL)
        freeaddrinfo(list);
}

static size_t swallow(char *data, size_t size, size_t n, void *into)
{
    GString *body = into;
    if (body->len < 4096)
        g_string_append_len(body, data, (gssize)(size * n));
    return size * n;
}

/* Days until the leaf's end; -1 when curl does not say. */
static int days_left(CURL *curl)
{
    struct curl_certinfo *info = NULL;
    if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL || info->num_of_certs < 1)
        return -1;
    for (struct curl_slist *line = info->certinfo[0]; line != NULL; line = line->next)
        if (g_str_has_prefix(line->data, "Expire date:")) {
            time_t end = curl_getdate(line->data + strlen("Expire date:"), NULL);
            return end < 0 ? -1 : (int)((end - time(NULL)) / 86400);
        }
    return -1;
}

static void check_health(struct doctor *doctor, const char *public_url)
{
    g_autofree char *url = g_strconcat(public_url, "/healthz", NULL);
    g_autoptr(CURL) curl = curl_easy_init();
    g_autoptr(GString) body = g_string_new(NULL);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    const char *mend = "is ump-bridge running with role web, does the reverse proxy pass /webhooks, /media and /healthz, is the port open?";
    if (code != CURLE_OK)
        doctor_note(doctor, DOCTOR_WRONG, "webhooks", mend, "%s: %s", url, curl_easy_strerror(code));
    else
        doctor_note(doctor, status == 200 ? DOCTOR_OK : DOCTOR_WRONG, "webhooks", mend, "%s answers %ld", url, status);
    int days = code == CURLE_OK ? days_left(curl) : -1;
    if (days >= 0)
        doctor_note(doctor, days < CERT_WARN_DAYS ? DOCTOR_WARNING : DOCTOR_OK, "certificate", "renew it", "valid for %d more days", days);
}

void doctor_check_web(struct doctor *doctor)
{
    const char *public_url = config_get_string(doctor->ctl->config, "gateway", "public_url");
    if (public_url == NULL) {
        doctor_note(doctor, DOCTOR_WRONG, "public_url", "set [gateway] public_url = https://…: providers call us there", "not set");
        return;
    }
    if (!g_str_has_prefix(public_url, "https://"))
        doctor_note(doctor, DOCTOR_WARNING, "public_url", "providers want https; put a reverse proxy in front (conf/nginx)", "%s", public_url);
    g_autoptr(CURLU) parts = curl_url();
    char *host = NULL;
    if (curl_url_set(parts, CURLUPART_URL, public_url, 0) == CURLUE_OK && curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        check_name(doctor, host);
    curl_free(host);
    check_health(doctor, public_url);
}
