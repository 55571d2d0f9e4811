/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: the variables in what they say ({{1}}, {{name}}), and what fills them out of the text of a
 * mail: one variable is the whole text, several are its lines.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Appends "<component>.<name>" of each variable in text to places, an array of strings, each once. */
void template_add_places(json_t *places, const char *component, const char *text);
/* char *, owned, without space around them.  NULL: the text has another number of them (no text: none). */
GPtrArray *template_variables(const char *text, guint count);
/* How many the text has: lines that hold more than space. */
guint template_lines(const char *text);
