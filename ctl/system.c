/* SPDX-License-Identifier: Apache-2.0 */
/* Schema and key files: what is done once, and at every upgrade. */
#include <grp.h>
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/keyfile.h"
#include "ctl/ctl.h"
#include "ctl/endpoint.h"

static void say_step(void *data, const char *kind, unsigned version, const char *name)
{
    if (version > 0)
        ctl_say(data, "%s %04u %s", kind, version, name);
    else
        ctl_say(data, "%s %s", kind, name);
}

static int migrate(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 0, 0);
    if (status != 0)
        return status;
    const char *uri = config_get_string(ctl->config, "ctl", "database_uri");
    g_autoptr(GError) error = NULL;
    unsigned before = 0;
    if (db_migrate(uri != NULL ? uri : config_get_string(ctl->config, "database", "uri"), uri != NULL ? NULL : "ump",
                   say_step, ctl, &before, &error) != 0)
        return ctl_fail_error("migrate", error);
    if ((status = ctl_endpoint_limits(ctl)) != 0)
        return status;
    if (ctl->json) {
        g_autoptr(json_t) record = json_object();
        json_object_set_new(record, "before", json_integer(before));
        json_object_set_new(record, "status", json_string("done"));
        ctl_show_json(ctl, record);
    } else if (before > 0) {
        ctl_say(ctl, "the schema was at version %u and is up to date", before);
    }
    return CTL_OK;
}

static const struct {
    const char *name, *key;
} key_files[] = {{"stamp", "stamp_key_file"}, {"id", "id_key_file"}, {"secrets", "secrets_key_file"}};

static int key_file_one(struct ctl *ctl, const char *name, const char *key, gid_t group, int keep)
{
    bool rotating = strcmp(ctl->command, "key rotate") == 0;
    const char *path = config_get_string(ctl->config, "gateway", key);
    g_autoptr(GError) error = NULL;
    int made = rotating ? keyfile_rotate(path, (guint)keep, &error) : keyfile_generate(path, group, &error);
    if (made < 0)
        return ctl_fail(CTL_REFUSED, "%s", error->message);
    ctl_say(ctl, "%-8s %s: %s", name, path, rotating ? "new key in front; restart or reload the programs"
            : made == 0 ? "made; keep a copy in a safe place" : "exists, left alone");
    return CTL_OK;
}

static int key(struct ctl *ctl, int argc, char **argv)
{
    g_autofree char *group_name = NULL;
    gint keep = 0;
    const GOptionEntry options[] = {
        {"group", 0, 0, G_OPTION_ARG_STRING, &group_name, "group that may read them (create; default: ump when there is one)", "GROUP"},
        {"keep", 0, 0, G_OPTION_ARG_INT, &keep, "keep at most N keys (rotate; default: all)", "N"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 0, 1);
    if (status != 0)
        return status;
    if (strcmp(ctl->command, "key rotate") == 0 && argc == 0)
        return ctl_fail(CTL_USAGE, "key rotate: say which: stamp, id or secrets");
    const struct group *group = getgrnam(group_name != NULL ? group_name : "ump");
    if (group_name != NULL && group == NULL)
        return ctl_fail(CTL_USAGE, "there is no group %s", group_name);
    bool found = false;
    for (guint i = 0; i < G_N_ELEMENTS(key_files) && status == 0; i++)
        if (argc == 0 || strcmp(argv[0], key_files[i].name) == 0) {
            found = true;
            status = key_file_one(ctl, key_files[i].name, key_files[i].key, group != NULL ? group->gr_gid : (gid_t)-1, keep);
        }
    return found ? status : ctl_fail(CTL_USAGE, "there is no key \"%s\"; there are stamp, id and secrets", argv[0]);
}

const struct ctl_command ctl_system_commands[] = {
    {"migrate", "", "brings the database up to this version: its schema, and the limits of channels that endpoints have", migrate},
    {"key create", "[stamp|id|secrets] [--group GROUP]", "makes the key files that do not exist yet", key},
    {"key rotate", "stamp|id|secrets [--keep N]", "puts a new key in front", key},
    {NULL, NULL, NULL, NULL}};
