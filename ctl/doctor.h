/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of umpctl doctor. */
#pragma once

#include "ctl/ctl.h"

enum doctor_verdict { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_WRONG };

struct doctor {
    struct ctl *ctl;
    json_t *rows;
    enum doctor_verdict worst;
};

/* One finding; mend (may be NULL) is what to do about it. */
void doctor_note(struct doctor *doctor, enum doctor_verdict verdict, const char *check, const char *mend,
                 const char *format, ...) G_GNUC_PRINTF(5, 6);

void doctor_check_sockets(struct doctor *doctor);                     /* doctor_mail.c */
void doctor_check_postfix(struct doctor *doctor, const char *folder); /* doctor_mail.c */
void doctor_check_resolver(struct doctor *doctor);                    /* doctor_resolver.c */
void doctor_check_web(struct doctor *doctor);                         /* doctor_web.c */
