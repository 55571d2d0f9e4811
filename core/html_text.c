/* SPDX-License-Identifier: Apache-2.0 */
/* HTML of a mail → plain text, see html_text.h. */
#include "core/html_text.h"

#include <gumbo.h>
#include <string.h>

#include "core/html_client.h"
#include "core/html_guard.h"
#include "core/html_write.h"
#include "core/text_extract.h"
#include "core/utf8_text.h"

enum { LIST_DEPTH = 8, HREF_MAX = 2000 };

struct converter {
    struct html_writer w;
    guint lists;
    int numbers[LIST_DEPTH]; /* 0: bullets */
    GHashTable *links;       /* URLs that were written already */
    bool extraction, removed, rest_is_quoted;
};

static void node(struct converter *c, const GumboNode *n);

static void children(struct converter *c, const GumboElement *element)
{
    for (guint i = 0; i < element->children.length; i++)
        node(c, element->children.data[i]);
}

static bool is_web_link(const char *href)
{
    return strlen(href) <= HREF_MAX && (g_ascii_strncasecmp(href, "http://", 7) == 0 || g_ascii_strncasecmp(href, "https://", 8) == 0);
}

/* Text and URL, the URL only when the text does not say it already, and once. */
static void link_element(struct converter *c, const GumboElement *element)
{
    const char *href = html_client_attribute(element, "href");
    gsize from = c->w.out->len;
    children(c, element);
    if (!is_web_link(href) || c->w.quote > 0)
        return;
    const char *bare = strstr(href, "//") + 2;
    gsize len = strlen(bare);
    while (len > 0 && bare[len - 1] == '/')
        len--;
    g_autofree char *host = g_strndup(bare, len);
    if (c->w.out->len <= from || strcasestr(c->w.out->str + from, host) || !g_hash_table_add(c->links, g_strdup(href)))
        return;
    g_autofree char *text = g_strdup_printf(" (%s)", href);
    html_write_string(&c->w, text);
}

/* Pictures are attachments or decoration; only those that stand for a character are text. */
static void image(struct converter *c, const GumboElement *element)
{
    const char *alt = html_client_attribute(element, "alt");
    gsize len = strlen(alt);
    if (len > 0 && len <= 32 && g_utf8_validate(alt, (gssize)len, NULL) && utf8_is_emoji(g_utf8_get_char(alt)))
        html_write_string(&c->w, alt);
}

static void list_element(struct converter *c, const GumboElement *element)
{
    html_write_break(&c->w, 1);
    c->lists++;
    if (c->lists <= LIST_DEPTH)
        c->numbers[c->lists - 1] = element->tag == GUMBO_TAG_OL ? 1 : 0;
    children(c, element);
    c->lists--;
    html_write_break(&c->w, 1);
}

static void list_item(struct converter *c, const GumboElement *element)
{
    guint depth = MIN(c->lists, LIST_DEPTH);
    int *number = depth > 0 ? &c->numbers[depth - 1] : NULL;
    g_autofree char *mark = number && *number > 0 ? g_strdup_printf("%d. ", (*number)++) : g_strdup("- ");
    g_autofree char *indent = g_strnfill(depth > 1 ? 2 * (depth - 1) : 0, ' ');
    g_autofree char *start = g_strconcat(indent, mark, NULL);
    html_write_break(&c->w, 1);
    html_write_string(&c->w, start);
    guint before = c->w.out->len;
    children(c, element);
    if (c->w.out->len == before) /* an empty item: nothing may follow on its line */
        html_write_space(&c->w);
    html_write_break(&c->w, 1);
}

static void block(struct converter *c, const GumboElement *element, guint lines)
{
    html_write_break(&c->w, lines);
    children(c, element);
    html_write_break(&c->w, lines);
}

static void quoted(struct converter *c, const GumboElement *element, bool bare)
{
    c->removed = c->removed || (c->extraction && !bare);
    html_write_break(&c->w, 1);
    c->w.quote++;
    c->w.bare += bare;
    children(c, element);
    html_write_break(&c->w, 1);
    c->w.bare -= bare;
    c->w.quote--; /* the line break belongs to the quote, what follows does not */
}

static void styled(struct converter *c, const GumboElement *element, enum text_style_kind kind)
{
    html_write_style(&c->w, kind, true);
    children(c, element);
    html_write_style(&c->w, kind, false);
}

static void preformatted(struct converter *c, const GumboElement *element)
{
    c->w.pre++;
    html_write_break(&c->w, 1);
    styled(c, element, TEXT_STYLE_MONO);
    html_write_break(&c->w, 1);
    c->w.pre--;
}

static void heading(struct converter *c, const GumboElement *element)
{
    html_write_break(&c->w, 2);
    styled(c, element, TEXT_STYLE_BOLD);
    html_write_break(&c->w, 2);
}

/* Mail editors write one <p> per line: a blank line only where the style leaves the margin. */
static guint paragraph_lines(const GumboElement *element)
{
    return strcasestr(html_client_attribute(element, "style"), "margin") || html_client_has_class(element, "MsoNormal") ? 1 : 2;
}

static void rule(struct converter *c)
{
    html_write_break(&c->w, 1);
    html_write_string(&c->w, "---");
    html_write_break(&c->w, 1);
}

static void cell(struct converter *c, const GumboElement *element)
{
    html_write_space(&c->w);
    children(c, element);
    html_write_space(&c->w);
}

static void by_tag(struct converter *c, const GumboElement *element)
{
    switch (element->tag) {
    case GUMBO_TAG_HEAD: case GUMBO_TAG_STYLE: case GUMBO_TAG_SCRIPT: case GUMBO_TAG_TITLE: case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_OBJECT: case GUMBO_TAG_IFRAME: case GUMBO_TAG_SELECT: case GUMBO_TAG_TEXTAREA:
        break;
    case GUMBO_TAG_BR:
        html_write_hard_break(&c->w);
        break;
    case GUMBO_TAG_HR:
        rule(c);
        break;
    case GUMBO_TAG_IMG:
        image(c, element);
        break;
    case GUMBO_TAG_A:
        link_element(c, element);
        break;
    case GUMBO_TAG_UL: case GUMBO_TAG_OL:
        list_element(c, element);
        break;
    case GUMBO_TAG_LI:
        list_item(c, element);
        break;
    case GUMBO_TAG_PRE:
        preformatted(c, element);
        break;
    case GUMBO_TAG_B: case GUMBO_TAG_STRONG:
        styled(c, element, TEXT_STYLE_BOLD);
        break;
    case GUMBO_TAG_I: case GUMBO_TAG_EM:
        styled(c, element, TEXT_STYLE_ITALIC);
        break;
    case GUMBO_TAG_S: case GUMBO_TAG_STRIKE: case GUMBO_TAG_DEL:
        styled(c, element, TEXT_STYLE_STRIKE);
        break;
    case GUMBO_TAG_CODE: case GUMBO_TAG_TT: case GUMBO_TAG_KBD: case GUMBO_TAG_SAMP:
        styled(c, element, TEXT_STYLE_MONO);
        break;
    case GUMBO_TAG_P:
        block(c, element, paragraph_lines(element));
        break;
    case GUMBO_TAG_H1: case GUMBO_TAG_H2: case GUMBO_TAG_H3: case GUMBO_TAG_H4: case GUMBO_TAG_H5: case GUMBO_TAG_H6:
        heading(c, element);
        break;
    case GUMBO_TAG_TD: case GUMBO_TAG_TH:
        cell(c, element);
        break;
    case GUMBO_TAG_DIV: case GUMBO_TAG_TR: case GUMBO_TAG_TABLE: case GUMBO_TAG_SECTION: case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_HEADER: case GUMBO_TAG_FOOTER: case GUMBO_TAG_ADDRESS: case GUMBO_TAG_CENTER: case GUMBO_TAG_DL:
    case GUMBO_TAG_DT: case GUMBO_TAG_DD: case GUMBO_TAG_FORM: case GUMBO_TAG_FIELDSET: case GUMBO_TAG_BLOCKQUOTE:
        block(c, element, 1);
        break;
    default:
        children(c, element);
        break;
    }
}

/* An empty line in many editors is <div><br></div> or <p><br></p>. */
static bool is_empty_line(const GumboElement *element)
{
    if (element->tag != GUMBO_TAG_DIV && element->tag != GUMBO_TAG_P)
        return false;
    guint breaks = 0;
    for (guint i = 0; i < element->children.length; i++) {
        const GumboNode *child = element->children.data[i];
        if (child->type == GUMBO_NODE_ELEMENT && child->v.element.tag == GUMBO_TAG_BR)
            breaks++;
        else if (child->type != GUMBO_NODE_WHITESPACE)
            return false;
    }
    return breaks == 1;
}

static void element_node(struct converter *c, const GumboNode *n)
{
    const GumboElement *element = &n->v.element;
    if (html_client_is_hidden(element))
        return;
    if (is_empty_line(element)) {
        html_write_break(&c->w, 2);
        return;
    }
    enum html_role role = html_client_role(n);
    if (element->tag == GUMBO_TAG_BLOCKQUOTE && (role == HTML_ROLE_QUOTE || role == HTML_ROLE_BARE)) {
        quoted(c, element, role == HTML_ROLE_BARE);
    } else if (!c->extraction || role == HTML_ROLE_NONE || role == HTML_ROLE_INDENT) {
        by_tag(c, element);
    } else if (role == HTML_ROLE_QUOTE) {
        quoted(c, element, false);
    } else if (role == HTML_ROLE_SIGNATURE) {
        c->removed = true;
        html_write_break(&c->w, 1);
    } else {
        html_write_break(&c->w, 1);
        c->w.quote += !c->rest_is_quoted;
        c->removed = c->rest_is_quoted = true;
        by_tag(c, element);
    }
}

static void node(struct converter *c, const GumboNode *n)
{
    switch (n->type) {
    case GUMBO_NODE_TEXT:
    case GUMBO_NODE_CDATA:
        html_write_text(&c->w, n->v.text.text);
        break;
    case GUMBO_NODE_WHITESPACE:
        if (c->w.pre > 0)
            html_write_text(&c->w, n->v.text.text);
        else
            html_write_space(&c->w);
        break;
    case GUMBO_NODE_ELEMENT:
        element_node(c, n);
        break;
    default:
        break;
    }
}

void html_text(const char *html, gsize len, bool for_extraction, struct html_text *out)
{
    g_autofree char *valid = utf8_valid(html, (gssize)len);
    gsize valid_len = strlen(valid), usable = html_guard(valid, valid_len);
    GumboOptions options = kGumboDefaultOptions;
    options.max_errors = 0;
    GumboOutput *tree = gumbo_parse_with_options(&options, valid, usable);
    struct converter c = {.w = {.out = g_string_new(NULL), .marks = for_extraction}, .extraction = for_extraction,
                          .links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    node(&c, tree->root);
    gumbo_destroy_output(&options, tree);
    g_hash_table_destroy(c.links);
    if (c.w.out->len > 0)
        g_string_append_c(c.w.out, '\n');
    *out = (struct html_text){.text = g_string_free(c.w.out, FALSE), .cut = usable < valid_len, .removed_quote = c.removed,
                              .rest_quoted = c.rest_is_quoted};
}

void html_text_clear(struct html_text *text)
{
    g_free(text->text);
    *text = (struct html_text){0};
}
