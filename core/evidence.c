/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evidence.h"

#include "core/db.h"

/* Who answers quotes the last few messages; a whole history may be quoted, but its beginning says enough. */
#define MAX_MESSAGES 30
#define MAX_BYTES 65536

int evidence_load(struct db *db, const char *login, const char *const *refs, gint64 before, unsigned timeout_ms,
                  struct text_known **known, GError **error)
{
    g_autoptr(db_rows) rows = NULL;
    struct db_params *params;

    *known = NULL;
    if (!login || !*login || !refs || !refs[0])
        return 0;
    params = db_params_new();
    db_params_text(params, login);
    db_params_texts(params, refs);
    db_params_time(params, before);
    db_params_int(params, MAX_MESSAGES);
    db_params_int(params, MAX_BYTES);
    if (db_query_once(db, DB_STMT_KNOWN_TEXTS, params, timeout_ms, &rows, error) < 0)
        return -1;
    if (db_rows_count(rows) == 0)
        return 0;
    *known = text_known_new();
    for (unsigned i = 0; i < db_rows_count(rows); i++)
        text_known_add(*known, db_rows_text(rows, i, 0));
    return 0;
}
