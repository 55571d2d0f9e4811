/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ump-bridge: webhooks in, mail out; mail in, messages out.  Roles (web, inbound, outbound,
 * receipts) can run together or on machines of their own.
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/bridge.h"
#include "bridge/inbound/inbound.h"
#include "bridge/maintenance.h"
#include "bridge/outbound/outbound.h"
#include "bridge/receipts/receipts.h"
#include "bridge/web/web.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/program_db.h"

#define DB_USER "ump_bridge"
#define MAX_INSTANCES 64

enum role { ROLE_WEB = 1, ROLE_INBOUND = 2, ROLE_OUTBOUND = 4, ROLE_RECEIPTS = 8 };

static const struct {
    const char *name;
    unsigned role;
} role_names[] = {
    { "web", ROLE_WEB }, { "inbound", ROLE_INBOUND }, { "outbound", ROLE_OUTBOUND }, { "receipts", ROLE_RECEIPTS }
};

static int read_roles(const char *const *words, unsigned *roles, GError **error)
{
    *roles = 0;
    for (gsize i = 0; words[i]; i++) {
        unsigned role = 0;
        for (gsize k = 0; k < G_N_ELEMENTS(role_names); k++)
            if (strcmp(words[i], role_names[k].name) == 0)
                role = role_names[k].role;
        if (role == 0) {
            g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "there is no role called %s", words[i]);
            return -1;
        }
        *roles |= role;
    }
    if (*roles != 0)
        return 0;
    g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "no role is to be run");
    return -1;
}

/*
 * A directory of this instance's own, state_dir/bridge-N, locked as long as we live: the next process
 * that locks it is our successor, and takes back the leases of our name (kept in the file worker).
 */
static int open_instance(struct bridge *bridge, const char *state_dir, GError **error)
{
    for (int n = 0; n < MAX_INSTANCES; n++) {
        g_autofree char *dir = g_strdup_printf("%s/bridge-%d", state_dir, n);
        g_autofree char *lock = g_strconcat(dir, "/lock", NULL), *file = g_strconcat(dir, "/worker", NULL);
        autofd int fd = -1;
        if (mkdir(dir, 0750) < 0 && errno != EEXIST)
            return ump_error_errno(error, errno, "%s", dir);
        fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EACCES)
            continue; /* another user's */
        if (fd < 0)
            return ump_error_errno(error, errno, "%s", lock);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
            continue;
        if (!g_file_get_contents(file, &bridge->worker, NULL, NULL)) {
            g_autofree char *id = ids_new();
            bridge->worker = g_strdup_printf("%s/%s", bridge->hostname, id);
            if (!g_file_set_contents_full(file, bridge->worker, -1, G_FILE_SET_CONTENTS_DURABLE, 0600, error))
                return -1;
        }
        bridge->state_dir = g_steal_pointer(&dir);
        cleanup_steal_fd(&fd); /* held until the process ends */
        return 0;
    }
    g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "%s: no instance directory is free", state_dir);
    return -1;
}

static int open_keys(struct bridge *bridge, GError **error)
{
    const struct config *config = bridge->config;

    bridge->ids = ids_keys_load(config_get_string(config, "gateway", "id_key_file"), error);
    if (!bridge->ids)
        return -1;
    bridge->stamps = stamp_keys_load(config_get_string(config, "gateway", "stamp_key_file"), error);
    if (!bridge->stamps)
        return -1;
    bridge->secrets = secrets_load(config_get_string(config, "gateway", "secrets_key_file"), error);
    return bridge->secrets ? 0 : -1;
}

static int open_all(struct bridge *bridge, unsigned roles, GError **error)
{
    const struct config *config = bridge->config;

    bridge->hostname = config_get_string(config, "gateway", "hostname");
    bridge->public_url = config_get_string(config, "gateway", "public_url");
    if (open_keys(bridge, error) < 0 ||
        open_instance(bridge, config_get_string(config, "gateway", "state_dir"), error) < 0)
        return -1;
    bridge->media = media_store_open(config_get_string(config, "media", "dir"),
                                     config_get_size(config, "media", "max_size"), error);
    if (!bridge->media)
        return -1;
    if (roles & ROLE_WEB) {
        const struct journal_options options = { .dir = config_get_string(config, "web", "journal_dir") };
        bridge->journal = journal_open(&options, error);
        if (!bridge->journal)
            return -1;
    }
    bridge->db = program_open_db(config, DB_USER, "ump-bridge", true, 0, error);
    if (!bridge->db)
        return -1;
    bridge->endpoints = endpoints_new(bridge->db, bridge->secrets, bridge->state_dir);
    return 0;
}

static void close_all(struct bridge *bridge)
{
    if (bridge->endpoints)
        endpoints_stop(bridge->endpoints);
    if (bridge->db)
        db_close(bridge->db, 5000);
    endpoints_free(bridge->endpoints);
    if (bridge->journal)
        journal_close(bridge->journal);
    if (bridge->media)
        media_store_close(bridge->media);
    secrets_free(bridge->secrets);
    stamp_keys_free(bridge->stamps);
    ids_keys_free(bridge->ids);
    g_free(bridge->worker);
    g_free(bridge->state_dir);
}

struct rooms {
    struct web *web;
    struct inbound *inbound;
    struct outbound *outbound;
    struct receipts *receipts;
    struct maintenance *maintenance;
};

static int start_rooms(struct bridge *bridge, unsigned roles, struct rooms *rooms, GError **error)
{
    if ((roles & ROLE_WEB) && !(rooms->web = web_start(bridge, error)))
        return -1;
    if ((roles & ROLE_INBOUND) && !(rooms->inbound = inbound_start(bridge, error)))
        return -1;
    if ((roles & ROLE_RECEIPTS) && !(rooms->receipts = receipts_start(bridge, error)))
        return -1;
    if ((roles & ROLE_OUTBOUND) && !(rooms->outbound = outbound_start(bridge, error)))
        return -1;
    rooms->maintenance = maintenance_start(bridge);
    return 0;
}

/* First nobody takes new work, then what is under way ends, within one limit for all. */
static void stop_rooms(struct rooms *rooms, unsigned grace_ms)
{
    gint64 until = ump_clock_mono_us() + grace_ms * G_GINT64_CONSTANT(1000);
#define LEFT ((unsigned)MAX(0, (until - ump_clock_mono_us()) / 1000))
    if (rooms->maintenance)
        maintenance_stop(rooms->maintenance);
    if (rooms->web)
        web_stop(rooms->web);
    if (rooms->outbound)
        outbound_stop(rooms->outbound, LEFT);
    if (rooms->inbound)
        inbound_stop(rooms->inbound, LEFT);
    if (rooms->receipts)
        receipts_stop(rooms->receipts, LEFT);
#undef LEFT
}

static void free_rooms(struct rooms *rooms)
{
    maintenance_free(rooms->maintenance);
    web_free(rooms->web);
    if (rooms->outbound)
        outbound_free(rooms->outbound);
    inbound_free(rooms->inbound);
    receipts_free(rooms->receipts);
}

/* A schema that we do not know ends us; a database that is down does not. */
static int check_schema(struct bridge *bridge, GError **error)
{
    GError *problem = NULL;

    if (db_wait_up(bridge->db, 3000, NULL) < 0) {
        log_warning("status", "database-down");
        return 0;
    }
    if (db_check_schema(bridge->db, &problem) == 0)
        return 0;
    if (db_error_is_temporary(problem)) {
        g_error_free(problem);
        return 0;
    }
    g_propagate_error(error, problem);
    return -1;
}

static int run(struct program *program, unsigned roles, GError **error)
{
    struct bridge bridge = { .program = program, .config = program_config(program) };
    struct rooms rooms = { 0 };
    unsigned grace = (unsigned)config_get_duration_ms(bridge.config, "bridge", "grace");
    int result = -1;

    if (open_all(&bridge, roles, error) == 0 && check_schema(&bridge, error) == 0 &&
        start_rooms(&bridge, roles, &rooms, error) == 0) {
        program_ready(program);
        program_wait(program);
        result = 0;
    }
    stop_rooms(&rooms, result == 0 ? grace : 0);
    close_all(&bridge);
    free_rooms(&rooms);
    return result;
}

int main(int argc, char **argv)
{
    g_autofree char *roles_option = NULL;
    const GOptionEntry options[] = {
        { "roles", 'r', 0, G_OPTION_ARG_STRING, &roles_option, "What to do: web,inbound,outbound,receipts", "ROLES" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    static const char *const sections[] = { "gateway", "database", "bridge", "web", "inbound", "outbound",
                                            "receipts", "dovecot", "media", "conversation", NULL };
    const struct program_spec spec = {
        .name = "ump-bridge",
        .summary = "Webhooks and queues between chat providers and mail.",
        .sections = sections,
        .options = options,
    };
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = NULL;
    unsigned roles = 0;
    int status = 0;

    json_set_alloc_funcs(g_malloc, g_free);
    json_object_seed(0);
    curl_global_init(CURL_GLOBAL_ALL);
    struct program *program = program_start(&spec, argc, argv, &status);
    if (!program)
        return status;
    status = 0; /* what a stop that was asked for ends with */
    if (roles_option)
        words = g_strsplit_set(roles_option, ", ", -1);
    if (read_roles(words ? (const char *const *)words
                         : config_get_list(program_config(program), "bridge", "roles"),
                   &roles, &error) < 0 ||
        run(program, roles, &error) < 0) {
        log_error("error", error->message, "status", "ended");
        status = 1;
    }
    program_free(program);
    curl_global_cleanup();
    return status;
}
