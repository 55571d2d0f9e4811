/* SPDX-License-Identifier: Apache-2.0 */
/* Does the sandbox of ump-bridge's unit let it reach the resolver?  Without one no provider's name is found. */
#include <gio/gio.h>
#include <string.h>

#include "core/cleanup.h"
#include "ctl/doctor.h"

#define UNIT "ump-bridge.service"

/* "KEY=value" of systemctl show; "" when it has none.  Of lines, each of which ends with LF. */
static char *property(const char *lines, const char *key)
{
    g_auto(GStrv) all = g_strsplit(lines, "\n", -1);
    g_autofree char *prefix = g_strconcat(key, "=", NULL);

    for (char **line = all; *line; line++)
        if (g_str_has_prefix(*line, prefix))
            return g_strdup(*line + strlen(prefix));
    return g_strdup("");
}

/* networks: as systemd shows them, "10.0.0.0/8 fc00::/7" */
static bool is_within(GInetAddress *address, const char *networks)
{
    g_auto(GStrv) all = g_strsplit(networks, " ", -1);

    for (char **network = all; *network; network++) {
        g_autoptr(GInetAddressMask) mask = **network ? g_inet_address_mask_new_from_string(*network, NULL) : NULL;
        if (mask && g_inet_address_mask_matches(mask, address))
            return true;
    }
    return false;
}

/* resolv.conf(5): none named means the one on this machine. */
static GPtrArray *resolvers(void)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;

    g_file_get_contents("/etc/resolv.conf", &text, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " \t", -1);
        guint at = 1;
        if (g_strcmp0(words[0], "nameserver") != 0)
            continue;
        while (words[at] && !*words[at])
            at++;
        if (words[at])
            g_ptr_array_add(found, g_strndup(words[at], strcspn(words[at], "%")));
    }
    if (found->len == 0)
        g_ptr_array_add(found, g_strdup("127.0.0.1"));
    return found;
}

void doctor_check_resolver(struct doctor *doctor)
{
    char *argv[] = {(char *)"systemctl", (char *)"show", (char *)"--property=LoadState,IPAddressAllow,IPAddressDeny", (char *)UNIT, NULL};
    g_autofree char *shown = NULL;
    int status = 0;

    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &shown, NULL, &status, NULL) ||
        !g_spawn_check_wait_status(status, NULL))
        return; /* no systemd here, and so no sandbox of its making */
    g_autofree char *state = property(shown, "LoadState"), *allow = property(shown, "IPAddressAllow"), *deny = property(shown, "IPAddressDeny");
    if (strcmp(state, "loaded") != 0)
        return;
    g_autoptr(GPtrArray) servers = resolvers();
    for (guint i = 0; i < servers->len; i++) {
        const char *server = servers->pdata[i];
        g_autoptr(GInetAddress) address = g_inet_address_new_from_string(server);
        if (address && is_within(address, deny) && !is_within(address, allow)) {
            g_autofree char *mend = g_strdup_printf("systemctl edit ump-bridge, with the lines [Service] and IPAddressAllow=%s; then restart it",
                                                    server);
            doctor_note(doctor, DOCTOR_WRONG, "resolver", mend, "%s of /etc/resolv.conf is in a network that %s may not reach", server, UNIT);
        } else {
            doctor_note(doctor, DOCTOR_OK, "resolver", NULL, "%s may be reached by %s", server, UNIT);
        }
    }
}
