/* SPDX-License-Identifier: Apache-2.0 */
/* docs/CHANNELS.md: the matrix of kinds, providers and directions, and the limits. */
#include "man/channels.h"

#include <string.h>

#include "bridge/channels/channel.h"

typedef void put_column_func(GString *out, const struct channel_ops *ops, const struct channel_capabilities *can, guint kind);

static void each_column(GString *out, put_column_func *put, guint kind)
{
    for (const struct channel_ops *const *ops = channels; *ops != NULL; ops++)
        for (const struct channel_capabilities *can = (*ops)->capabilities; can->channel != NULL; can++)
            put(out, *ops, can, kind);
}

/* --- the matrix --- */

static void put_head(GString *out, const struct channel_ops *ops, const struct channel_capabilities *can, guint kind)
{
    (void)kind;
    g_string_append_printf(out, " %s: %s |", ops->provider, can->channel);
}

static void put_rule(GString *out, const struct channel_ops *ops, const struct channel_capabilities *can, guint kind)
{
    (void)ops, (void)can, (void)kind;
    g_string_append(out, "---|");
}

static void put_cell(GString *out, const struct channel_ops *ops, const struct channel_capabilities *can, guint kind)
{
    bool in = (can->in & UINT32_C(1) << kind) != 0, to = (can->out & UINT32_C(1) << kind) != 0;

    (void)ops;
    g_string_append_printf(out, " %s |", in && to ? "in, out" : in ? "in" : to ? "out" : "–");
}

static void put_matrix(GString *out)
{
    g_string_append(out, "| kind |");
    each_column(out, put_head, 0);
    g_string_append(out, "\n|---|");
    each_column(out, put_rule, 0);
    g_string_append_c(out, '\n');
    for (guint kind = 0; kind < CHANNEL_KINDS; kind++) {
        g_string_append_printf(out, "| %s |", channel_kind_words[kind].name);
        each_column(out, put_cell, kind);
        g_string_append_c(out, '\n');
    }
}

/* --- how each looks as mail --- */

static void put_words(GString *out)
{
    channel_kinds in = 0, to = 0;

    for (const struct channel_ops *const *ops = channels; *ops != NULL; ops++)
        for (const struct channel_capabilities *can = (*ops)->capabilities; can->channel != NULL; can++) {
            in |= can->in;
            to |= can->out;
        }
    g_string_append(out, "\n## As mail\n\n| kind | in | out |\n|---|---|---|\n");
    for (guint kind = 0; kind < CHANNEL_KINDS; kind++) {
        const struct channel_kind_words *words = &channel_kind_words[kind];
        bool is_in = (in & UINT32_C(1) << kind) && words->in, is_out = (to & UINT32_C(1) << kind) && words->out;
        g_string_append_printf(out, "| %s | %s | %s |\n", words->name, is_in ? words->in : "–", is_out ? words->out : "–");
    }
}

/* --- limits --- */

static void put_limits(GString *out, const struct channel_ops *ops, const struct channel_capabilities *can, guint kind)
{
    g_auto(GStrv) types = g_strsplit(can->picture_types ? can->picture_types : "any", " ", -1);
    g_autofree char *pictures = g_strjoinv(", ", types);

    (void)kind;
    g_string_append_printf(out, "| %s | %s | ", ops->provider, can->channel);
    if (can->gsm_segments)
        g_string_append_printf(out, "%u segments", can->max_segments);
    else
        g_string_append_printf(out, "%u %s", can->max_text, can->text_in_octets ? "octets" : "characters");
    if (can->max_caption > 0)
        g_string_append_printf(out, ", %u beside an attachment", can->max_caption);
    if (can->split_media > 0)
        g_string_append_printf(out, " | %u a message, %u messages a mail, each %" G_GINT64_FORMAT " KB | ", can->max_media,
                               can->split_media, can->max_media_each / 1000);
    else
        g_string_append_printf(out, " | %u, each %" G_GINT64_FORMAT " KB, together %" G_GINT64_FORMAT " KB | ", can->max_media,
                               can->max_media_each / 1000, can->max_media_total / 1000);
    g_string_append_printf(out, "%s | ", pictures);
    if (can->max_group > 0 && can->groups_by_members)
        g_string_append_printf(out, "up to %u numbers | ", can->max_group);
    else
        g_string_append(out, can->max_group > 0 ? "the network's own | " : "– | ");
    if (can->window_s > 0)
        g_string_append_printf(out, "%u hours |\n", can->window_s / 3600);
    else
        g_string_append(out, "– |\n");
}

/* --- pace --- */

/* Senders that a provider may tell apart. */
static const struct {
    const char *words, *address;
} senders[] = {
    {"long code, +1", "+12125550100"}, {"toll-free, +1", "+18005550100"},         {"another country's number", "+493055501000"},
    {"short code", "72345"},           {"alphanumeric", "EXAMPLE"},
};

static struct channel_pace pace_of(const struct channel_ops *ops, const struct channel_capabilities *can, guint sender)
{
    const struct channel_endpoint endpoint = {
        .channel = (char *)can->channel, .provider = (char *)ops->provider, .address = (char *)senders[sender].address, .ops = ops};
    struct channel_pace pace = {0};

    if (ops->default_pace)
        ops->default_pace(&endpoint, &pace);
    return pace;
}

/* "80 a second", "1 in 10 s, 6 at once", "–" */
static void put_rate(GString *out, double rate, double burst)
{
    if (rate <= 0)
        g_string_append(out, " – |");
    else if (rate >= 1)
        g_string_append_printf(out, " %.0f a second", rate);
    else
        g_string_append_printf(out, " 1 in %.0f s", 1 / rate);
    if (rate > 0 && burst > MAX(rate, 1))
        g_string_append_printf(out, ", %.0f at once", burst);
    if (rate > 0)
        g_string_append(out, " |");
}

static void put_paces(GString *out, const struct channel_ops *ops, const struct channel_capabilities *can, guint kind)
{
    struct channel_pace paces[G_N_ELEMENTS(senders)];
    bool same = true;

    (void)kind;
    for (guint i = 0; i < G_N_ELEMENTS(senders); i++) {
        paces[i] = pace_of(ops, can, i);
        same = same && memcmp(&paces[i], &paces[0], sizeof paces[0]) == 0;
    }
    for (guint i = 0; i < (same ? 1 : G_N_ELEMENTS(senders)); i++) {
        g_string_append_printf(out, "| %s | %s | %s |", ops->provider, can->channel, same ? "any" : senders[i].words);
        put_rate(out, paces[i].rate, paces[i].burst);
        put_rate(out, paces[i].pair_rate, paces[i].pair_burst);
        put_rate(out, paces[i].account_rate, paces[i].account_burst);
        g_string_append_c(out, '\n');
    }
}

void generate_channels(GString *out)
{
    g_string_append(out,
        "# Channels\n\n"
        "What each provider carries, and how it looks in mail. Made from the adapters' data by `ninja -C build channels`;\n"
        "for every cell that says *in* or *out* there is a test (`pytest.mark.cell`), and the tests fail where one is missing.\n\n"
        "*in*: from the network into the mailbox; *out*: from the mail program into the network.\n\n");
    put_matrix(out);
    put_words(out);
    g_string_append(out,
        "\n## Limits\n\n"
        "What is beyond them is refused while the mail is handed over, with the limit named. *Pictures* of other types are\n"
        "converted. The *window*: free text may go to a contact so long after his last message; templates always.\n\n"
        "| provider | channel | text | attachments | pictures | groups | window |\n|---|---|---|---|---|---|---|\n");
    each_column(out, put_limits, 0);
    g_string_append(out,
        "\n## Pace\n\n"
        "What is faster waits in our own queue. An endpoint's settings `rate`, `burst`, `pair_rate`, `pair_burst` and\n"
        "`account_rate` change it.\n\n"
        "| provider | channel | sender | messages | to one contact | of the account |\n|---|---|---|---|---|---|\n");
    each_column(out, put_paces, 0);
}
