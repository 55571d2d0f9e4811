/* SPDX-License-Identifier: Apache-2.0 */
/* What lines look like, see text_lines.h. */
#include "core/text_lines.h"

#include <string.h>

#include "core/mail_body.h"
#include "core/text_shape.h"

enum { CAPTION_MAX = 200, MARKER_BARE_MAX = 90, KEY_MAX = 40, INITIALS_MAX = 12 };

const char *text_class_name(enum text_class class)
{
    static const char *const names[] = {"blank", "text", "quoted", "signature", "rule", "original", "forward",
                                        "footer", "marker", "code", "attribution", "header"};
    return names[class];
}

guint text_lines_next(const GArray *lines, guint i)
{
    while (i < lines->len && text_line(lines, i)->class == TEXT_CLASS_BLANK)
        i++;
    return i;
}

/* Length of a blank at p: space, tab, no-break and other spaces, invisible marks; 0: none. */
static gsize blank_at(const char *p, gsize len)
{
    if (len > 0 && (*p == ' ' || *p == '\t' || *p == '\r'))
        return 1;
    if (len >= 2 && (guchar)p[0] == 0xC2 && (guchar)p[1] == 0xA0)
        return 2;
    if (len >= 3 && (memcmp(p, "\xE3\x80\x80", 3) == 0 || memcmp(p, "\xEF\xBB\xBF", 3) == 0 ||
                     (memcmp(p, "\xE2\x80", 2) == 0 && ((guchar)p[2] <= 0x8F || (guchar)p[2] == 0xAF))))
        return 3;
    return 0;
}

static gsize trimmed(const char *p, gsize len)
{
    for (bool again = true; again && len > 0;) {
        again = false;
        for (gsize n = 1; n <= 3 && n <= len && !again; n++)
            if (blank_at(p + len - n, n) == n) {
                len -= n;
                again = true;
            }
    }
    return len;
}

/* A run of dashes, underscores and their kin at the start; in bytes. */
static gsize dash_run(const char *p, gsize len, guint *count, char *kind)
{
    gsize i = 0;
    *count = 0;
    *kind = len > 0 && strchr("-_=*~#+.", *p) ? *p : 'e';
    while (i < len) {
        if (strchr("-_=*~#+", p[i]) && p[i] != '\0')
            i++;
        else if (p[i] == ' ' && i > 0 && i + 1 < len && strchr("-_=*~", p[i + 1])) /* "- - - -" */
            i++;
        else if (len - i >= 3 && (guchar)p[i] == 0xE2 && (guchar)p[i + 1] == 0x80 && (guchar)p[i + 2] >= 0x90 && (guchar)p[i + 2] <= 0x95)
            i += 3;
        else if (len - i >= 3 && (guchar)p[i] == 0xE2 && (guchar)p[i + 1] == 0x94) /* box drawing */
            i += 3;
        else
            break;
        ++*count;
    }
    return i;
}

/* The first of two or three dashes, an em dash: stands alone above a signature. */
static bool is_loose_signature(gsize len, guint dashes, char kind)
{
    return (dashes == 2 && (kind == '-' || kind == '_') && len == 2) || (kind == 'e' && dashes <= 2);
}

/* Three letters in a row: not only "%<" between dashes. */
static bool has_word(const char *folded)
{
    guint letters = 0;
    for (const char *p = folded; *p != '\0' && letters < 3; p = g_utf8_next_char(p))
        letters = g_unichar_isalpha(g_utf8_get_char(p)) ? letters + 1 + (guint)g_unichar_iswide(g_utf8_get_char(p)) : 0;
    return letters >= 3;
}

static void classify_ruled(struct text_line *line, const char *folded, guint dashes)
{
    const char *core = folded + strspn(folded, "-=_*~# ");
    gsize len = strlen(core), end = len;
    while (end > 0 && strchr("-=_*~# :", core[end - 1]))
        end--;
    guint32 captions = line->words.anywhere & (TEXT_WORD_ORIGINAL | TEXT_WORD_FORWARDED);
    bool whole = captions && (line->words.at_start & captions) && line->words.start_end >= end;
    bool colon = len > 0 && core[len - 1] == ':';
    if (line->len > CAPTION_MAX)
        return;
    if (captions && ((dashes >= 2 && (line->words.at_start & captions)) || whole))
        line->class = captions & TEXT_WORD_ORIGINAL ? TEXT_CLASS_ORIGINAL : TEXT_CLASS_FORWARD;
    if (whole && dashes < 2 && !colon) /* a bare word: only in front of a header */
        line->class = TEXT_CLASS_TEXT;
    const char *tail = line->start + line->len;
    line->ruled = dashes >= 3 && has_word(core) && line->len <= 80 && strchr("-_=*~", tail[-1]) && strchr("-_=*~", tail[-2]) &&
                  strchr("-_=*~", tail[-3]);
    if ((line->words.anywhere & TEXT_WORD_MARKER) && (dashes >= 2 || line->len <= MARKER_BARE_MAX))
        line->class = TEXT_CLASS_MARKER;
}

/* "Word: value" */
static bool is_generic_key(const char *folded)
{
    const char *colon = strstr(folded, ":"), *wide = strstr(folded, "：");
    if (!colon || (wide && wide < colon))
        colon = wide;
    if (!colon || colon == folded || colon - folded > KEY_MAX || g_ascii_isdigit(folded[0]))
        return false;
    guint words = 1;
    for (const char *p = folded; p < colon; p++) {
        if (strchr("@/<>.,!?;\"", *p))
            return false;
        words += *p == ' ';
    }
    return words <= 3 && colon[1] != '/' && colon[1] != '\0';
}

/* Do the last n words of a line begin with something else than a small letter? */
static bool begins_name(const char *p, gsize len, guint n)
{
    gsize i = len;
    for (; i > 0 && n > 0; i--)
        n -= p[i - 1] == ' ';
    const char *word = p + i + 1;
    while (i > 0 && word < p + len && strchr(" \"'(<*_", *word))
        word++;
    return i == 0 || word >= p + len || !g_unichar_islower(g_utf8_get_char(word));
}

static void classify_text(struct text_line *line, const char *p, gsize len, guint dashes)
{
    g_autofree char *folded = text_fold(p, len);
    bool guillemet = len > 4 && memcmp(p, "» ", 3) == 0;
    line->barred = guillemet || (len > 2 && strchr("|:}]", *p) && p[1] == ' ');
    const char *core = folded + (guillemet ? 3 : *p == ':' ? 1 : 0);
    core += strspn(core, "-=~>| *_[(");
    if (*p == 'P' && strncmp(core, "p ", 2) == 0) /* a tree in the font of symbols: "P Please consider the environment" */
        core += 2;
    text_words_scan(core, &line->words);
    line->shape = text_shape(core, &line->words);
    for (const char *w = core + line->words.verb_end; line->words.verb_end > 0 && *w != '\0'; w++)
        line->words_after_verb += *w == ' ';
    line->name_after_verb = begins_name(p, len, line->words_after_verb);
    line->generic_key = line->words.first_key == 0 && is_generic_key(core);
    line->bare_key = core[line->words.start_end] == '\0' ? line->words.at_start & TEXT_WORD_KEYS : 0;
    classify_ruled(line, folded, dashes);
    if (line->class != TEXT_CLASS_TEXT)
        return;
    if (!line->words.first_key && text_words_footer(core, &line->words, &line->sure_footer))
        line->class = TEXT_CLASS_FOOTER;
    else if ((line->words.at_start & TEXT_WORD_AD) && len <= CAPTION_MAX) {
        line->class = TEXT_CLASS_FOOTER;
        line->sure_footer = true;
    }
    gsize n = 0;
    while (n < len && g_ascii_isalpha(p[n]))
        n++;
    if (n >= 1 && n <= INITIALS_MAX && g_ascii_isupper(*p) && n + 1 < len && p[n] == '>' && p[n + 1] == ' ')
        line->barred = true;
    line->body = p;
}

static guint quote_depth(const char *p, gsize len)
{
    guint depth = 0;
    for (gsize i = 0; i < len && strchr("> |", p[i]); i++)
        depth += p[i] == '>';
    return depth;
}

/* ">:-(" and ">_<" and "->" are no quotes. */
static bool is_quote_mark(const char *p, gsize len)
{
    if (len >= 3 && memcmp(p, "＞", 3) == 0)
        return true;
    if (*p != '>')
        return false;
    return !(len > 1 && len <= 4 && strchr(":;_.=", p[1]) && p[1] != '\0');
}

/* ">>> Name <address> 28.05.2026 10:15 >>>" (GroupWise) and ">>>>> "N" == Name <address> writes:" (Supercite) stand
 * above a quote. */
static void classify_quoted(struct text_line *line, const char *p, gsize len)
{
    line->class = TEXT_CLASS_QUOTED;
    line->depth = MAX(1u, quote_depth(p, len));
    bool framed = len > 10 && memcmp(p, ">>>", 3) == 0 && memcmp(p + len - 3, ">>>", 3) == 0;
    bool cited = len > 10 && memcmp(p, ">>>>>", 5) == 0 && memmem(p, len, " == ", 4) && p[len - 1] == ':';
    if (!framed && !cited)
        return;
    g_autofree char *folded = text_fold(p, len);
    struct text_words words;
    const char *core = folded + strspn(folded, "> ");
    text_words_scan(core, &words);
    if ((text_shape(core, &words) & (TEXT_SHOWS_ADDRESS | TEXT_SHOWS_DATE)) == 0)
        return;
    line->class = TEXT_CLASS_ATTRIBUTION;
    line->rule = "attribution";
}

static void classify(struct text_line *line)
{
    const char *p = line->start;
    gsize len = line->len;
    if (len > 0 && (*p == TEXT_MARK_QUOTE || *p == TEXT_MARK_BARE)) {
        line->class = TEXT_CLASS_QUOTED;
        line->structural = *p == TEXT_MARK_QUOTE;
        line->bare = !line->structural;
        if (line->bare) {
            classify_text(line, p + 1, len - 1, 0);
            line->class = TEXT_CLASS_QUOTED;
            line->sure_footer = line->ruled = line->barred = false;
        }
        line->depth = 1;
        return;
    }
    for (gsize step; (step = blank_at(p, len)) > 0;) {
        p += step;
        len -= step;
    }
    guint dashes;
    gsize run = dash_run(p, len, &dashes, &line->rule_char);
    line->class = TEXT_CLASS_TEXT;
    if (len == 0) {
        line->class = TEXT_CLASS_BLANK;
    } else if (is_quote_mark(p, len)) {
        classify_quoted(line, p, len);
    } else if (run == len && is_loose_signature(len, dashes, line->rule_char)) {
        line->class = TEXT_CLASS_SIGNATURE;
    } else if (run == len && dashes >= 3) {
        line->class = TEXT_CLASS_RULE;
    } else {
        classify_text(line, p, len, dashes);
    }
}

/* ``` … ```: what stands between is shown, not meant. An opening without an end is none. */
static void mark_code(GArray *lines)
{
    guint open = G_MAXUINT;
    for (guint i = 0; i < lines->len; i++) {
        const struct text_line *line = text_line(lines, i);
        if (line->len < 3 || memcmp(line->start, "```", 3) != 0)
            continue;
        if (open == G_MAXUINT) {
            open = i;
            continue;
        }
        for (guint k = open; k <= i; k++) {
            struct text_line *code = text_line(lines, k);
            if (code->class != TEXT_CLASS_BLANK)
                code->class = TEXT_CLASS_CODE;
        }
        open = G_MAXUINT;
    }
}

/* "| …", "» …" or "JS> …": several of them one below the other are quotes. */
static void mark_barred(GArray *lines)
{
    for (guint i = 0; i < lines->len; i++) {
        struct text_line *line = text_line(lines, i);
        if (!line->barred)
            continue;
        guint k = i;
        while (k + 1 < lines->len && text_line(lines, k + 1)->barred && text_line(lines, k + 1)->body[0] == line->body[0])
            k++;
        bool table = line->body[0] == '|' && line->start[line->len - 1] == '|';
        for (guint j = i; k > i && !table && j <= k; j++) {
            text_line(lines, j)->class = TEXT_CLASS_QUOTED;
            text_line(lines, j)->depth = 1;
        }
        i = k;
    }
}

static bool is_link(const struct text_line *line)
{
    const char *p = line->start;
    gsize len = line->len;
    bool framed = len > 2 && *p == '<' && p[len - 1] == '>';
    p += framed;
    len -= framed ? 2 : 0;
    bool starts = (len > 8 && memcmp(p, "http", 4) == 0) || (framed && len > 1 && *p == '#');
    return line->class == TEXT_CLASS_TEXT && starts && !memchr(p, ' ', len);
}

/* The bare link above or below a footer is its own. */
static void mark_links(GArray *lines)
{
    for (guint i = 0; i < lines->len; i++) {
        if (text_line(lines, i)->class != TEXT_CLASS_FOOTER || !text_line(lines, i)->sure_footer)
            continue;
        for (guint k = i > 0 ? i - 1 : 0; k <= i + 1 && k < lines->len; k++)
            if (is_link(text_line(lines, k))) {
                text_line(lines, k)->class = TEXT_CLASS_FOOTER;
                text_line(lines, k)->sure_footer = true;
            }
    }
}

static void take_known(struct text_line *line, const struct text_known *known)
{
    if (line->class == TEXT_CLASS_TEXT)
        line->known = text_known_line(known, line->start, line->len);
}

/* Does a line end within "<http://…" or "<mailto:…"? */
static bool ends_in_link(const struct text_line *line)
{
    const char *open = g_strrstr_len(line->start, (gssize)line->len, "<"), *end = line->start + line->len;
    return open && end - open > 8 && (memcmp(open + 1, "http", 4) == 0 || memcmp(open + 1, "mailto:", 7) == 0) &&
           !memchr(open, ' ', (gsize)(end - open)) && !memchr(open, '>', (gsize)(end - open));
}

/* The end of a wrapped "<address\n>:" or "<http://…\n> and more" is no quote. */
static bool is_wrapped_end(const struct text_line *line, const struct text_line *above)
{
    if (line->class != TEXT_CLASS_QUOTED || line->start[0] != '>' || above->class != TEXT_CLASS_TEXT)
        return false;
    bool end = line->len <= 12 && ((above->shape & TEXT_SHOWS_OPEN) || memchr(line->start, ':', line->len));
    return end || ends_in_link(above);
}

/* "> <\nhttp://…\n> …": a link that was wrapped without its mark. */
static bool is_torn_link(const struct text_line *line, const struct text_line *above)
{
    return line->class == TEXT_CLASS_TEXT && above->class == TEXT_CLASS_QUOTED && above->len > 1 && above->start[above->len - 1] == '<' &&
           line->len > 8 && memcmp(line->start, "http", 4) == 0 && !memchr(line->start, ' ', line->len);
}

GArray *text_lines_split(const char *text, const struct text_known *known)
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(struct text_line));
    for (const char *p = text; *p != '\0';) {
        gsize len = strcspn(p, "\n");
        struct text_line line = {.start = p, .len = trimmed(p, len), .keep = true, .rule = ""};
        line.strict_signature = len == 3 && memcmp(p, "-- ", 3) == 0;
        bool own = line.len > 3 && memcmp(line.start, MAIL_BODY_OWN_LINE, 3) == 0;
        line.start += own ? 3 : 0;
        line.len -= own ? 3 : 0;
        if (own) {
            line.class = TEXT_CLASS_TEXT;
            classify_text(&line, line.start, line.len, 0);
        } else {
            classify(&line);
        }
        const struct text_line *above = lines->len > 0 ? text_line(lines, lines->len - 1) : NULL;
        if (above && is_wrapped_end(&line, above)) {
            line.class = TEXT_CLASS_TEXT;
            classify_text(&line, line.start, line.len, 0);
            line.shape |= line.start[line.len - 1] == ':' ? TEXT_SHOWS_COLON : 0;
        }
        if (above && is_torn_link(&line, above)) {
            line.class = TEXT_CLASS_QUOTED;
            line.depth = 1;
        }
        take_known(&line, known);
        g_array_append_val(lines, line);
        p += len + (p[len] == '\n');
    }
    mark_code(lines);
    mark_barred(lines);
    mark_links(lines);
    return lines;
}
