/* SPDX-License-Identifier: Apache-2.0 */
#include "lmtp/store.h"

#include <string.h>

static const struct store_ops *const stores[] = {&store_lmtp, NULL};

const struct store_ops *store_find(const char *setting, const char **where)
{
    for (size_t i = 0; stores[i]; i++) {
        size_t n = strlen(stores[i]->scheme);
        if (strncmp(setting, stores[i]->scheme, n) == 0 && setting[n] == ':') {
            *where = setting + n + 1;
            return stores[i];
        }
    }
    return NULL;
}
