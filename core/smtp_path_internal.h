/* SPDX-License-Identifier: Apache-2.0 */
/* What smtp_path.c and smtp_params.c share. */
#pragma once

#include "core/smtp_path.h"

#define SMTP_PARAMS_BYTES 3000

struct smtp_scan {
    const char *p, *end;
};

/* Everything behind the path, up to the end. */
enum smtp_path_result smtp_params_parse(struct smtp_scan *s, guint flags, struct smtp_path *out);
