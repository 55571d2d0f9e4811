/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/outbound/verdict.h"

#include "core/clock.h"

gint64 verdict_backoff(guint attempts, const struct verdict_limits *limits, double dice)
{
    gint64 pause = limits->retry_min;

    while (attempts-- > 0 && pause < limits->retry_max)
        pause *= 2;
    return (gint64)((double)MIN(pause, limits->retry_max) * (0.8 + 0.4 * dice));
}

/* What the provider asks for counts, within reason; never sooner than the first pause is long. */
static gint64 retry_pause(const struct channel_result *result, guint attempts, const struct verdict_limits *limits,
                          double dice)
{
    if (result->retry_after_us >= 0)
        return CLAMP(result->retry_after_us, CLOCK_SECOND, 6 * CLOCK_HOUR) + (gint64)(dice * (double)CLOCK_SECOND);
    return verdict_backoff(attempts, limits, dice);
}

void verdict_decide(enum http_class class, const struct channel_result *result, int status, guint attempts,
                    const struct verdict_limits *limits, double dice, struct verdict *verdict)
{
    *verdict = (struct verdict){.outcome = CHANNEL_UNCERTAIN, .after_us = limits->uncertain_first};
    if (class == HTTP_AMBIGUOUS) {
        verdict->provider_down = true;
        return;
    }
    if (class == HTTP_SAFE && result->outcome != CHANNEL_HOLD) { /* 429 may ask for more than patience */
        verdict->outcome = CHANNEL_RETRY;
        verdict->after_us = retry_pause(result, attempts, limits, dice);
        verdict->provider_down = status != 429;
        return;
    }
    switch (result->outcome) {
    case CHANNEL_ACCEPTED:
    case CHANNEL_FAILED:
        verdict->outcome = result->outcome;
        verdict->after_us = 0;
        break;
    case CHANNEL_RETRY:
        verdict->outcome = CHANNEL_RETRY;
        verdict->after_us = retry_pause(result, attempts, limits, dice);
        break;
    case CHANNEL_HOLD:
        verdict->outcome = CHANNEL_RETRY;
        verdict->hold_us = MAX(result->hold_us, CLOCK_MINUTE);
        verdict->after_us = CLOCK_MINUTE; /* nothing of a held endpoint is claimed; it leaves soon after it is mended */
        break;
    case CHANNEL_UNCERTAIN:
        break;
    }
}
