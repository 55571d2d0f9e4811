/* SPDX-License-Identifier: Apache-2.0 */
/* Facts by sender, for a moment; see the header. */
#include "core/policy_cache.h"

#include <pthread.h>
#include <string.h>

#include "core/clock.h"

#define KEYS_MAX 1000

struct entry {
    struct policy_facts facts; /* without an address */
    gint64 until;              /* monotonic, µs */
};

struct policy_cache {
    gint64 lifetime;
    pthread_mutex_t lock;
    GHashTable *entries; /* key → struct entry * */
};

static void entry_free(gpointer data)
{
    struct entry *entry = data;

    policy_facts_clear(&entry->facts);
    g_free(entry);
}

struct policy_cache *policy_cache_new(gint64 lifetime)
{
    struct policy_cache *cache = g_new0(struct policy_cache, 1);

    cache->lifetime = lifetime;
    pthread_mutex_init(&cache->lock, NULL);
    cache->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    return cache;
}

void policy_cache_free(struct policy_cache *cache)
{
    if (cache == NULL)
        return;
    g_hash_table_unref(cache->entries);
    pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

/* Says nothing of the recipient but his channel. */
static char *key_of(const struct policy_request *request, const char *channel)
{
    g_autofree char *who = policy_who_format(&request->who);

    return g_strjoin("\n", who, request->from != NULL ? request->from : "", channel,
                     request->ump_from != NULL ? request->ump_from : "", request->early ? "early" : "", NULL);
}

static bool answers_something(const struct policy_request *request)
{
    return request->refs != NULL && request->refs[0] != NULL;
}

static bool is_plain_number(const struct address *address, enum address_result result)
{
    return result == ADDRESS_OK && address->kind == ADDRESS_NUMBER && address->phone.valid && address->written != NULL &&
           address->written[0] == '+';
}

/* What the recipient has no part in; address and counters stay empty. */
static void copy(struct policy_facts *to, const struct policy_facts *from)
{
    *to = (struct policy_facts){
        .known = from->known,
        .account_id = from->account_id,
        .account_region = g_strdup(from->account_region),
        .account_settings = json_deep_copy(from->account_settings),
        .user_id = g_strdup(from->user_id),
        .user_email = g_strdup(from->user_email),
        .user_name = g_strdup(from->user_name),
        .machine = from->machine,
        .machine_id = g_strdup(from->machine_id),
        .machine_rate = from->machine_rate,
        .machine_period_s = from->machine_period_s,
        .machine_subject_first = from->machine_subject_first,
        .from_given = from->from_given,
        .from_ok = from->from_ok,
        .from_team = g_strdup(from->from_team),
        .endpoint_id = g_strdup(from->endpoint_id),
        .endpoint_address = g_strdup(from->endpoint_address),
        .endpoint_provider = g_strdup(from->endpoint_provider),
        .endpoint_channel = g_strdup(from->endpoint_channel),
        .endpoint_status = g_strdup(from->endpoint_status),
        .endpoint_settings = json_deep_copy(from->endpoint_settings),
        .endpoint_count = from->endpoint_count,
        .owner_kind = g_strdup(from->owner_kind),
        .owner_id = g_strdup(from->owner_id),
        .owner_mailbox = g_strdup(from->owner_mailbox),
    };
}

bool policy_cache_get(struct policy_cache *cache, const struct policy_site *site, const struct policy_request *request,
                      struct policy_facts *facts)
{
    const struct address_space space = {site->domains, site->channels, site->region};
    struct policy_facts found = {0};
    bool hit = false;

    if (cache->lifetime == 0 || answers_something(request) || request->template != NULL)
        return false;
    found.address_result = address_parse(request->recipient, strlen(request->recipient), &space, &found.address);
    if (is_plain_number(&found.address, found.address_result) && found.address.template == NULL) {
        g_autofree char *key = key_of(request, request->channel != NULL ? request->channel : found.address.channel);
        pthread_mutex_lock(&cache->lock);
        const struct entry *entry = g_hash_table_lookup(cache->entries, key);
        hit = entry != NULL && ump_clock_mono_us() < entry->until;
        if (hit)
            copy(facts, &entry->facts);
        pthread_mutex_unlock(&cache->lock);
    }
    if (hit) {
        facts->address_result = found.address_result;
        facts->address = found.address;
    } else {
        address_clear(&found.address);
    }
    return hit;
}

void policy_cache_put(struct policy_cache *cache, const struct policy_request *request, const struct policy_facts *facts)
{
    if (cache->lifetime == 0 || answers_something(request) || !facts->known || facts->endpoint_id == NULL ||
        !is_plain_number(&facts->address, facts->address_result))
        return;
    struct entry *entry = g_new0(struct entry, 1);
    char *key = key_of(request, request->channel != NULL ? request->channel : facts->address.channel);
    copy(&entry->facts, facts);
    entry->until = ump_clock_mono_us() + cache->lifetime;
    pthread_mutex_lock(&cache->lock);
    if (g_hash_table_size(cache->entries) >= KEYS_MAX)
        g_hash_table_remove_all(cache->entries);
    g_hash_table_replace(cache->entries, key, entry);
    pthread_mutex_unlock(&cache->lock);
}
