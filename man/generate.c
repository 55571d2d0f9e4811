/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes what is made from tables: "man" ump.conf(5), "sample" conf/ump.conf, "channels" docs/CHANNELS.md; "page" a program's
 * page from its template, in which lines @OPTIONS@, @COMMANDS@, @ENDPOINT@, @PROVIDERS@ and
 * @ACCOUNT@ stand for the standard command line, umpctl's commands, and what endpoint set --set and
 * --secret and account set --set take.
 */
#include "bridge/channels/channel.h"
#include "core/config.h"
#include "core/endpoint_settings.h"
#include "ctl/ctl.h"
#include "man/channels.h"

#include <stdlib.h>
#include <string.h>

/* One word: nothing in it is a request or an escape. */
static void put_word(GString *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        g_string_append(out, "\\&");
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        if ((guchar)*p >= 0x80)
            g_string_append_printf(out, "\\[u%04X]", g_utf8_get_char(p));
        else if (*p == '\\')
            g_string_append(out, "\\e");
        else if (*p == '-')
            g_string_append(out, "\\-");
        else if (*p == '"')
            g_string_append(out, "\\(dq");
        else
            g_string_append_c(out, *p);
    }
}

/* Words in lines below 80 columns, with the line end. */
static void put_text(GString *out, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    size_t start = out->len;

    for (char **w = words; *w != NULL; w++) {
        g_autoptr(GString) word = g_string_new(NULL);
        put_word(word, *w);
        if (out->len > start) {
            bool fits = out->len - start + 1 + word->len < 76;
            g_string_append_c(out, fits ? ' ' : '\n');
            if (!fits)
                start = out->len;
        }
        g_string_append(out, word->str);
    }
    g_string_append_c(out, '\n');
}

/* Begins with a capital letter, ends with a full stop. */
static void put_sentence(GString *out, const char *text)
{
    g_autofree char *sentence = g_strdup_printf("%c%s%s", g_ascii_toupper(*text), *text != '\0' ? text + 1 : "",
                                                g_str_has_suffix(text, ".") ? "" : ".");
    put_text(out, sentence);
}

static void put_options(GString *out)
{
    static const struct {
        const char *option, *argument, *text;
    } options[] = {
        {"-c, --config", "FILE", "The configuration; default /etc/ump/ump.conf."},
        {"--check", NULL, "Check the configuration and the files that it names, say what is wrong, and end."},
        {"--print", NULL, "Print the effective configuration and end. Passwords are not shown."},
        {"-v, --verbose", NULL, "Log at debug level. Only there may whole telephone numbers be shown."},
        {"--version", NULL, "Print the version and end."},
        {"-h, --help", NULL, "Print a summary of the options and end."},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        g_string_append(out, ".TP\n.BR \"");
        put_word(out, options[i].option);
        g_string_append_c(out, '"');
        if (options[i].argument != NULL)
            g_string_append_printf(out, " \" \\fI%s\\fR\"", options[i].argument);
        g_string_append_c(out, '\n');
        put_text(out, options[i].text);
    }
}

static void put_commands(GString *out)
{
    for (guint t = 0; ctl_commands[t] != NULL; t++)
        for (const struct ctl_command *c = ctl_commands[t]; c->name != NULL; c++) {
            g_string_append(out, ".TP\n.B ");
            put_word(out, c->name);
            g_string_append_c(out, '\n');
            if (*c->arguments != '\0') {
                put_text(out, c->arguments);
                g_string_append(out, ".br\n");
            }
            put_sentence(out, c->summary);
        }
}

static void put_settings(GString *out, const struct endpoint_setting *settings)
{
    for (const struct endpoint_setting *s = settings; s->key != NULL; s++) {
        g_string_append_printf(out, ".TP\n.B %s\n", s->key);
        put_sentence(out, s->doc);
        if (s->type == ENDPOINT_SETTING_CHOICE)
            put_text(out, s->words);
    }
}

static void put_endpoint_settings(GString *out)
{
    put_settings(out, endpoint_settings);
}

static void put_account_settings(GString *out)
{
    put_settings(out, account_settings);
}

static void put_providers(GString *out)
{
    for (const struct channel_ops *const *c = channels; *c != NULL; c++) {
        g_string_append_printf(out, ".SS %s\n", (*c)->provider);
        for (const struct channel_setting_spec *s = (*c)->settings; s->key != NULL; s++) {
            g_string_append_printf(out, ".TP\n.BR %s \" (%s%s)\"\n", s->key, s->secret ? "secret" : "setting",
                                   s->required ? ", required" : "");
            put_sentence(out, s->doc);
        }
    }
}

static void put_page(GString *out, const char *template)
{
    static const struct {
        const char *line;
        void (*put)(GString *out);
    } tables[] = {{"@OPTIONS@", put_options}, {"@COMMANDS@", put_commands}, {"@ENDPOINT@", put_endpoint_settings},
                  {"@ACCOUNT@", put_account_settings}, {"@PROVIDERS@", put_providers}};
    g_auto(GStrv) lines = g_strsplit(template, "\n", -1);

    for (char **l = lines; *l != NULL; l++) {
        void (*put)(GString *) = NULL;
        for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
            if (strcmp(*l, tables[i].line) == 0)
                put = tables[i].put;
        if (put != NULL)
            put(out);
        else if (l[1] != NULL)
            g_string_append_printf(out, "%s\n", *l);
    }
    g_string_replace(out, "@VERSION@", UMP_VERSION, 0);
}

int main(int argc, char **argv)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *template = NULL;

    if (argc == 4 && strcmp(argv[1], "page") == 0 && g_file_get_contents(argv[2], &template, NULL, &error)) {
        put_page(text, template);
    } else if (argc == 3 && strcmp(argv[1], "man") == 0) {
        config_write_man(text);
    } else if (argc == 3 && strcmp(argv[1], "sample") == 0) {
        config_write_sample(text);
    } else if (argc == 3 && strcmp(argv[1], "channels") == 0) {
        generate_channels(text);
    } else {
        fprintf(stderr, "%s\n", error != NULL ? error->message : "usage: generate man|sample|channels FILE, generate page TEMPLATE FILE");
        return 64;
    }
    if (!g_file_set_contents(argv[argc - 1], text->str, (gssize)text->len, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
