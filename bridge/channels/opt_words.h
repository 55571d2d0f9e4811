/* SPDX-License-Identifier: Apache-2.0 */
/* How people say STOP, START and HELP in the languages of their countries, beside the English words. */
#pragma once

struct opt_words {
    const char *countries;           /* where the language is spoken: "DE AT CH", ISO 3166 */
    const char *stop, *start, *help; /* words, separated by '|', in any case and with or without accents */
};
extern const struct opt_words opt_words[]; /* countries NULL ends it */
