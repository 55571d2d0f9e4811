/* SPDX-License-Identifier: Apache-2.0 */
/* What would be sent of a mail: the extraction by hand, without database or configuration. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/mail_parse.h"
#include "core/text_extract.h"
#include "core/text_format.h"
#include "ctl/ctl.h"

enum { MESSAGE_MAX = 64 << 20, CHUNK = 65536 };

/* The whole message; NULL: said why. */
static GString *read_message(const char *path)
{
    int fd = path != NULL && strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (fd < 0) {
        ctl_fail(CTL_REFUSED, "%s: %s", path, g_strerror(errno));
        return NULL;
    }
    GString *message = g_string_new(NULL);
    ssize_t n;
    do {
        gsize have = message->len;
        g_string_set_size(message, have + CHUNK);
        n = read(fd, message->str + have, CHUNK);
        g_string_set_size(message, have + (n > 0 ? (gsize)n : 0));
    } while (n > 0 && message->len <= MESSAGE_MAX);
    int errnum = errno;
    if (fd != STDIN_FILENO)
        close(fd);
    if (n < 0 || message->len > MESSAGE_MAX) {
        ctl_fail(CTL_REFUSED, "%s", n < 0 ? g_strerror(errnum) : "the message has more than 64 MiB");
        g_string_free(message, TRUE);
        return NULL;
    }
    return message;
}

static void print_explained(const GPtrArray *lines, const struct extracted_text *text)
{
    static const char *const verdicts[] = {"certain", "uncertain", "nothing new"};
    for (guint i = 0; i < lines->len; i++) {
        const struct text_explained *line = lines->pdata[i];
        g_autofree char *safe = ctl_safe(line->line, false);
        printf("%c %-11s %-40s | %s\n", line->kept ? '+' : ' ', line->class, line->rule, safe);
    }
    printf("= %s%s%s\n", verdicts[text->certainty], text->reason ? ": " : "", text->reason ? text->reason : "");
}

static json_t *styles_json(const struct extracted_text *text)
{
    static const char *const names[] = {"bold", "italic", "strike", "mono"};
    json_t *list = json_array();
    for (guint i = 0; text->styles && i < text->styles->len; i++) {
        const struct text_style *style = &g_array_index(text->styles, struct text_style, i);
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "style", names[style->kind], "start", (json_int_t)style->start,
                                              "length", (json_int_t)style->len));
    }
    return list;
}

static void print_json(struct ctl *ctl, const struct extracted_text *text, const char *formatted)
{
    static const char *const verdicts[] = {"certain", "uncertain", "empty"};
    g_autoptr(json_t) record = json_pack("{s:s, s:s, s:s?, s:o}", "text", formatted, "certainty", verdicts[text->certainty],
                                         "reason", text->reason, "styles", styles_json(text));
    ctl_show_json(ctl, record);
}

/* As it is into a file or a pipe. */
static void print_text(const char *text)
{
    g_autofree char *safe = isatty(STDOUT_FILENO) == 1 ? ctl_safe(text, false) : NULL;
    fputs(safe != NULL ? safe : text, stdout);
    if (text[0] != '\0')
        putchar('\n');
}

static int text(struct ctl *ctl, int argc, char **argv)
{
    gboolean explain = FALSE;
    g_autofree char *channel = NULL;
    const GOptionEntry options[] = {
        {"explain", 0, 0, G_OPTION_ARG_NONE, &explain, "print each line with its class and the rule that decided", NULL},
        {"to", 0, 0, G_OPTION_ARG_STRING, &channel, "format for a channel (whatsapp, signal, sms)", "CHANNEL"},
        G_OPTION_ENTRY_NULL};
    int status = ctl_options(ctl, options, &argc, &argv, 0, 1);
    if (status != 0)
        return status;
    GString *message = read_message(argc > 0 ? argv[0] : NULL);
    if (message == NULL)
        return CTL_REFUSED;
    g_autoptr(parsed_mail) mail = NULL;
    g_autoptr(GError) error = NULL;
    int result = mail_parse(message->str, message->len, NULL, &mail, &error);
    g_string_free(message, TRUE);
    if (result != 0)
        return ctl_fail(CTL_REFUSED, "%s", result > 0 ? mime_limits_sentence((enum mime_limits_outcome)result) : error->message);
    g_autoptr(GPtrArray) lines = text_explained_array();
    struct extracted_text extracted;
    text_extract_explain(mail, NULL, &extracted, explain ? lines : NULL);
    g_autofree char *formatted = text_format(&extracted, channel != NULL ? channel : "");
    if (ctl->json)
        print_json(ctl, &extracted, formatted);
    else if (explain)
        print_explained(lines, &extracted);
    else
        print_text(formatted);
    if (extracted.certainty == TEXT_UNCERTAIN && !explain && !ctl->json)
        fprintf(stderr, "umpctl: uncertain: %s\n", extracted.reason);
    status = extracted.certainty == TEXT_UNCERTAIN ? CTL_UNCERTAIN : CTL_OK;
    extracted_text_clear(&extracted);
    return status;
}

const struct ctl_command ctl_text_commands[] = {
    {"text", "[FILE]", "print what would be sent of a mail; exit 3: uncertain", text},
    {NULL, NULL, NULL, NULL}};
