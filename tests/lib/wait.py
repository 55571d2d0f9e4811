"""Waiting for conditions: never for time."""
import time

PATIENCE = 3  # a machine may be so much slower for a while than the one on which the limits were chosen


def deadline(timeout):
    """When to give up waiting, on the monotonic clock."""
    return time.monotonic() + timeout * PATIENCE


def wait_until(condition, what, timeout=20.0, interval=0.03):
    """The first true value of condition(); AssertionError names `what` and the last value at the deadline."""
    end = deadline(timeout)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"waited {timeout * PATIENCE} s for {what}; last value: {value!r}")
        time.sleep(interval)
