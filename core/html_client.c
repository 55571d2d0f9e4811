/* SPDX-License-Identifier: Apache-2.0 */
/* Marks of mail programs, see html_client.h. */
#include "core/html_client.h"

#include <glib.h>
#include <string.h>
#include <strings.h>

enum { TOKENS_MAX = 32, HEADER_DEPTH = 12 };

static const struct {
    const char *word; /* a class, id or name */
    enum html_role role;
} marks[] = {
    /* signatures: Gmail, Thunderbird, Outlook (web, mobile), Apple Mail, Proton, Tutanota, Roundcube, Spark, Zoho, eM Client,
     * Airmail, Samsung, BlackBerry, Newton */
    {"gmail_signature", HTML_ROLE_SIGNATURE},
    {"gmail_signature_prefix", HTML_ROLE_SIGNATURE},
    {"moz-signature", HTML_ROLE_SIGNATURE},
    {"Signature", HTML_ROLE_SIGNATURE},
    {"ms-outlook-mobile-signature", HTML_ROLE_SIGNATURE},
    {"ms-outlook-ios-signature", HTML_ROLE_SIGNATURE},
    {"AppleMailSignature", HTML_ROLE_SIGNATURE},
    {"protonmail_signature_block", HTML_ROLE_SIGNATURE},
    {"tutanota_signature", HTML_ROLE_SIGNATURE},
    {"_rc_sig", HTML_ROLE_SIGNATURE},
    {"messageSignatureSection", HTML_ROLE_SIGNATURE},
    {"Zm-_Id_-Sgn", HTML_ROLE_SIGNATURE},
    {"Zm-_Id_-Sgn1", HTML_ROLE_SIGNATURE},
    {"bloop_sign", HTML_ROLE_SIGNATURE},
    {"composer_signature", HTML_ROLE_SIGNATURE},
    {"_signaturePlaceholder", HTML_ROLE_SIGNATURE},
    {"cm_sign", HTML_ROLE_SIGNATURE},
    {"mail_signature", HTML_ROLE_SIGNATURE},
    /* quotes: Yahoo, Zoho, Outlook (Mac, mobile), Tutanota, Apple, Proton, QQ and 163, Thunderbird, Roundcube, Spark, Airmail,
     * Foxmail, Front, HubSpot, Lotus, GMX and Web.de, Gmail's attribution is read as text */
    {"yahoo_quoted", HTML_ROLE_QUOTE},
    {"zmail_extra", HTML_ROLE_QUOTE},
    {"OLK_SRC_BODY_SECTION", HTML_ROLE_QUOTE},
    {"ms-outlook-mobile-reference-message", HTML_ROLE_QUOTE},
    {"mail-editor-reference-message-container", HTML_ROLE_QUOTE},
    {"AppleOriginalContents", HTML_ROLE_QUOTE},
    {"mailcontent_quote", HTML_ROLE_QUOTE},
    {"isForwardContent", HTML_ROLE_QUOTE},
    {"isReplyContent", HTML_ROLE_QUOTE},
    {"moz-forward-container", HTML_ROLE_QUOTE},
    {"moz-cite-prefix", HTML_ROLE_QUOTE},
    {"moz-email-headers-table", HTML_ROLE_QUOTE},
    {"reply-intro", HTML_ROLE_QUOTE},
    {"messageReplySection", HTML_ROLE_QUOTE},
    {"airmail_on", HTML_ROLE_QUOTE},
    {"bloop_markdown_original", HTML_ROLE_QUOTE},
    {"hs_reply", HTML_ROLE_QUOTE},
    {"mail-app-auto-quote", HTML_ROLE_QUOTE},
    {"ntes-mailmaster-quote", HTML_ROLE_QUOTE},
    {"wmQuote", HTML_ROLE_QUOTE},
    {"quote", HTML_ROLE_QUOTE},
    {"quoted-text", HTML_ROLE_QUOTE},
    /* the rest is old: Outlook on the web, Hotmail, Outlook Express */
    {"divRplyFwdMsg", HTML_ROLE_REST},
    {"appendonsend", HTML_ROLE_REST},
    {"stopSpelling", HTML_ROLE_REST},
    {"OutlookMessageHeader", HTML_ROLE_REST},
    {"replyforwardmessage", HTML_ROLE_REST},
};

const char *html_client_attribute(const GumboElement *element, const char *name)
{
    const GumboAttribute *a = gumbo_get_attribute(&element->attributes, name);
    return a ? a->value : "";
}

/* Without what others put in front: "x_", "ecx", "ydp1a2b3c4d". */
static const char *bare(const char *word, gsize *len)
{
    for (bool again = true; again;) {
        again = false;
        if (*len > 2 && strncmp(word, "x_", 2) == 0) {
            word += 2;
            *len -= 2;
            again = true;
        } else if (*len > 3 && strncmp(word, "ecx", 3) == 0) {
            word += 3;
            *len -= 3;
            again = true;
        }
    }
    if (*len > 11 && strncmp(word, "ydp", 3) == 0) {
        gsize n = 3;
        while (n < *len && g_ascii_isxdigit(word[n]) && n < 11)
            n++;
        word += n;
        *len -= n;
    }
    return word;
}

static bool ends_with(const char *word, gsize len, const char *end)
{
    gsize n = strlen(end);
    return len >= n && g_ascii_strncasecmp(word + len - n, end, n) == 0;
}

static enum html_role role_of(const char *word, gsize len)
{
    word = bare(word, &len);
    for (guint i = 0; i < G_N_ELEMENTS(marks); i++)
        if (strlen(marks[i].word) == len && g_ascii_strncasecmp(marks[i].word, word, len) == 0)
            return marks[i].role;
    /* "proton_quote", "nylas-quote", "freshdesk_quote"…; Gmail's holds answers between as well */
    if (len >= 6 && g_ascii_strncasecmp(word, "gmail_", 6) == 0)
        return HTML_ROLE_NONE;
    if (ends_with(word, len, "_quote") || ends_with(word, len, "-quote") || ends_with(word, len, "_quoted"))
        return HTML_ROLE_QUOTE;
    if (ends_with(word, len, "_signature") || ends_with(word, len, "-signature"))
        return HTML_ROLE_SIGNATURE;
    return HTML_ROLE_NONE;
}

static enum html_role role_in(const char *list)
{
    guint tokens = 0;
    for (const char *p = list; *p != '\0' && tokens < TOKENS_MAX; tokens++) {
        gsize n = strcspn(p, " \t\r\n");
        enum html_role role = n > 0 ? role_of(p, n) : HTML_ROLE_NONE;
        if (role != HTML_ROLE_NONE)
            return role;
        p += n;
        p += strspn(p, " \t\r\n");
    }
    return HTML_ROLE_NONE;
}

bool html_client_has_class(const GumboElement *element, const char *word)
{
    gsize len = strlen(word);
    for (const char *p = html_client_attribute(element, "class"); *p != '\0';) {
        gsize n = strcspn(p, " \t\r\n"), rest = n;
        const char *w = bare(p, &rest);
        if (rest == len && g_ascii_strncasecmp(w, word, len) == 0)
            return true;
        p += n;
        p += strspn(p, " \t\r\n");
    }
    return false;
}

/* "display: none" however it is spaced */
static bool style_has(const char *style, const char *property, const char *value)
{
    for (const char *found = strcasestr(style, property); found; found = strcasestr(found + 1, property)) {
        if (found > style && (g_ascii_isalnum(found[-1]) || found[-1] == '-'))
            continue;
        const char *p = found + strlen(property);
        p += strspn(p, " \t\r\n");
        if (*p != ':')
            continue;
        p++;
        p += strspn(p, " \t\r\n");
        gsize len = strlen(value);
        if (g_ascii_strncasecmp(p, value, len) == 0 && !g_ascii_isalnum(p[len]) && p[len] != '.')
            return true;
    }
    return false;
}

bool html_client_is_hidden(const GumboElement *element)
{
    const char *style = html_client_attribute(element, "style");
    if (gumbo_get_attribute(&element->attributes, "hidden"))
        return true;
    return style[0] != '\0' && (style_has(style, "display", "none") || style_has(style, "visibility", "hidden") ||
                                style_has(style, "font-size", "0") || style_has(style, "font-size", "0px") ||
                                style_has(style, "max-height", "0") || style_has(style, "max-height", "0px") ||
                                style_has(style, "mso-hide", "all"));
}

static bool contains_tag(const GumboNode *n, GumboTag tag)
{
    if (n->type != GUMBO_NODE_ELEMENT)
        return false;
    if (n->v.element.tag == tag)
        return true;
    for (guint i = 0; i < n->v.element.children.length; i++)
        if (contains_tag(n->v.element.children.data[i], tag))
            return true;
    return false;
}

/* Bold words with a colon at its beginning: Outlook's header of the old mail, in any language. */
static bool begins_with_key(const GumboNode *n, guint depth)
{
    if (n->type == GUMBO_NODE_TEXT || n->type == GUMBO_NODE_CDATA) {
        const char *text = n->v.text.text;
        gsize len = strlen(text);
        return len < 60 && (strchr(text, ':') || strstr(text, "：")) != 0;
    }
    if (n->type != GUMBO_NODE_ELEMENT || depth > HEADER_DEPTH)
        return false;
    for (guint i = 0; i < n->v.element.children.length; i++) {
        const GumboNode *child = n->v.element.children.data[i];
        if (child->type == GUMBO_NODE_WHITESPACE || child->type == GUMBO_NODE_COMMENT)
            continue;
        return begins_with_key(child, depth + 1);
    }
    return false;
}

/* <div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p><b>From:</b> … */
static bool is_outlook_header(const GumboNode *node)
{
    const char *style = html_client_attribute(&node->v.element, "style");
    bool desktop = strcasestr(style, "border-top:solid") && strcasestr(style, "padding:3.0pt");
    bool windows_mail = strcasestr(style, "border-top-style: solid") && strcasestr(style, "padding-top");
    return (desktop || windows_mail) && begins_with_key(node, 0);
}

static enum html_role blockquote_role(const GumboElement *element)
{
    const char *style = html_client_attribute(element, "style");
    const char *cite = html_client_attribute(element, "cite");
    if (g_ascii_strncasecmp(cite, "http", 4) == 0 && !html_client_attribute(element, "type")[0])
        return HTML_ROLE_INDENT;
    bool cited = html_client_attribute(element, "type")[0] || cite[0] || html_client_attribute(element, "class")[0];
    bool indents = style_has(style, "border", "none") && (strcasestr(style, "40px") || strcasestr(style, "30.0pt"));
    return cited ? HTML_ROLE_QUOTE : indents ? HTML_ROLE_INDENT : HTML_ROLE_BARE;
}

enum html_role html_client_role(const GumboNode *node)
{
    const GumboElement *element = &node->v.element;
    if (element->attributes.length == 0)
        return element->tag == GUMBO_TAG_BLOCKQUOTE ? HTML_ROLE_BARE : HTML_ROLE_NONE;
    if (strcmp(html_client_attribute(element, "data-smartmail"), "gmail_signature") == 0)
        return HTML_ROLE_SIGNATURE;
    if (element->tag == GUMBO_TAG_BLOCKQUOTE)
        return blockquote_role(element);
    static const char *const names[] = {"id", "class", "name"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        enum html_role role = role_in(html_client_attribute(element, names[i]));
        if (role == HTML_ROLE_SIGNATURE && strcasestr(html_client_attribute(element, names[i]), "quote"))
            role = HTML_ROLE_QUOTE;
        if (role != HTML_ROLE_NONE)
            return role;
    }
    if (html_client_has_class(element, "gmail_quote") && !contains_tag(node, GUMBO_TAG_BLOCKQUOTE))
        return HTML_ROLE_QUOTE;
    return element->tag == GUMBO_TAG_DIV && is_outlook_header(node) ? HTML_ROLE_REST : HTML_ROLE_NONE;
}
