/* SPDX-License-Identifier: Apache-2.0 */
/* umpctl, the administrator's tool: finds the command and runs it. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "core/program.h"
#include "ctl/ctl.h"

static const struct ctl_command *find_command(char **argv, int argc, int *words)
{
    for (guint t = 0; ctl_commands[t] != NULL; t++) {
        for (const struct ctl_command *c = ctl_commands[t]; c->name != NULL; c++) {
            g_auto(GStrv) name = g_strsplit(c->name, " ", -1);
            int n = (int)g_strv_length(name);
            bool same = n <= argc;
            for (int i = 0; same && i < n; i++)
                same = strcmp(name[i], argv[i]) == 0;
            if (same) {
                *words = n;
                return c;
            }
        }
    }
    return NULL;
}

/* The commands, or those that begin with the same word. */
static char *list_commands(const char *noun)
{
    GString *out = g_string_new(NULL);
    for (guint t = 0; ctl_commands[t] != NULL; t++)
        for (const struct ctl_command *c = ctl_commands[t]; c->name != NULL; c++) {
            size_t n = noun != NULL ? strlen(noun) : 0;
            if (n == 0 || (strncmp(c->name, noun, n) == 0 && (c->name[n] == ' ' || c->name[n] == '\0')))
                g_string_append_printf(out, "  %-22s %s\n", c->name, c->summary);
        }
    return g_string_free(out, FALSE);
}

static bool is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* "help", "account --help", or words that are no command. */
static int no_command(char **argv, int argc)
{
    bool help = argc > 0 && is_help(argv[argc - 1]);
    g_autofree char *list = list_commands(argc > (help ? 1 : 0) ? argv[0] : NULL);
    if (*list == '\0')
        help = false;
    if (argc > 0 && !help)
        fprintf(stderr, "umpctl: no such command: %s%s%s\n", argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
    else
        fprintf(help ? stdout : stderr, "usage: umpctl [OPTION…] COMMAND [ARGUMENT…]\n\n"
                "Commands (umpctl COMMAND --help tells more):\n");
    fputs(list, help ? stdout : stderr);
    return help ? CTL_OK : CTL_USAGE;
}

/* Commands for everybody, not only for who may read the configuration: "text", "channel". */
static bool needs_no_config(int argc, char **argv)
{
    int first = 1;

    while (first < argc && g_str_equal(argv[first], "--json"))
        first++;
    return first < argc && (g_str_equal(argv[first], "text") || g_str_equal(argv[first], "channel"));
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* our texts are UTF-8, whatever the terminal claims */
    struct ctl ctl = {0};
    const GOptionEntry options[] = {
        {"json", 'j', 0, G_OPTION_ARG_NONE, &ctl.json, "print JSON", NULL},
        {"account", 0, 0, G_OPTION_ARG_STRING, &ctl.account_name, "the account (tenant); default: the only one", "NAME"},
        G_OPTION_ENTRY_NULL};
    g_autofree char *list = list_commands(NULL);
    g_autofree char *more = g_strconcat("Commands (umpctl COMMAND --help tells more):\n", list, NULL);
    const struct program_spec spec = {
        .name = "umpctl",
        .more = more,
        .summary = "administers the gateway",
        .arguments = "COMMAND [ARGUMENT…]",
        .options = options,
        .command = true,
        .no_config = needs_no_config(argc, argv),
    };
    int status = CTL_OK;
    struct program *program = program_start(&spec, argc, argv, &status);
    if (program == NULL)
        return status;
    ctl.config = program_config(program);
    char **words = program_arguments(program);
    int n = (int)g_strv_length(words), used = 0;
    const struct ctl_command *command = find_command(words, n, &used);
    if (command == NULL) {
        status = no_command(words, n);
    } else {
        ctl.command = command->name;
        status = command->run(&ctl, n - used, words + used);
    }
    db_close(ctl.db, 0);
    program_free(program);
    return status;
}
