/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/stamp.h"
#include "milter/judge.h"

/* One SMTP session. */
struct session {
    char *client;
    bool local;
    struct mail *mail;
};

/* libmilter gives callbacks no data of the program's. */
static struct judge *the_judge;
static const char *the_hostname;
static atomic_int mails_under_way;

/* ---- Session and mail ---- */

static void end_mail(struct session *session)
{
    if (session == NULL || session->mail == NULL)
        return;
    g_clear_pointer(&session->mail, mail_free);
    atomic_fetch_sub(&mails_under_way, 1);
}

static struct session *session_of(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);
    if (session == NULL) {
        session = g_new0(struct session, 1);
        smfi_setpriv(ctx, session);
    }
    return session;
}

static char *client_address(const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];
    if (address == NULL)
        return NULL;
    if (address->sa_family == AF_INET &&
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text, sizeof text) != NULL)
        return g_strdup(text);
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
    if (address->sa_family != AF_INET6)
        return NULL;
    if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        return inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], text, sizeof text) != NULL ? g_strdup(text) : NULL;
    return inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text) != NULL ? g_strdup(text) : NULL;
}

/* cleanup(8) plays an SMTP client at port 0 for mail that came by sendmail(1). */
static bool is_local_submission(const struct sockaddr *address)
{
    return address != NULL && address->sa_family == AF_INET &&
           ((const struct sockaddr_in *)(const void *)address)->sin_port == 0;
}

static void learn_queue_id(SMFICTX *ctx, struct mail *mail)
{
    if (mail->queue_id == NULL)
        mail->queue_id = g_strdup(smfi_getsymval(ctx, (char *)"i"));
}

/* ---- Replies ---- */

static sfsistat answer(SMFICTX *ctx, const struct policy_verdict *verdict)
{
    char code[8];
    if (verdict->action == POLICY_ACCEPT)
        return SMFIS_CONTINUE;
    g_snprintf(code, sizeof code, "%d", verdict->code);
    smfi_setreply(ctx, code, (char *)verdict->status, verdict->sentence);
    return verdict->code / 100 == 4 ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

/* ---- Events ---- */

/* Only what is needed: each event costs Postfix a round trip. */
static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps, unsigned long f2,
                             unsigned long f3, unsigned long *want_actions, unsigned long *want_steps,
                             unsigned long *pf2, unsigned long *pf3)
{
    const unsigned long needed = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_DELRCPT;
    if ((actions & needed) != needed)
        return SMFIS_REJECT;
    *want_actions = needed | (actions & SMFIF_SETSYMLIST);
    *want_steps = steps & (SMFIP_NOHELO | SMFIP_NOEOH | SMFIP_NOUNKNOWN | SMFIP_NODATA | SMFIP_SKIP | SMFIP_NR_CONN |
                           SMFIP_NR_MAIL | SMFIP_NR_HDR);
    *pf2 = 0;
    *pf3 = 0;
    if (*want_actions & SMFIF_SETSYMLIST) {
        smfi_setsymlist(ctx, SMFIM_CONNECT, (char *)"{client_port}");
        smfi_setsymlist(ctx, SMFIM_ENVFROM, (char *)"i {auth_authen} {auth_type}");
        smfi_setsymlist(ctx, SMFIM_ENVRCPT, (char *)"i {rcpt_addr}");
        smfi_setsymlist(ctx, SMFIM_EOM, (char *)"i");
    }
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    struct session *session = session_of(ctx);
    g_free(session->client);
    session->client = client_address((const struct sockaddr *)address);
    session->local = is_local_submission((const struct sockaddr *)address);
    return SMFIS_CONTINUE;
}

static sfsistat on_mail(SMFICTX *ctx, char **arguments)
{
    struct session *session = session_of(ctx);
    const char *login = smfi_getsymval(ctx, (char *)"{auth_authen}");
    const char *type = smfi_getsymval(ctx, (char *)"{auth_type}");
    g_autofree char *sender = mail_strip_brackets(arguments[0]);
    end_mail(session);
    atomic_fetch_add(&mails_under_way, 1);
    session->mail = mail_new(session->client, session->local, type != NULL && *type != '\0' ? login : NULL, sender,
                             the_hostname);
    learn_queue_id(ctx, session->mail);
    return SMFIS_CONTINUE;
}

static sfsistat on_recipient(SMFICTX *ctx, char **arguments)
{
    struct mail *mail = session_of(ctx)->mail;
    g_auto(policy_verdict_t) verdict = {0};
    if (mail == NULL)
        return SMFIS_CONTINUE;
    learn_queue_id(ctx, mail);
    judge_recipient(the_judge, mail, arguments[0], smfi_getsymval(ctx, (char *)"{rcpt_addr}"), &verdict);
    return answer(ctx, &verdict);
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    struct mail *mail = session_of(ctx)->mail;
    if (mail != NULL)
        mail_add_field(mail, name, value);
    return SMFIS_CONTINUE;
}

/* Mail from outside for mailboxes, without forged fields: nothing is left to do. */
static bool is_done(const struct mail *mail)
{
    return mail->login == NULL && mail->gateways == 0 && mail->ump_fields == 0;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *data, size_t length)
{
    struct mail *mail = session_of(ctx)->mail;
    if (mail == NULL || is_done(mail))
        return SMFIS_ACCEPT;
    if (mail->gateways == 0)
        return SMFIS_SKIP;
    mail_add_body(mail, data, length);
    return SMFIS_CONTINUE;
}

/* ---- End of message ---- */

static void strip(SMFICTX *ctx, const struct mail *mail)
{
    g_autoptr(GArray) fields = mail_stripped_fields(mail);
    for (guint i = 0; i < fields->len; i++) {
        const struct mail_strip *field = &g_array_index(fields, struct mail_strip, i);
        if (smfi_chgheader(ctx, (char *)field->name, field->index, NULL) != MI_SUCCESS)
            log_error("id", mail->txn, "queue", mail->queue_id, "field", field->name, "status", "not-stripped");
    }
    if (fields->len > 0)
        log_info("id", mail->txn, "queue", mail->queue_id, "login", mail->login, "fields", LOG_INT(fields->len),
                 "status", "stripped");
}

static void drop(SMFICTX *ctx, const struct mail *mail)
{
    for (guint i = 0; i < mail->recipients->len; i++) {
        const struct mail_recipient *r = g_ptr_array_index(mail->recipients, i);
        if (r->dropped && smfi_delrcpt(ctx, r->envelope) == MI_SUCCESS)
            log_info("id", mail->txn, "queue", mail->queue_id, "recipient", LOG_ADDRESS(r->address), "reason",
                     "group-member", "status", "dropped");
    }
}

/* Below Postfix's own Received, which stays the topmost field. */
static bool put_stamp(SMFICTX *ctx, const struct mail *mail, bool checked)
{
    g_autofree char *value = judge_stamp(the_judge, mail, checked);
    if (value == NULL)
        return false;
    if (smfi_insheader(ctx, 1, (char *)STAMP_FIELD, value) == MI_SUCCESS)
        return true;
    log_error("id", mail->txn, "queue", mail->queue_id, "status", "not-stamped");
    return false;
}

static sfsistat on_end(SMFICTX *ctx)
{
    struct session *session = session_of(ctx);
    struct mail *mail = session->mail;
    g_auto(policy_verdict_t) verdict = {0};
    bool checked = true;
    if (mail == NULL)
        return SMFIS_CONTINUE;
    learn_queue_id(ctx, mail);
    if (mail->gateways > 0 && judge_mail(the_judge, mail, &checked, &verdict) != POLICY_ACCEPT) {
        sfsistat status = answer(ctx, &verdict);
        end_mail(session);
        return status;
    }
    strip(ctx, mail);
    drop(ctx, mail);
    bool stamped = put_stamp(ctx, mail, checked);
    if (stamped)
        log_info("id", mail->txn, "queue", mail->queue_id, "login", mail->login, "client",
                 mail->login == NULL ? mail->client : NULL, "message", mail->message_id, "gateways",
                 LOG_INT(mail->gateways), "checked", checked ? "1" : "0", "status", "stamped");
    end_mail(session);
    return SMFIS_CONTINUE;
}

static sfsistat on_abort(SMFICTX *ctx)
{
    end_mail(smfi_getpriv(ctx));
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);
    if (session != NULL) {
        end_mail(session);
        g_free(session->client);
        g_free(session);
        smfi_setpriv(ctx, NULL);
    }
    return SMFIS_CONTINUE;
}

/* ---- The socket ---- */

static const struct smfiDesc description = {
    .xxfi_name = (char *)"ump-milter",
    .xxfi_version = SMFI_VERSION,
    .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_DELRCPT | SMFIF_SETSYMLIST,
    .xxfi_connect = on_connect,
    .xxfi_envfrom = on_mail,
    .xxfi_envrcpt = on_recipient,
    .xxfi_header = on_header,
    .xxfi_body = on_body,
    .xxfi_eom = on_end,
    .xxfi_abort = on_abort,
    .xxfi_close = on_close,
    .xxfi_negotiate = on_negotiate,
};

static int open_socket(const char *path, unsigned mode, gid_t group, GError **error)
{
    g_autofree char *name = g_strconcat("unix:", path, NULL);
    mode_t old = umask((mode_t)(0777 & ~mode));
    int opened = smfi_setconn(name) == MI_SUCCESS ? smfi_opensocket(TRUE) : MI_FAILURE;
    umask(old);
    if (opened != MI_SUCCESS)
        return ump_error_errno(error, errno, "cannot listen on %s", path);
    if (group != (gid_t)-1 && chown(path, (uid_t)-1, group) != 0)
        return ump_error_errno(error, errno, "cannot give %s to its group", path);
    if (chmod(path, (mode_t)mode) != 0)
        return ump_error_errno(error, errno, "cannot set the mode of %s", path);
    return 0;
}

int filter_open(struct judge *judge, const char *socket, unsigned mode, gid_t group, int timeout_s,
                const char *hostname, GError **error)
{
    const char *path = g_str_has_prefix(socket, "unix:") ? socket + 5 : socket;
    if (path[0] != '/') {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "[milter] socket must be unix:/PATH, not \"%s\"", socket);
        return -1;
    }
    the_judge = judge;
    the_hostname = hostname;
    if (smfi_register(description) != MI_SUCCESS || smfi_settimeout(timeout_s) != MI_SUCCESS) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_FAILED, "libmilter refuses to start");
        return -1;
    }
    return open_socket(path, mode, group, error);
}

/* ---- Serving ---- */

static void *serve(void *data)
{
    int *ended = data;
    bool failed = smfi_main() != MI_SUCCESS;
    log_event(failed ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, "status", failed ? "libmilter-failed" : "libmilter-ended");
    eventfd_write(*ended, failed ? 2 : 1);
    return NULL;
}

static bool wait_for_end(int stop_fd, int ended)
{
    struct pollfd fds[] = {{.fd = stop_fd, .events = POLLIN}, {.fd = ended, .events = POLLIN}};
    eventfd_t how = 0;
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    return (fds[1].revents & POLLIN) == 0 || eventfd_read(ended, &how) != 0 || how == 1;
}

int filter_serve(int stop_fd)
{
    static int ended;
    pthread_t thread;
    ended = eventfd(0, EFD_CLOEXEC);
    if (ended < 0 || pthread_create(&thread, NULL, serve, &ended) != 0)
        return -1;
    bool good = wait_for_end(stop_fd, ended);
    for (int i = 0; i < 500 && atomic_load(&mails_under_way) > 0; i++)
        g_usleep(10000);
    return good ? 0 : -1;
}
