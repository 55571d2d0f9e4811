/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How mail programs mark quotes and signatures in their HTML.  Classes, ids and names as the programs write them;
 * Outlook on the web puts "x_" in front of those of others, Hotmail "ecx", Yahoo "ydp" and eight digits.
 */
#pragma once

#include <gumbo.h>
#include <stdbool.h>

enum html_role {
    HTML_ROLE_NONE,
    HTML_ROLE_QUOTE,     /* the quoted mail, or the line above it */
    HTML_ROLE_REST,      /* from here on everything is the old mail */
    HTML_ROLE_SIGNATURE,
    HTML_ROLE_BARE,      /* a blockquote that tells nothing about itself */
    HTML_ROLE_INDENT     /* a blockquote that only indents what was written, or quotes a page of the web */
};
enum html_role html_client_role(const GumboNode *node);
bool html_client_is_hidden(const GumboElement *element);
/* An attribute's value; "": there is none. */
const char *html_client_attribute(const GumboElement *element, const char *name);
bool html_client_has_class(const GumboElement *element, const char *word);
