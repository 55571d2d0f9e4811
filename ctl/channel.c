/* SPDX-License-Identifier: Apache-2.0 */
/* umpctl channel: what this build's providers carry, from their capability data. */
#include "ctl/ctl.h"

#include "bridge/channels/channel.h"

static json_t *names_of(channel_kinds kinds)
{
    json_t *names = json_array();

    for (guint kind = 0; kind < CHANNEL_KINDS; kind++)
        if (kinds & UINT32_C(1) << kind)
            json_array_append_new(names, json_string(channel_kind_words[kind].name));
    return names;
}

static json_t *describe(const struct channel_ops *ops, const struct channel_capabilities *can)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:i, s:I, s:i, s:i}", "channel", can->channel, "provider", ops->provider, "in",
                     names_of(can->in), "out", names_of(can->out), "max_media", (int)can->max_media, "max_media_total",
                     (json_int_t)can->max_media_total, "max_text", (int)can->max_text, "window_s", (int)can->window_s);
}

static int list(struct ctl *ctl, int argc, char **argv)
{
    int status = ctl_options(ctl, NULL, &argc, &argv, 0, 1);
    if (status != 0)
        return status;
    json_t *all = json_array();
    for (const struct channel_ops *const *ops = channels; *ops != NULL; ops++)
        for (const struct channel_capabilities *can = (*ops)->capabilities; can->channel != NULL; can++)
            if (argc == 0 || g_str_equal(argv[0], can->channel) || g_str_equal(argv[0], (*ops)->provider))
                json_array_append_new(all, describe(*ops, can));
    status = CTL_OK;
    if (json_array_size(all) == 0)
        status = ctl_fail(CTL_REFUSED, "this build has no channel or provider \"%s\"", argv[0]);
    else
        ctl_show_json(ctl, all);
    json_decref(all);
    return status;
}

const struct ctl_command ctl_channel_commands[] = {
    {"channel list", "[CHANNEL|PROVIDER]", "shows which providers this build has, and what each carries", list},
    {NULL, NULL, NULL, NULL}};
