/* SPDX-License-Identifier: Apache-2.0 */
/* What is made from the table: --print, the sample file, the manual page; and the check of files. */
#include "core/config.h"

#include "core/phone.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- --print --- */

static const char *text_of(const struct config *config, const struct config_option *option, GString *buffer)
{
    switch (option->type) {
    case CONFIG_LIST: {
        const char *const *list = config_get_list(config, option->section, option->key);
        g_string_truncate(buffer, 0);
        for (; *list != NULL; list++)
            g_string_append_printf(buffer, "%s%s", buffer->len > 0 ? " " : "", *list);
        return buffer->str;
    }
    case CONFIG_BOOL:
        return config_get_bool(config, option->section, option->key) ? "yes" : "no";
    case CONFIG_INT:
        g_string_printf(buffer, "%" G_GINT64_FORMAT, config_get_int(config, option->section, option->key));
        return buffer->str;
    case CONFIG_DURATION:
    case CONFIG_SIZE: {
        gint64 number = option->type == CONFIG_SIZE ? config_get_size(config, option->section, option->key)
                                                    : config_get_duration(config, option->section, option->key);
        config_format_number(option->type, number, buffer);
        return buffer->str;
    }
    default:
        return config_get_string(config, option->section, option->key);
    }
}

/* The password in a connection string is for nobody's eyes. */
static void put_hidden(GString *out, const char *text)
{
    const char *scheme = strstr(text, "://");
    const char *start = scheme != NULL ? scheme + 3 : NULL;
    const char *at = start != NULL ? strchr(start, '@') : NULL;
    const char *colon = at != NULL ? memchr(start, ':', (size_t)(at - start)) : NULL;
    const char *word = strstr(text, "password=");

    if (colon != NULL) {
        g_string_append_len(out, text, colon + 1 - text);
        g_string_append_printf(out, "****%s", at);
    } else if (word != NULL) {
        const char *value = word + strlen("password=");
        g_string_append_len(out, text, value - text);
        g_string_append_printf(out, "****%s", value + strcspn(value, " &"));
    } else {
        g_string_append(out, text);
    }
}

void config_print(const struct config *config, GString *out)
{
    const char *section = "";
    g_autoptr(GString) buffer = g_string_new(NULL);

    for (const struct config_option *o = config_options; o->section != NULL; o++) {
        if (strcmp(section, o->section) != 0) {
            g_string_append_printf(out, "%s[%s]\n", *section != '\0' ? "\n" : "", o->section);
            section = o->section;
        }
        const char *text = text_of(config, o, buffer);
        g_string_append_printf(out, "%s = ", o->key);
        put_hidden(out, text != NULL ? text : "");
        g_string_append_c(out, '\n');
    }
}

/* --- Numbers back to text --- */

void config_format_number(enum config_type type, gint64 number, GString *out)
{
    static const struct {
        const char *name;
        gint64 factor;
    } durations[] = {{"d", G_GINT64_CONSTANT(86400000000)}, {"h", G_GINT64_CONSTANT(3600000000)},
                     {"m", 60000000}, {"s", 1000000}, {"ms", 1000}, {"us", 1}},
      sizes[] = {{"GiB", G_GINT64_CONSTANT(1073741824)}, {"MiB", 1048576}, {"KiB", 1024}, {"", 1}};
    size_t i = 0;

    if (number == 0) {
        g_string_assign(out, type == CONFIG_SIZE ? "0" : "0s");
    } else if (type == CONFIG_SIZE) {
        while (number % sizes[i].factor != 0)
            i++;
        g_string_printf(out, "%" G_GINT64_FORMAT "%s", number / sizes[i].factor, sizes[i].name);
    } else {
        while (number % durations[i].factor != 0)
            i++;
        g_string_printf(out, "%" G_GINT64_FORMAT "%s", number / durations[i].factor, durations[i].name);
    }
}

/* --- The sample --- */

static void put_wrapped(GString *out, const char *text, const char *prefix)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    size_t column = 0;

    for (size_t i = 0; words[i] != NULL; i++) {
        size_t length = strlen(words[i]);
        if (column == 0 || column + 1 + length > 96) {
            g_string_append_printf(out, "%s%s%s", column > 0 ? "\n" : "", prefix, words[i]);
            column = strlen(prefix) + length;
        } else {
            g_string_append_printf(out, " %s", words[i]);
            column += 1 + length;
        }
    }
    g_string_append_c(out, '\n');
}

static void put_range(GString *out, const struct config_option *option)
{
    if (option->type == CONFIG_CHOICE)
        g_string_append_printf(out, "One of %s.", option->unit);
    else if (option->min != NULL && option->max != NULL)
        g_string_append_printf(out, "From %s to %s%s%s.", option->min, option->max,
                               option->unit != NULL ? " " : "", option->unit != NULL ? option->unit : "");
}

void config_write_sample(GString *out)
{
    g_string_append(out, "# Configuration of the gateway; see ump.conf(5).\n"
                         "# Made from the table of options: every option is shown at its default.\n"
                         "# Durations: 300ms 5s 10m 2h 30d. Sizes: 4096 64KiB 4MiB. Lists: words.\n");
    for (const struct config_section *s = config_sections; s->name != NULL; s++) {
        g_string_append_c(out, '\n');
        put_wrapped(out, s->doc, "# ");
        g_string_append_printf(out, "[%s]\n", s->name);
        for (const struct config_option *o = config_options; o->section != NULL; o++) {
            if (strcmp(o->section, s->name) != 0)
                continue;
            g_autoptr(GString) doc = g_string_new(o->doc);
            g_string_append_c(doc, ' ');
            put_range(doc, o);
            g_string_append_c(out, '\n');
            put_wrapped(out, g_strchomp(doc->str), "# ");
            g_string_append_printf(out, "#%s =%s%s\n", o->key, o->initial != NULL ? " " : "",
                                   o->initial != NULL ? o->initial : "");
        }
    }
}

/* --- The manual page --- */

/* One word, or one line that is not to be folded. */
static void put_roff(GString *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        g_string_append(out, "\\&");
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\\')
            g_string_append(out, "\\e");
        else if (*p == '-')
            g_string_append(out, "\\-");
        else
            g_string_append_c(out, *p);
    }
}

/* Words in lines below 80 columns, with the line end. */
static void put_paragraph(GString *out, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    size_t column = 0;

    for (size_t i = 0; words[i] != NULL; i++) {
        size_t before = out->len;
        g_autoptr(GString) word = g_string_new(NULL);
        put_roff(word, words[i]);
        if (column > 0)
            g_string_append_c(out, column + 1 + word->len > 78 ? '\n' : ' ');
        if (column + 1 + word->len > 78)
            column = 0;
        g_string_append(out, word->str);
        column += out->len - before;
    }
    g_string_append_c(out, '\n');
}

static const char *const TYPE_WORDS[] = {
    [CONFIG_STRING] = "text", [CONFIG_PATH] = "path",     [CONFIG_SECRET] = "path of a key file",
    [CONFIG_LIST] = "list",   [CONFIG_CHOICE] = "word",   [CONFIG_BOOL] = "yes or no",
    [CONFIG_INT] = "number",  [CONFIG_DURATION] = "duration", [CONFIG_SIZE] = "size",
    [CONFIG_URL] = "URL",
};

static void put_option(GString *out, const struct config_option *option)
{
    g_autoptr(GString) range = g_string_new(NULL);

    g_string_append_printf(out, ".TP\n.BR %s \" (%s", option->key, TYPE_WORDS[option->type]);
    if (option->initial != NULL) {
        g_string_append(out, ", default ");
        put_roff(out, option->initial);
    }
    g_string_append(out, ")\"\n");
    put_paragraph(out, option->doc);
    put_range(range, option);
    if (range->len > 0)
        put_paragraph(out, range->str);
}

void config_write_man(GString *out)
{
    g_string_append(out,
                    ".\\\" Made from the table of options.\n"
                    ".TH UMP.CONF 5 2026-11-20 \"ump " UMP_VERSION "\" \"File formats\"\n"
                    ".SH NAME\nump.conf \\- configuration of the message gateway\n"
                    ".SH SYNOPSIS\n.I /etc/ump/ump.conf\n"
                    ".SH DESCRIPTION\n"
                    "One file configures\n.BR ump\\-milter (8),\n.BR ump\\-lmtp (8),\n"
                    ".BR ump\\-bridge (8)\nand\n.BR umpctl (8).\n"
                    "It consists of sections in square brackets and lines\n.IR key \" = \" value .\n"
                    "Lines that begin with # or ; are comments.\n"
                    "An unknown section, an unknown key, a key that stands there twice and a\n"
                    "value that does not fit are errors.\n"
                    "Every program checks the file with\n.B \\-\\-check\n"
                    "and prints the effective values with\n.BR \\-\\-print .\n"
                    ".PP\nDurations are written with a unit: 300ms, 5s, 10m, 2h, 30d, 1h30m.\n"
                    "Sizes are bytes, or have a unit: 64KiB, 4MiB, 1GiB.\n"
                    "Lists are words separated by white space or commas.\n"
                    "Yes and no may also be written true, on, 1 and false, off, 0.\n"
                    "In paths {state_dir} stands for the option of that name.\n"
                    "Secrets never stand in this file: options that end in _file name files, one\n"
                    "key to a line, which others than owner and group must not be able to read.\n");
    for (const struct config_section *s = config_sections; s->name != NULL; s++) {
        g_string_append_printf(out, ".SH \"[%s]\"\n", s->name);
        put_paragraph(out, s->doc);
        for (const struct config_option *o = config_options; o->section != NULL; o++)
            if (strcmp(o->section, s->name) == 0)
                put_option(out, o);
    }
    g_string_append(out, ".SH FILES\n.I /etc/ump/ump.conf\n.SH SEE ALSO\n.BR ump\\-milter (8),\n"
                         ".BR ump\\-lmtp (8),\n.BR ump\\-bridge (8),\n.BR umpctl (8)\n");
}

/* --- --check: what lies outside the file --- */

static void check_secret(const struct config_option *option, const char *path, GPtrArray *problems)
{
    struct stat st;

    if (access(path, R_OK) != 0 || stat(path, &st) != 0)
        g_ptr_array_add(problems, g_strdup_printf("[%s] %s: %s: %s", option->section, option->key, path,
                                                  g_strerror(errno)));
    else if ((st.st_mode & 07) != 0)
        g_ptr_array_add(problems, g_strdup_printf("[%s] %s: %s: everyone may read or write it; chmod it to 0640",
                                                  option->section, option->key, path));
}

static void check_gateway(const struct config *config, GPtrArray *problems)
{
    const char *region = config_get_string(config, "gateway", "region");
    const char *state_dir = config_get_string(config, "gateway", "state_dir");

    if (config_get_list(config, "gateway", "domains")[0] == NULL)
        g_ptr_array_add(problems, g_strdup("[gateway] domains: no domain is named"));
    if (region != NULL && !phone_region_known(region))
        g_ptr_array_add(problems, g_strdup_printf("[gateway] region: %s is no country's two letters", region));
    if (state_dir == NULL || access(state_dir, F_OK) != 0)
        g_ptr_array_add(problems, g_strdup_printf("[gateway] state_dir: %s: %s",
                                                  state_dir != NULL ? state_dir : "unset", g_strerror(errno)));
}

guint config_check_files(const struct config *config, const char *const *sections, GPtrArray *problems)
{
    guint before = problems->len;

    check_gateway(config, problems);
    for (const struct config_option *o = config_options; o->section != NULL; o++) {
        if (o->type != CONFIG_SECRET || (sections != NULL && !g_strv_contains(sections, o->section)))
            continue;
        const char *path = config_get_string(config, o->section, o->key);
        if (path != NULL)
            check_secret(o, path, problems);
    }
    return problems->len - before;
}
