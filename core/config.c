/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: reading, checking and asking for values. */
#include "core/config.h"

#include "core/cleanup.h"
#include "core/error.h"

#include <fcntl.h>
#include <ini.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_MAX_BYTES (1024 * 1024)

struct value {
    char *text; /* NULL: unset */
    bool set;   /* by the file */
    int line;
    gint64 number;
    char **list;
};

struct config {
    struct value *values; /* parallel to config_options */
};

struct reading {
    struct config *config;
    const char *name;
    const char *p, *end;
    int line;            /* of what was handed to inih last */
    const char *rest;    /* what is left of a line longer than inih's buffer */
    const char *rest_end;
    bool continued;
    GArray *lines;       /* inih's count of lines → ours */
    GString *problems;
};

static size_t option_count(void)
{
    size_t n = 0;

    while (config_options[n].section != NULL)
        n++;
    return n;
}

static gssize find_option(const char *section, const char *key)
{
    for (gssize i = 0; config_options[i].section != NULL; i++)
        if (strcmp(config_options[i].key, key) == 0 && strcmp(config_options[i].section, section) == 0)
            return i;
    return -1;
}

static bool section_known(const char *name)
{
    for (size_t i = 0; config_sections[i].name != NULL; i++)
        if (strcmp(config_sections[i].name, name) == 0)
            return true;
    return false;
}

static void complain(struct reading *reading, int line, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void complain(struct reading *reading, int line, const char *format, ...)
{
    va_list arguments;

    if (reading->problems->len > 0)
        g_string_append_c(reading->problems, '\n');
    if (line > 0)
        g_string_append_printf(reading->problems, "%s:%d: ", reading->name, line);
    else
        g_string_append_printf(reading->problems, "%s: ", reading->name);
    va_start(arguments, format);
    g_string_append_vprintf(reading->problems, format, arguments);
    va_end(arguments);
}

/* --- Values --- */

static bool parse_number(enum config_type type, const char *text, gint64 *out)
{
    bool truth;
    char *end;

    switch (type) {
    case CONFIG_BOOL:
        if (!config_parse_bool(text, &truth))
            return false;
        *out = truth;
        return true;
    case CONFIG_INT:
        errno = 0;
        *out = g_ascii_strtoll(text, &end, 10);
        return end != text && *end == '\0' && errno == 0;
    case CONFIG_DURATION:
        return config_parse_duration(text, out);
    case CONFIG_SIZE:
        return config_parse_size(text, out);
    default:
        return true;
    }
}

/* What a value that is parsed must be; NULL for text. */
static const char *expected(enum config_type type)
{
    switch (type) {
    case CONFIG_BOOL:
        return "yes or no";
    case CONFIG_INT:
        return "a whole number";
    case CONFIG_DURATION:
        return "a duration such as 300ms, 5s, 10m, 2h or 30d";
    case CONFIG_SIZE:
        return "a size such as 4096, 64KiB or 4MiB";
    default:
        return NULL;
    }
}

static char **split_list(const char *text)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) parts = g_strsplit_set(text, ", \t", -1);

    for (size_t i = 0; parts[i] != NULL; i++)
        if (*parts[i] != '\0')
            g_ptr_array_add(words, g_strdup(parts[i]));
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&words), FALSE);
}

/* May the file set it to nothing?  Only where nothing is what it has without the file as well, or min says so. */
static bool may_be_empty(const struct config_option *option)
{
    return option->initial == NULL || *option->initial == '\0' || (option->min != NULL && *option->min == '\0');
}

static bool check_bounds(const struct config_option *option, gint64 number, char **problem)
{
    gint64 bound;

    if (expected(option->type) == NULL)
        return true;
    if (option->min != NULL && parse_number(option->type, option->min, &bound) && number < bound) {
        *problem = g_strdup_printf("must not be less than %s", option->min);
        return false;
    }
    if (option->max != NULL && parse_number(option->type, option->max, &bound) && number > bound) {
        *problem = g_strdup_printf("must not be more than %s", option->max);
        return false;
    }
    return true;
}

static bool check_text(const struct config_option *option, const char *text, char **problem)
{
    if (option->type == CONFIG_CHOICE) {
        g_auto(GStrv) words = g_strsplit(option->unit, "|", -1);
        if (!g_strv_contains((const char *const *)words, text)) {
            *problem = g_strdup_printf("must be one of %s", option->unit);
            return false;
        }
    }
    if ((option->type == CONFIG_PATH || option->type == CONFIG_SECRET) && *text != '/' &&
        !g_str_has_prefix(text, "{state_dir}")) {
        *problem = g_strdup("must be an absolute path");
        return false;
    }
    if (option->type == CONFIG_URL && !g_str_has_prefix(text, "https://") && !g_str_has_prefix(text, "http://")) {
        *problem = g_strdup("must begin with https:// or http://");
        return false;
    }
    return true;
}

/* Checks text and sets the value; false with *problem. */
static bool set_value(struct value *value, const struct config_option *option, const char *text, char **problem)
{
    gint64 number = 0;

    if (!parse_number(option->type, text, &number)) {
        *problem = g_strdup_printf("must be %s", expected(option->type));
        return false;
    }
    if (!check_bounds(option, number, problem) || !check_text(option, text, problem))
        return false;
    g_free(value->text);
    value->text = g_strdup(text);
    value->number = number;
    if (option->type == CONFIG_LIST) {
        g_strfreev(value->list);
        value->list = split_list(text);
    }
    if (option->type == CONFIG_URL)
        while (g_str_has_suffix(value->text, "/"))
            value->text[strlen(value->text) - 1] = '\0';
    return true;
}

static void set_defaults(struct config *config)
{
    for (size_t i = 0; config_options[i].section != NULL; i++) {
        const struct config_option *option = &config_options[i];
        g_autofree char *problem = NULL;
        if (option->initial != NULL && !set_value(&config->values[i], option, option->initial, &problem))
            g_error("default of [%s] %s: %s", option->section, option->key, problem);
        if (option->type == CONFIG_LIST && config->values[i].list == NULL)
            config->values[i].list = split_list("");
    }
}

/* {state_dir} in paths, and the host name. */
static void derive(struct config *config)
{
    gssize hostname = find_option("gateway", "hostname");
    const char *state_dir = config_get_string(config, "gateway", "state_dir");

    if (config->values[hostname].text == NULL)
        config->values[hostname].text = g_strdup(g_get_host_name());
    for (size_t i = 0; config_options[i].section != NULL; i++) {
        struct value *value = &config->values[i];
        enum config_type type = config_options[i].type;
        if ((type == CONFIG_PATH || type == CONFIG_SECRET) && value->text != NULL &&
            g_str_has_prefix(value->text, "{state_dir}")) {
            char *path = g_strconcat(state_dir, value->text + strlen("{state_dir}"), NULL);
            g_free(value->text);
            value->text = path;
        }
    }
}

/* --- The file, through inih --- */

static int handle_pair(void *data, const char *section, const char *key, const char *text)
{
    struct reading *reading = data;
    g_autofree char *problem = NULL, *joined = NULL;

    gssize i = find_option(section, key);
    if (i < 0) {
        if (!section_known(section))
            complain(reading, reading->line, "there is no section [%s]", section);
        else
            complain(reading, reading->line, "there is no option %s in [%s]", key, section);
        return 1;
    }
    struct value *value = &reading->config->values[i];
    if (reading->continued) {
        text = joined = g_strconcat(value->text != NULL ? value->text : "", text, NULL);
    } else if (value->set) {
        complain(reading, reading->line, "%s stands there twice (first in line %d)", key, value->line);
        return 1;
    }
    value->set = true;
    value->line = reading->line;
    if (reading->rest != NULL || *text == '\0') {
        /* More to come, or set to nothing: no default then. */
        g_free(value->text);
        value->text = *text != '\0' ? g_strdup(text) : NULL;
        if (config_options[i].type == CONFIG_LIST) {
            g_strfreev(value->list);
            value->list = split_list("");
        }
        if (*text == '\0' && expected(config_options[i].type) != NULL)
            complain(reading, reading->line, "%s must be %s", key, expected(config_options[i].type));
        else if (*text == '\0' && reading->rest == NULL && !may_be_empty(&config_options[i]))
            complain(reading, reading->line, "%s may not be empty; without the line it is %s", key, config_options[i].initial);
    } else if (!set_value(value, &config_options[i], text, &problem)) {
        complain(reading, reading->line, "%s %s", key, problem);
    }
    return 1;
}

/* Where a long line can be cut: inih strips white space from the pieces and sees comments behind it. */
static size_t cut_at(const char *p, size_t length, size_t room)
{
    if (length <= room)
        return length;
    size_t n = room;
    while (n > 1 && (strchr(" \t;", p[n]) != NULL || strchr(" \t;", p[n - 1]) != NULL))
        n--;
    return n;
}

static char *hand_over(struct reading *reading, char *buffer, size_t size, bool continued)
{
    size_t indent = continued ? 1 : 0;
    size_t length = (size_t)(reading->rest_end - reading->rest);
    size_t n = cut_at(reading->rest, length, size - 4 - indent);

    if (continued)
        buffer[0] = ' ';
    memcpy(buffer + indent, reading->rest, n);
    buffer[indent + n] = '\n';
    buffer[indent + n + 1] = '\0';
    reading->rest = n < length ? reading->rest + n : NULL;
    reading->continued = continued;
    g_array_append_val(reading->lines, reading->line);
    return buffer;
}

/*
 * inih's fgets.  Counts lines, which its handler is not told; takes indentation away, so that an
 * indented option is none the less an option; and hands long lines over in pieces, as continuation
 * lines, since inih's buffer holds 200 bytes.
 */
static char *read_line(char *buffer, int size, void *data)
{
    struct reading *reading = data;

    if (reading->rest != NULL)
        return hand_over(reading, buffer, (size_t)size, true);
    if (reading->p == reading->end)
        return NULL;
    const char *stop = memchr(reading->p, '\n', (size_t)(reading->end - reading->p));
    const char *next = stop != NULL ? stop + 1 : reading->end;
    const char *end = stop != NULL ? stop : reading->end;
    reading->line++;
    while (reading->p < end && g_ascii_isspace(*reading->p))
        reading->p++;
    while (end > reading->p && g_ascii_isspace(end[-1]))
        end--;
    reading->rest = reading->p;
    /* Of a comment only its beginning is needed. */
    reading->rest_end = reading->p < end && (*reading->p == '#' || *reading->p == ';') ? reading->p + 1 : end;
    reading->p = next;
    return hand_over(reading, buffer, (size_t)size, false);
}

struct config *config_parse(const char *text, size_t length, const char *name, GError **error)
{
    g_autoptr(config_t) config = g_new0(struct config, 1);
    g_autoptr(GString) problems = g_string_new(NULL);
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(int));
    struct reading reading = {.config = config, .name = name, .p = text, .end = text + length,
                              .lines = lines, .problems = problems};

    config->values = g_new0(struct value, option_count());
    set_defaults(config);
    if (memchr(text, '\0', length) != NULL) {
        complain(&reading, 0, "holds a NUL byte");
    } else {
        int bad = ini_parse_stream(read_line, &reading, handle_pair, &reading);
        if (bad > 0)
            complain(&reading, (guint)bad <= lines->len ? g_array_index(lines, int, bad - 1) : 0,
                     "is neither [section] nor key = value");
        else if (bad < 0)
            complain(&reading, 0, "cannot be read");
    }
    if (problems->len > 0) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG, problems->str);
        return NULL;
    }
    derive(config);
    return g_steal_pointer(&config);
}

struct config *config_load(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) cause = NULL;
    gsize length = 0;

    if (path == NULL)
        return config_parse("", 0, "defaults", error);
    if (!g_file_get_contents(path, &text, &length, &cause)) {
        g_set_error_literal(error, UMP_ERROR, UMP_ERROR_CONFIG, cause->message);
        return NULL;
    }
    if (length > CONFIG_MAX_BYTES) {
        g_set_error(error, UMP_ERROR, UMP_ERROR_CONFIG, "%s: too large for a configuration", path);
        return NULL;
    }
    return config_parse(text, length, path, error);
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; config->values != NULL && config_options[i].section != NULL; i++) {
        g_free(config->values[i].text);
        g_strfreev(config->values[i].list);
    }
    g_free(config->values);
    g_free(config);
}

/* --- Asking --- */

static const struct value *value_of(const struct config *config, const char *section, const char *key,
                                    guint types)
{
    gssize i = find_option(section, key);

    if (i < 0)
        g_error("there is no option [%s] %s", section, key);
    if ((types & 1u << config_options[i].type) == 0)
        g_error("option [%s] %s is of another type", section, key);
    return &config->values[i];
}

#define TEXT_TYPES                                                                                     \
    (1u << CONFIG_STRING | 1u << CONFIG_PATH | 1u << CONFIG_SECRET | 1u << CONFIG_CHOICE | 1u << CONFIG_URL)

const char *config_get_string(const struct config *config, const char *section, const char *key)
{
    return value_of(config, section, key, TEXT_TYPES)->text;
}

const char *const *config_get_list(const struct config *config, const char *section, const char *key)
{
    return (const char *const *)value_of(config, section, key, 1u << CONFIG_LIST)->list;
}

bool config_get_bool(const struct config *config, const char *section, const char *key)
{
    return value_of(config, section, key, 1u << CONFIG_BOOL)->number != 0;
}

gint64 config_get_int(const struct config *config, const char *section, const char *key)
{
    return value_of(config, section, key, 1u << CONFIG_INT)->number;
}

gint64 config_get_duration(const struct config *config, const char *section, const char *key)
{
    return value_of(config, section, key, 1u << CONFIG_DURATION)->number;
}

int config_get_duration_ms(const struct config *config, const char *section, const char *key)
{
    gint64 us = config_get_duration(config, section, key);

    return (int)MIN((us + 999) / 1000, (gint64)G_MAXINT);
}

gint64 config_get_size(const struct config *config, const char *section, const char *key)
{
    return value_of(config, section, key, 1u << CONFIG_SIZE)->number;
}

bool config_is_set(const struct config *config, const char *section, const char *key)
{
    return value_of(config, section, key, ~0u)->set;
}
