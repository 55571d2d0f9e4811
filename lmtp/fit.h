/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "core/mail_parse.h"

/* An attachment as it leaves. */
struct outgoing {
    char *type, *name;
    GBytes *content;
};
void outgoing_free(struct outgoing *outgoing);

struct fit {
    const char *program; /* ump-convert; NULL or "": nothing is converted */
    const char *ident;   /* of the mail, for the log */
};

/*
 * The attachments (struct mail_attachment *) as this endpoint's channel carries them (settings: limits, as umpctl
 * took them from the adapter's capabilities): struct outgoing *, in their order.  What cannot be converted stays as it is; whether all fits
 * now the policy says.
 */
GPtrArray *fit_attachments(const struct fit *fit, const GPtrArray *attached, const json_t *settings);
