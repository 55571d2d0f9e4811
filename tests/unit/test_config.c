/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config.h"

#include "core/error.h"

#include "unit.h"

static struct config *parse(const char *text, GError **error)
{
    return config_parse(text, strlen(text), "f", error);
}

static void test_values(void **state)
{
    g_autoptr(config_t) config = parse("# comment\n[gateway]\ndomains = a.org, b.org\n  region=DE\n"
                                       "public_url = https://x.org/\n[outbound]\npoll = 1m30s\n"
                                       "[media]\nmax_size = 2MiB\n[outbound]\n[web]\njournal_always = yes\n",
                                       NULL);

    assert_non_null(config);
    assert_string_equal(config_get_list(config, "gateway", "domains")[1], "b.org");
    assert_null(config_get_list(config, "gateway", "domains")[2]);
    assert_string_equal(config_get_string(config, "gateway", "region"), "DE");
    assert_string_equal(config_get_string(config, "gateway", "public_url"), "https://x.org");
    assert_int_equal(config_get_duration(config, "outbound", "poll"), 90 * 1000000);
    assert_int_equal(config_get_duration_ms(config, "outbound", "poll"), 90000);
    assert_int_equal(config_get_size(config, "media", "max_size"), 2 * 1024 * 1024);
    assert_true(config_get_bool(config, "web", "journal_always"));
    assert_true(config_is_set(config, "web", "journal_always"));
    assert_false(config_is_set(config, "web", "listen"));
    assert_int_equal(config_get_int(config, "database", "batch_statements"), 64);
    assert_string_equal(config_get_string(config, "media", "dir"), "/var/lib/ump/media");
    assert_non_null(config_get_string(config, "gateway", "hostname"));
}

static void test_errors(void **state)
{
    static const char *const cases[][2] = {
        {"[gateway]\nfoo = 1\n", "f:2: there is no option foo in [gateway]"},
        {"[foo]\n\nbar = 1\n", "f:3: there is no section [foo]"},
        {"[gateway]\nregion = US\nregion = DE\n", "f:3: region stands there twice (first in line 2)"},
        {"[gateway]\nregion = US\n[web]\n[gateway]\nregion = US\n", "f:5: region stands there twice (first in line 2)"},
        {"[gateway]\nlog_level = loud\n", "f:2: log_level must be one of error|warning|notice|info|debug"},
        {"[database]\npool_size = x\n", "f:2: pool_size must be a whole number"},
        {"[database]\npool_size = 0\n", "f:2: pool_size must not be less than 1"},
        {"[database]\npool_size = 1000\n", "f:2: pool_size must not be more than 256"},
        {"[web]\njournal_after = 5\n", "f:2: journal_after must be a duration such as 300ms, 5s, 10m, 2h or 30d"},
        {"[inbound]\nlmtp_socket =\n", "f:2: lmtp_socket may not be empty; without the line it is "
                                        "unix:/var/spool/postfix/ump/lmtp.sock"},
        {"[bridge]\nroles =\n", "f:2: roles may not be empty; without the line it is web inbound outbound receipts"},
        {"[lmtp]\nindex =\n", "f:2: index may not be empty; without the line it is best-effort"},
        {"[web]\njournal_after =\n", "f:2: journal_after must be a duration such as 300ms, 5s, 10m, 2h or 30d"},
        {"[web]\nmax_body = 5x\n", "f:2: max_body must be a size such as 4096, 64KiB or 4MiB"},
        {"[web]\njournal_always = maybe\n", "f:2: journal_always must be yes or no"},
        {"[media]\ndir = relative\n", "f:2: dir must be an absolute path"},
        {"[gateway]\npublic_url = x.org\n", "f:2: public_url must begin with https:// or http://"},
        {"[gateway]\nnonsense\n", "f:2: is neither [section] nor key = value"},
        {"[gateway\n", "f:1: is neither [section] nor key = value"},
        {"[gateway]\nfoo = 1\nbar = 2\n", "f:2: there is no option foo in [gateway]\nf:3: there is no option bar in [gateway]"},
        {"region = US\n", "f:1: there is no section []"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(parse(cases[i][0], &error));
        assert_int_equal(error->code, UMP_ERROR_CONFIG);
        assert_string_equal(error->message, cases[i][1]);
    }
    g_autoptr(GError) error = NULL;
    assert_null(config_parse("\0", 1, "f", &error));
}

/* inih's buffer holds 200 bytes. */
static void test_long_lines(void **state)
{
    for (size_t length = 100; length < 1200; length += 37) {
        g_autoptr(GString) value = g_string_new("host=");
        while (value->len < length)
            g_string_append_printf(value, "%s%zu", value->len % 3 == 0 ? " k;x=" : ",", value->len);
        g_autofree char *text = g_strdup_printf("# %s\n[database]\nuri = %s\n[web]\nthreads = 3\n", value->str, value->str);
        g_autofree char *bad = g_strconcat(text, "foo = 1\n", NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(config_t) config = parse(text, &error);
        if (config == NULL)
            fail_msg("%s", error->message);
        assert_string_equal(config_get_string(config, "database", "uri"), value->str);
        assert_int_equal(config_get_int(config, "web", "threads"), 3);
        assert_null(parse(bad, &error));
        assert_string_equal(error->message, "f:6: there is no option foo in [web]");
    }
}

static void test_emptied(void **state)
{
    g_autoptr(config_t) config = parse("[gateway]\nregion =\n[lmtp]\nsubmit =\n[web]\ntrusted_proxies =\n[dovecot]\ndoveadm_url =\n", NULL);

    assert_null(config_get_string(config, "gateway", "region"));
    assert_null(config_get_string(config, "lmtp", "submit"));
    assert_null(config_get_string(config, "dovecot", "doveadm_url"));
    assert_null(config_get_list(config, "web", "trusted_proxies")[0]);
}

static void test_number_parsers(void **state)
{
    static const struct {
        const char *text;
        gint64 us;
    } durations[] = {{"0", 0}, {"300ms", 300000}, {"5s", 5000000}, {"1h30m", 5400000000}, {"30d", 2592000000000},
                     {"-1d", -86400000000}, {"1w", 604800000000}, {"2 h", 7200000000}, {"1d 1s", 86401000000}};
    static const char *const bad[] = {"", "5", "s", "5x", "5s5", "--5s", "99999999999999999999s", "999999999999w", "5 s x"};
    gint64 value;

    for (size_t i = 0; i < G_N_ELEMENTS(durations); i++) {
        assert_true(config_parse_duration(durations[i].text, &value));
        assert_int_equal(value, durations[i].us);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(config_parse_duration(bad[i], &value));
    assert_true(config_parse_size("4 MiB", &value) && value == 4 * 1024 * 1024);
    assert_true(config_parse_size("0", &value) && value == 0);
    assert_false(config_parse_size("-1", &value));
    assert_false(config_parse_size("1MiB1", &value));
    g_autoptr(GString) text = g_string_new(NULL);
    config_format_number(CONFIG_DURATION, 5400000000, text);
    assert_string_equal(text->str, "90m");
    config_format_number(CONFIG_SIZE, 3 * 1024, text);
    assert_string_equal(text->str, "3KiB");
}

/* Every default passes its own check, every section is documented, every option says something. */
static void test_table(void **state)
{
    g_autoptr(config_t) config = config_load(NULL, NULL);

    assert_non_null(config);
    for (const struct config_option *o = config_options; o->section != NULL; o++) {
        bool known = false;
        for (const struct config_section *s = config_sections; s->name != NULL; s++)
            known |= strcmp(s->name, o->section) == 0;
        assert_true(known);
        assert_true(strlen(o->doc) > 10 && strchr(".:", o->doc[strlen(o->doc) - 1]) != NULL);
        assert_true(o->type != CONFIG_SECRET || g_str_has_suffix(o->key, "_file"));
        for (const struct config_option *p = o + 1; p->section != NULL; p++)
            assert_false(strcmp(o->section, p->section) == 0 && strcmp(o->key, p->key) == 0);
    }
}

/* What --print prints is a configuration with the same values. */
static void test_print(void **state)
{
    g_autoptr(config_t) config = parse("[gateway]\ndomains = a.org b.org\nclock_offset = -90m\n", NULL);
    g_autoptr(GString) text = g_string_new(NULL), again = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    config_print(config, text);
    g_autoptr(config_t) back = parse(text->str, &error);
    if (back == NULL)
        fail_msg("%s", error->message);
    config_print(back, again);
    assert_string_equal(text->str, again->str);
}

static void test_print_hides_passwords(void **state)
{
    g_autoptr(config_t) config = parse("[database]\nuri = postgresql://u:hush@h/d\n[ctl]\n"
                                       "database_uri = host=h password=hush dbname=d\n",
                                       NULL);
    g_autoptr(GString) text = g_string_new(NULL);

    config_print(config, text);
    assert_null(strstr(text->str, "hush"));
    assert_non_null(strstr(text->str, "uri = postgresql://u:****@h/d\n"));
    assert_non_null(strstr(text->str, "database_uri = host=h password=**** dbname=d\n"));
}

/* The sample with every comment sign removed is a configuration with the default values. */
static void test_sample(void **state)
{
    g_autoptr(GString) sample = g_string_new(NULL), open = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    config_write_sample(sample);
    g_auto(GStrv) lines = g_strsplit(sample->str, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++)
        if (lines[i][0] == '#' && lines[i][1] != ' ' && strstr(lines[i], " = ") != NULL)
            g_string_append_printf(open, "%s\n", lines[i] + 1);
        else
            g_string_append_printf(open, "%s\n", lines[i]);
    g_autoptr(config_t) config = parse(open->str, &error);
    if (config == NULL)
        fail_msg("%s", error->message);
}

/* conf/ump.conf is what the table makes; `ninja sample` writes it anew. */
static void test_sample_in_repository(void **state)
{
    const char *root = g_getenv("UMP_SOURCE_DIR");
    g_autoptr(GString) sample = g_string_new(NULL);
    g_autofree char *path = g_build_filename(root != NULL ? root : ".", "conf", "ump.conf", NULL), *text = NULL;

    config_write_sample(sample);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, sample->str);
}

static void test_man(void **state)
{
    g_autoptr(GString) man = g_string_new(NULL);

    config_write_man(man);
    for (const struct config_option *o = config_options; o->section != NULL; o++) {
        g_autofree char *entry = g_strdup_printf(".BR %s \"", o->key);
        assert_non_null(strstr(man->str, entry));
    }
}

static void test_check(void **state)
{
    g_autoptr(config_t) config = parse("[gateway]\nstate_dir = /nonexistent\nregion = XX\n", NULL);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

    assert_true(config_check_files(config, NULL, problems) >= 3);
    assert_string_equal(g_ptr_array_index(problems, 0), "[gateway] domains: no domain is named");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_emptied),
        cmocka_unit_test(test_number_parsers),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_print_hides_passwords),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_sample_in_repository),
        cmocka_unit_test(test_man),
        cmocka_unit_test(test_check),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
