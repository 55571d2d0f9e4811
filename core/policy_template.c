/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free text or a template?  Some networks take free text only for a while after the contact's last
 * message (limits.window_s), and templates, whose words they have approved, always.  A template is
 * chosen in the address (+15551234567+welcome@…) or by UMP-Template, an item of RFC 9651:
 *
 *     UMP-Template: welcome; language=de; v1="Bob"; v2="9:00"
 */
#include "core/policy_internal.h"

#include <stdint.h>
#include <string.h>

#include "core/clock.h"
#include "core/endpoint_settings.h"
#include "core/sf.h"
#include "core/template_text.h"

#define SHOWN 5          /* templates in a refusal */
#define MAX_BODY 1024    /* characters of a template with its variables */

struct choice {
    char *name, *language;
    GPtrArray *variables; /* char *; NULL: the lines of the text */
};

static void choice_clear(struct choice *choice)
{
    g_free(choice->name);
    g_free(choice->language);
    if (choice->variables != NULL)
        g_ptr_array_unref(choice->variables);
    *choice = (struct choice){0};
}
typedef struct choice choice_t;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(choice_t, choice_clear)

/* ---- What was chosen ---- */

static void read_param(struct choice *choice, const struct sf_param *param)
{
    if (strcmp(param->key, "language") == 0 && choice->language == NULL && param->value.text != NULL)
        choice->language = g_strdup(param->value.text);
    if (param->key[0] != 'v' || !g_ascii_isdigit(param->key[1]))
        return;
    if (choice->variables == NULL)
        choice->variables = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(choice->variables, param->value.text != NULL
                                           ? g_strdup(param->value.text)
                                           : g_strdup_printf("%" G_GINT64_FORMAT, param->value.integer));
}

static void read_field(struct choice *choice, const char *text)
{
    g_auto(sf_t) sf = {0};
    if (!sf_parse_item(text, strlen(text), &sf) || sf_count(&sf) != 1 || sf_member(&sf, 0)->value.text == NULL) {
        choice->name = g_strstrip(g_strdup(text)); /* not well-formed: the name at least */
        return;
    }
    const struct sf_item *item = sf_member(&sf, 0);
    choice->name = g_strdup(item->value.text);
    for (guint i = 0; item->params != NULL && i < item->params->len; i++)
        read_param(choice, &g_array_index(item->params, struct sf_param, i));
}

static bool is_chosen(const struct policy_request *request, const struct policy_facts *facts)
{
    return facts->address.template != NULL || request->template != NULL;
}

static void read_choice(const struct policy_request *request, const struct policy_facts *facts, struct choice *choice)
{
    if (facts->address.template != NULL)
        choice->name = g_strdup(facts->address.template);
    else
        read_field(choice, request->template);
}

/* ---- The window ---- */

gint64 policy_window_s(const struct policy_facts *facts)
{
    return endpoint_setting_int(json_object_get(facts->endpoint_settings, "limits"), "window_s", 0);
}

static bool window_is_closed(const struct policy_facts *facts)
{
    gint64 window = policy_window_s(facts) * CLOCK_SECOND;
    if (window <= 0 || facts->group_id != NULL || facts->address.kind == ADDRESS_GROUP)
        return false;
    return facts->last_inbound == 0 || ump_clock_now_us() - facts->last_inbound >= window;
}

static const char *reopen_name(const struct policy_facts *facts)
{
    return endpoint_setting_string(facts->endpoint_settings, "reopen_template", NULL);
}

bool policy_template_matters(const struct policy_request *request, const struct policy_facts *facts)
{
    if (!facts->known || facts->endpoint_id == NULL || request->early || facts->address.kind == ADDRESS_NOTICE)
        return false;
    return is_chosen(request, facts) || window_is_closed(facts);
}

bool policy_template_goes(const struct policy_request *request, const struct policy_facts *facts)
{
    return is_chosen(request, facts) || (window_is_closed(facts) && reopen_name(facts) != NULL);
}

/* ---- The templates ---- */

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* In the language that was asked for, else the endpoint's, else the first. */
static const json_t *find(const struct policy_facts *facts, const char *name, const char *language)
{
    const char *wanted = language != NULL ? language
                                          : endpoint_setting_string(facts->endpoint_settings, "template_language", NULL);
    const json_t *found = NULL, *item;
    size_t i;
    json_array_foreach(facts->templates, i, item) {
        if (g_ascii_strcasecmp(text_of(item, "name"), name) != 0)
            continue;
        if (wanted != NULL && g_ascii_strcasecmp(text_of(item, "language"), wanted) == 0)
            return item;
        if (found == NULL && language == NULL)
            found = item;
    }
    return found;
}

static const json_t *places_of(const json_t *template)
{
    return json_object_get(json_object_get(template, "body"), "places");
}

/* "welcome (1 line), reminder (2 lines)": of each name once, those that a mail can fill. */
static char *list_names(const struct policy_facts *facts)
{
    GString *out = g_string_new(NULL);
    const char *last = "";
    guint shown = 0;
    const json_t *item;
    size_t i;
    json_array_foreach(facts->templates, i, item) {
        size_t lines = json_array_size(places_of(item));
        if (strcmp(last, text_of(item, "name")) == 0 || text_of(json_object_get(item, "body"), "missing") != NULL)
            continue;
        last = text_of(item, "name");
        if (++shown > SHOWN)
            break;
        g_string_append_printf(out, "%s%s (%zu line%s)", shown > 1 ? ", " : "", last, lines, lines == 1 ? "" : "s");
    }
    if (shown > SHOWN)
        g_string_append(out, " ...");
    return g_string_free(out, FALSE);
}

static char *say_names(const struct policy_facts *facts, const char *before)
{
    g_autofree char *names = list_names(facts);
    if (*names == '\0')
        return g_strdup("none is known here, ask the administrator for one");
    return g_strconcat(before, names, NULL);
}

/* ---- The check ---- */

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

static enum policy_reason check_variables(const struct choice *choice, const json_t *template,
                                          const struct policy_message *message, struct policy_words *words)
{
    size_t places = json_array_size(places_of(template));
    words->limit = (gint64)places;
    if (choice->variables != NULL) {
        words->count = choice->variables->len;
        return choice->variables->len == places ? POLICY_OK : POLICY_TEMPLATE_LINES;
    }
    if (message->text == NULL) /* not certain yet: it is looked at again before it is sent */
        return POLICY_OK;
    g_autofree char *text = message->text_length < 0 ? g_strdup(message->text)
                                                     : g_strndup(message->text, (gsize)message->text_length);
    g_autoptr(GPtrArray) variables = template_variables(text, (guint)places);
    words->count = template_lines(text);
    return variables != NULL ? POLICY_OK : POLICY_TEMPLATE_LINES;
}

static enum policy_reason check_chosen(const struct policy_request *request, const struct policy_facts *facts,
                                       const struct policy_message *message, struct policy_words *words, char **text)
{
    g_auto(choice_t) choice = {0};
    read_choice(request, facts, &choice);
    const json_t *template = find(facts, choice.name, choice.language);
    if (template == NULL) {
        g_autofree char *names = say_names(facts, "it has: ");
        *text = g_strconcat(choice.name, "; ", names, NULL);
        words->why = *text;
        return POLICY_TEMPLATE_UNKNOWN;
    }
    words->from = text_of(template, "name");
    words->why = text_of(json_object_get(template, "body"), "missing");
    if (words->why != NULL)
        return POLICY_TEMPLATE_MISSING;
    if (message->attachments > 0)
        return POLICY_TEMPLATE_MEDIA;
    return check_variables(&choice, template, message, words);
}

/* The endpoint's own template carries a text, nothing else. */
static enum policy_reason check_reopen(const struct policy_facts *facts, const struct policy_message *message,
                                       struct policy_words *words)
{
    const char *name = reopen_name(facts);
    const json_t *template = name != NULL ? find(facts, name, NULL) : NULL;
    const char *frame = text_of(json_object_get(template, "body"), "text");
    if (template == NULL || json_array_size(places_of(template)) != 1 || message->attachments > 0)
        return POLICY_WINDOW;
    if (message->text == NULL)
        return POLICY_OK;
    if (is_blank(message->text))
        return POLICY_EMPTY;
    words->count = g_utf8_strlen(message->text, (gssize)message->text_length);
    words->limit = MAX_BODY - (frame != NULL ? g_utf8_strlen(frame, -1) : 0);
    return words->count > words->limit ? POLICY_TEXT_TOO_LONG : POLICY_OK;
}

enum policy_reason policy_template_check(const struct policy_request *request, const struct policy_facts *facts,
                                         const struct policy_message *message, struct policy_words *words, char **text)
{
    if (is_chosen(request, facts))
        return check_chosen(request, facts, message, words, text);
    if (!window_is_closed(facts))
        return POLICY_OK;
    enum policy_reason reason = check_reopen(facts, message, words);
    if (reason == POLICY_WINDOW) {
        *text = say_names(facts, "write to the number with +NAME behind it, one line for each variable: ");
        words->why = *text;
        words->count = policy_window_s(facts) / 3600;
    }
    return reason;
}

json_t *policy_template(const struct policy_request *request, const struct policy_facts *facts)
{
    g_auto(choice_t) choice = {0};
    if (is_chosen(request, facts))
        read_choice(request, facts, &choice);
    else if (window_is_closed(facts))
        choice.name = g_strdup(reopen_name(facts));
    const json_t *template = choice.name != NULL ? find(facts, choice.name, choice.language) : NULL;
    if (template == NULL)
        return NULL;
    json_t *out = json_pack("{s:O, s:O}", "name", json_object_get(template, "name"), "language",
                            json_object_get(template, "language"));
    json_object_set(out, "places", (json_t *)(uintptr_t)places_of(template));
    if (!is_chosen(request, facts)) /* in place of the text, should the provider say that the window is closed too */
        json_object_set_new(out, "reopen", json_true());
    if (choice.variables != NULL) {
        json_t *list = json_array();
        for (guint i = 0; i < choice.variables->len; i++)
            json_array_append_new(list, json_string(choice.variables->pdata[i]));
        json_object_set_new(out, "variables", list);
    }
    return out;
}
