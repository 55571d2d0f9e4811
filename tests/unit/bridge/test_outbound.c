/* SPDX-License-Identifier: Apache-2.0 */
/* Who may send next, and what an answer means: the pure parts of the outbound room. */
#include "bridge/outbound/sched.h"
#include "bridge/outbound/verdict.h"
#include "core/clock.h"
#include "unit.h"

static const struct verdict_limits limits = {
    .retry_min = 5 * CLOCK_SECOND, .retry_max = 15 * CLOCK_MINUTE, .uncertain_first = 30 * CLOCK_MINUTE};

static struct verdict decide(enum http_class class, enum channel_outcome outcome, int status, guint attempts, gint64 after,
                             gint64 hold)
{
    struct channel_result result = {.outcome = outcome, .retry_after_us = after, .hold_us = hold};
    struct verdict verdict;

    verdict_decide(class, &result, status, attempts, &limits, 0.5, &verdict);
    return verdict;
}

static void test_verdicts(void **state)
{
    struct verdict v = decide(HTTP_DEFINITE, CHANNEL_ACCEPTED, 200, 0, -1, 0);
    assert_int_equal(v.outcome, CHANNEL_ACCEPTED);
    assert_false(v.provider_down);
    v = decide(HTTP_DEFINITE, CHANNEL_FAILED, 400, 0, -1, 0);
    assert_int_equal(v.outcome, CHANNEL_FAILED);
    /* what may have been sent stays uncertain, whatever the adapter reads in it */
    for (int outcome = CHANNEL_ACCEPTED; outcome <= CHANNEL_UNCERTAIN; outcome++) {
        v = decide(HTTP_AMBIGUOUS, (enum channel_outcome)outcome, 500, 0, 0, 0);
        assert_int_equal(v.outcome, CHANNEL_UNCERTAIN);
        assert_true(v.after_us == 30 * CLOCK_MINUTE && v.provider_down && v.hold_us == 0);
    }
    v = decide(HTTP_SAFE, CHANNEL_UNCERTAIN, 0, 0, -1, 0);
    assert_int_equal(v.outcome, CHANNEL_RETRY);
    assert_true(v.after_us == 5 * CLOCK_SECOND && v.provider_down);
    v = decide(HTTP_SAFE, CHANNEL_RETRY, 429, 3, 60 * CLOCK_SECOND, 0);
    assert_true(v.after_us >= 60 * CLOCK_SECOND && v.after_us <= 61 * CLOCK_SECOND && !v.provider_down);
    v = decide(HTTP_DEFINITE, CHANNEL_RETRY, 400, 2, -1, 0);
    assert_true(v.after_us == 20 * CLOCK_SECOND);
    v = decide(HTTP_DEFINITE, CHANNEL_HOLD, 400, 2, -1, CLOCK_HOUR);
    assert_int_equal(v.outcome, CHANNEL_RETRY);
    assert_true(v.hold_us == CLOCK_HOUR && v.after_us == CLOCK_MINUTE);
    v = decide(HTTP_DEFINITE, CHANNEL_UNCERTAIN, 302, 0, -1, 0);
    assert_int_equal(v.outcome, CHANNEL_UNCERTAIN);
}

static void test_backoff(void **state)
{
    gint64 before = 0;

    for (guint attempts = 0; attempts < 100; attempts++) {
        gint64 pause = verdict_backoff(attempts, &limits, 0.5);
        assert_true(pause >= before && pause <= limits.retry_max);
        before = pause;
    }
    assert_true(before == limits.retry_max);
    assert_true(verdict_backoff(0, &limits, 0) == 4 * CLOCK_SECOND);
    assert_true(verdict_backoff(0, &limits, 1) == 6 * CLOCK_SECOND);
}

/* ---- Scheduling ---- */

struct play {
    struct sched *sched;
    gint64 now, wake;
    gint64 floor;
    guint limit;
};

static void play_init(struct play *play, guint slots, guint batch)
{
    *play = (struct play){.sched = sched_new(slots, batch), .now = 100 * CLOCK_SECOND};
}

static struct sched_endpoint *next_claim(struct play *play)
{
    play->wake = G_MAXINT64;
    return sched_next_claim(play->sched, play->now, &play->floor, &play->limit, &play->wake);
}

static void claimed(struct play *play, struct sched_endpoint *place, guint jobs, gint64 floor, bool more)
{
    struct sched_claimed said = {.jobs = jobs, .floor = floor, .more = more};

    for (guint i = 0; i < jobs; i++)
        sched_add_job(play->sched, place, GUINT_TO_POINTER(i + 1));
    sched_claimed(play->sched, place, play->now, &said);
}

static struct sched_endpoint *next_job(struct play *play)
{
    struct sched_endpoint *place = NULL;

    play->wake = G_MAXINT64;
    return sched_next_job(play->sched, play->now, &place, &play->wake) ? place : NULL;
}

static void test_one_endpoint(void **state)
{
    struct play play;
    play_init(&play, 16, 8);

    assert_null(next_claim(&play));
    sched_notify(play.sched, 1, "e1", 0);
    struct sched_endpoint *place = next_claim(&play);
    assert_string_equal(place->id, "e1");
    assert_int_equal(play.limit, 8);
    assert_true(play.floor == 0);
    assert_null(next_claim(&play)); /* one claim of an endpoint at a time */
    claimed(&play, place, 8, 8, true);
    assert_non_null(next_claim(&play));
    claimed(&play, place, 8, 16, true);
    for (int i = 0; i < 14; i++) /* alone, it leaves an eighth of the slots free */
        assert_ptr_equal(next_job(&play), place);
    assert_null(next_job(&play));
    assert_int_equal(sched_flying(play.sched), 14);
    assert_int_equal(sched_leased(play.sched), 2);
    for (int i = 0; i < 14; i++)
        sched_job_done(play.sched, place, play.now, SCHED_END_GOOD);
    assert_ptr_equal(next_job(&play), place);
    assert_ptr_equal(next_job(&play), place);
    sched_job_done(play.sched, place, play.now, SCHED_END_GOOD);
    sched_job_done(play.sched, place, play.now, SCHED_END_GOOD);
    assert_int_equal(sched_flying(play.sched) + sched_leased(play.sched), 0);
    sched_free(play.sched);
}

/* FAILURES T37: a tenant with a long queue gets a quarter of the slots while another waits. */
static void test_fair(void **state)
{
    struct play play;
    guint count[2] = {0, 0};
    play_init(&play, 16, 32);

    sched_notify(play.sched, 1, "big", 0);
    claimed(&play, next_claim(&play), 28, 28, true);
    for (int i = 0; i < 10; i++)
        assert_non_null(next_job(&play));
    sched_notify(play.sched, 2, "small", 0);
    struct sched_endpoint *place = next_claim(&play);
    assert_string_equal(place->id, "small");
    claimed(&play, place, 4, 4, false);
    for (struct sched_endpoint *p; (p = next_job(&play));)
        count[strcmp(p->id, "small") == 0]++;
    assert_int_equal(count[1], 4);
    assert_int_equal(count[0], 0); /* it has more than its share already */
    GQueue left = sched_take_jobs(play.sched, sched_find(play.sched, "big"));
    assert_int_equal(left.length, 18);
    g_queue_clear(&left);
    sched_free(play.sched);
}

static void test_floors(void **state)
{
    struct play play;
    play_init(&play, 64, 64);

    sched_notify(play.sched, 1, "e1", 0);
    struct sched_endpoint *place = next_claim(&play);
    claimed(&play, place, 0, 500, true);
    assert_ptr_equal(next_claim(&play), place);
    assert_true(play.floor == 0); /* what was committed late is still found */
    claimed(&play, place, 0, 600, true);
    play.now += 2 * CLOCK_SECOND;
    next_claim(&play);
    claimed(&play, place, 0, 700, true);
    play.now += 2 * CLOCK_SECOND;
    next_claim(&play);
    assert_true(play.floor == 600);
    /* what becomes ready again while a claim is under way is not passed over */
    sched_notify(play.sched, 1, "e1", 650);
    claimed(&play, place, 0, 900, false);
    assert_true(place->floor[0] == 649);
    sched_notify(play.sched, 1, "e1", 100);
    next_claim(&play);
    assert_true(play.floor <= 99);
    claimed(&play, place, 0, 950, false);
    sched_notify_all(play.sched);
    next_claim(&play);
    assert_true(play.floor == 0);
    claimed(&play, place, 0, 950, false);
    sched_free(play.sched);
}

static void test_waits(void **state)
{
    struct play play;
    play_init(&play, 8, 8);

    sched_notify(play.sched, 1, "e1", 0);
    struct sched_endpoint *place = next_claim(&play);
    struct sched_claimed said = {.floor = 7, .wait_us = 3 * CLOCK_SECOND};
    sched_claimed(play.sched, place, play.now, &said);
    assert_null(next_claim(&play));
    assert_true(play.wake == play.now + 3 * CLOCK_SECOND);
    play.now += 3 * CLOCK_SECOND;
    assert_ptr_equal(next_claim(&play), place);
    said = (struct sched_claimed){.floor = 7, .behind = true};
    sched_claimed(play.sched, place, play.now, &said);
    assert_null(next_claim(&play));
    sched_lanes_moved(play.sched);
    assert_ptr_equal(next_claim(&play), place);
    said.behind = false;
    sched_claimed(play.sched, place, play.now, &said);
    sched_lanes_moved(play.sched);
    assert_null(next_claim(&play));
    sched_pause(play.sched, place, play.now + CLOCK_MINUTE);
    assert_null(next_claim(&play));
    sched_resume(play.sched, "e1");
    assert_ptr_equal(next_claim(&play), place);
    sched_resume(play.sched, "nobody");
    sched_free(play.sched);
}

static void test_circuit(void **state)
{
    struct play play;
    play_init(&play, 8, 8);
    bool opened = false;

    sched_notify(play.sched, 1, "e1", 0);
    struct sched_endpoint *place = next_claim(&play);
    claimed(&play, place, 8, 8, true);
    for (int i = 0; i < 5; i++) {
        assert_non_null(next_job(&play));
        assert_false(opened);
        opened = sched_job_done(play.sched, place, play.now, SCHED_END_SAFE);
    }
    assert_true(opened);
    assert_null(next_job(&play));
    assert_null(next_claim(&play));
    assert_true(play.wake == G_MAXINT64 || play.wake > play.now);
    play.now += 2 * CLOCK_SECOND;
    assert_ptr_equal(next_job(&play), place); /* one, as a probe */
    assert_null(next_job(&play));
    assert_false(sched_job_done(play.sched, place, play.now, SCHED_END_SAFE));
    assert_null(next_job(&play));
    play.now += 4 * CLOCK_SECOND;
    assert_ptr_equal(next_job(&play), place);
    sched_job_done(play.sched, place, play.now, SCHED_END_GOOD);
    assert_ptr_equal(next_job(&play), place); /* closed again */
    sched_job_done(play.sched, place, play.now, SCHED_END_GOOD);
    sched_free(play.sched);
}

/* Whatever happens in whatever order: no slot and no job is lost, and nobody starves. */
static void test_random(void **state)
{
    struct play play;
    g_autoptr(GRand) dice = g_rand_new_with_seed(7);
    guint waiting[6] = {2000, 500, 300, 100, 50, 3}, done = 0, total = 2953;
    g_autoptr(GPtrArray) flying = g_ptr_array_new();
    play_init(&play, 12, 7);

    for (guint step = 0; done < total && step < 1000000; step++) {
        play.now += g_rand_int_range(dice, 0, 2000);
        guint which = (guint)g_rand_int_range(dice, 0, 6);
        g_autofree char *id = g_strdup_printf("e%u", which);
        struct sched_endpoint *place;
        if (waiting[which] > 0 && g_rand_int_range(dice, 0, 20) == 0)
            sched_notify(play.sched, which / 2, id, 0);
        if ((place = next_claim(&play))) {
            guint *left = &waiting[place->id[1] - '0'];
            guint n = MIN(play.limit, *left);
            assert_true(play.limit > 0 && play.limit <= 7);
            *left -= n;
            claimed(&play, place, n, 0, *left > 0);
        }
        if ((place = next_job(&play)))
            g_ptr_array_add(flying, place);
        assert_true(flying->len == sched_flying(play.sched) && flying->len <= 12);
        if (flying->len > 0 && g_rand_boolean(dice)) {
            guint i = (guint)g_rand_int_range(dice, 0, (gint32)flying->len);
            sched_job_done(play.sched, g_ptr_array_remove_index_fast(flying, i), play.now,
                           g_rand_int_range(dice, 0, 50) ? SCHED_END_GOOD : SCHED_END_SAFE);
            done++;
        }
    }
    assert_int_equal(done, total);
    assert_int_equal(sched_leased(play.sched), 0);
    sched_free(play.sched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts), cmocka_unit_test(test_backoff), cmocka_unit_test(test_one_endpoint),
        cmocka_unit_test(test_fair),     cmocka_unit_test(test_floors),  cmocka_unit_test(test_waits),
        cmocka_unit_test(test_circuit),  cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
