/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of our programs and of Dovecot; what Postfix' configuration must say. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/cleanup.h"
#include "ctl/doctor.h"

#define ANSWER_MS 3000

/* Connects; with a greeting wanted, reads one line into answer.  0, or an errno. */
static int try_unix(const char *path, bool greeting, char answer[static 128])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    answer[0] = '\0';
    if (strlen(path) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return errno;
    if (!greeting)
        return 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, ANSWER_MS) <= 0)
        return ETIMEDOUT;
    ssize_t n = recv(fd, answer, 127, 0);
    if (n <= 0)
        return n == 0 ? ECONNRESET : errno;
    answer[n] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    return 0;
}

static void check_socket(struct doctor *doctor, const char *check, const char *where, bool greeting, const char *mend)
{
    const char *path = where;
    if (g_str_has_prefix(path, "lmtp:"))
        path += strlen("lmtp:");
    if (g_str_has_prefix(path, "unix:"))
        path += strlen("unix:");
    if (*path != '/') {
        doctor_note(doctor, DOCTOR_WARNING, check, NULL, "%s is no unix socket; not looked at", where);
        return;
    }
    char answer[128];
    int code = try_unix(path, greeting, answer);
    if (code != 0)
        doctor_note(doctor, DOCTOR_WRONG, check, mend, "%s: %s", path, g_strerror(code));
    else if (greeting && !g_str_has_prefix(answer, "220"))
        /* our LMTP refuses users who are not among its peers before the greeting: it runs */
        doctor_note(doctor, g_str_has_prefix(answer, "421") || g_str_has_prefix(answer, "5") ? DOCTOR_OK : DOCTOR_WRONG, check,
                    mend, "%s answers: %s", path, answer);
    else
        doctor_note(doctor, DOCTOR_OK, check, NULL, "%s answers", path);
}

void doctor_check_sockets(struct doctor *doctor)
{
    const struct config *config = doctor->ctl->config;
    check_socket(doctor, "ump-milter", config_get_string(config, "milter", "socket"), false, "start ump-milter (systemctl status ump-milter)");
    check_socket(doctor, "ump-lmtp", config_get_string(config, "lmtp", "socket"), true, "start ump-lmtp (systemctl status ump-lmtp)");
    check_socket(doctor, "Dovecot LMTP", config_get_string(config, "lmtp", "store"), true,
                 "is Dovecot running with protocol lmtp, and does [lmtp] store name its socket?");
}

/* main.cf: logical lines (folded ones joined) → name, value; the last one counts. */
static GHashTable *read_main_cf(const char *text)
{
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    char *last = NULL;
    for (char **l = lines; *l != NULL; l++) {
        if (**l == '#' || **l == '\0')
            continue;
        if ((**l == ' ' || **l == '\t') && last != NULL) {
            char *old = g_hash_table_lookup(values, last);
            g_hash_table_insert(values, g_strdup(last), g_strconcat(old, " ", g_strstrip(*l), NULL));
            continue;
        }
        char *eq = strchr(*l, '=');
        if (eq == NULL)
            continue;
        *eq = '\0';
        g_free(last);
        last = g_strdup(g_strstrip(*l));
        g_hash_table_insert(values, g_strdup(last), g_strdup(g_strstrip(eq + 1)));
    }
    g_free(last);
    return values;
}

static const struct {
    const char *name, *wanted, *why;
    enum doctor_verdict verdict;
} postfix_rules[] = {
    {"smtpd_forbid_bare_newline", "normalize|reject|yes", "without it SMTP smuggling is possible", DOCTOR_WRONG},
    {"smtpd_forbid_unauth_pipelining", "yes", "without it SMTP smuggling is easier", DOCTOR_WARNING},
    {"enable_long_queue_ids", "yes", "queue ids that never repeat make deliveries once", DOCTOR_WARNING},
    {"lmtp_send_xforward_command", "yes", "tells ump-lmtp the queue id, so that a repeat is recognised", DOCTOR_WARNING},
    {"enable_threaded_bounces", "yes", "keeps bounces in the thread", DOCTOR_WARNING},
};

static bool is_one_of(const char *value, const char *words)
{
    g_auto(GStrv) list = g_strsplit(words, "|", -1);
    return value != NULL && g_strv_contains((const char *const *)list, value);
}

void doctor_check_postfix(struct doctor *doctor, const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "main.cf", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &text, NULL, &error)) {
        doctor_note(doctor, DOCTOR_WARNING, "Postfix", "name its directory with --postfix", "%s", error->message);
        return;
    }
    g_autoptr(GHashTable) values = read_main_cf(text);
    for (guint i = 0; i < G_N_ELEMENTS(postfix_rules); i++) {
        const char *value = g_hash_table_lookup(values, postfix_rules[i].name);
        g_autofree char *mend = g_strdup_printf("%s = %.*s in %s: %s", postfix_rules[i].name,
                                                (int)strcspn(postfix_rules[i].wanted, "|"), postfix_rules[i].wanted, path, postfix_rules[i].why);
        doctor_note(doctor, is_one_of(value, postfix_rules[i].wanted) ? DOCTOR_OK : postfix_rules[i].verdict, "Postfix", mend,
                    "%s = %s", postfix_rules[i].name, value != NULL ? value : "(not set)");
    }
    const char *milter = config_get_string(doctor->ctl->config, "milter", "socket");
    const char *base = strrchr(milter, '/') != NULL ? strrchr(milter, '/') + 1 : milter;
    g_autofree char *master_path = g_build_filename(folder, "master.cf", NULL);
    g_autofree char *master = NULL;
    g_file_get_contents(master_path, &master, NULL, NULL);
    bool named = strstr(text, base) != NULL || (master != NULL && strstr(master, base) != NULL);
    doctor_note(doctor, named ? DOCTOR_OK : DOCTOR_WRONG, "Postfix", "add it as conf/postfix shows: smtpd_milters, for port 25 and submission",
                named ? "names the milter's socket" : "no service names the milter's socket");
    const char *transport = g_hash_table_lookup(values, "transport_maps");
    doctor_note(doctor, transport != NULL && *transport != '\0' ? DOCTOR_OK : DOCTOR_WRONG, "Postfix",
                "gateway domains need transport_maps to ump-lmtp (conf/postfix)", "transport_maps = %s", transport != NULL ? transport : "(not set)");
}
