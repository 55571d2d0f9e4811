"""Waiting for conditions: never for time."""
import time


def wait_until(condition, what, timeout=20.0, interval=0.03):
    """The first true value of condition(); AssertionError names `what` and the last value at the deadline."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {timeout} s for {what}; last value: {value!r}")
        time.sleep(interval)
