/* SPDX-License-Identifier: Apache-2.0 */
/* The GError domain of core. */
#include "core/error.h"

#include <errno.h>
#include <stdbool.h>

G_DEFINE_QUARK(ump-error-quark, ump_error)

/* Before any thread: G_DEFINE_QUARK's own first look is a data race. */
__attribute__((constructor)) static void know_quark(void)
{
    ump_error_quark();
}

int ump_error_errno(GError **error, int errnum, const char *what, ...)
{
    va_list arguments;

    va_start(arguments, what);
    g_autofree char *text = g_strdup_vprintf(what, arguments);
    va_end(arguments);
    bool full = errnum == ENOSPC || errnum == EDQUOT;
    g_set_error(error, UMP_ERROR, full ? UMP_ERROR_NO_SPACE : UMP_ERROR_IO, "%s: %s", text,
                g_strerror(errnum));
    return -1;
}
