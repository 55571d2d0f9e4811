/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/metrics.h"

#include <stdatomic.h>
#include <string.h>

static _Atomic int64_t values[METRIC_COUNT];

static const struct {
    const char *type, *name, *help;
} rows[] = {
#define X(id, type, name, help) { type, name, help },
    METRICS(X)
#undef X
};

void metrics_add(enum metric metric, int64_t n)
{
    atomic_fetch_add_explicit(&values[metric], n, memory_order_relaxed);
}

int64_t metrics_get(enum metric metric)
{
    return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

void metrics_write(GString *out)
{
    for (gsize i = 0; i < METRIC_COUNT; i++) {
        int length = (int)strcspn(rows[i].name, "{");
        if (rows[i].help[0] != '\0') /* the first row of a name */
            g_string_append_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", length, rows[i].name, rows[i].help,
                                   length, rows[i].name, rows[i].type);
        g_string_append_printf(out, "%s %" G_GINT64_FORMAT "\n", rows[i].name, (gint64)metrics_get((enum metric)i));
    }
}
