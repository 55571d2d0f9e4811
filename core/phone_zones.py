#!/usr/bin/python3
"""The time zones of phone numbers as C: phone_zones.py OUTPUT.c

From Google's libphonenumber, whose C++ library has no such table: Debian ships it with the Python port of
the library (package python3-phonenumbers, Apache-2.0), which is needed when the gateway is built, never when it runs.
"""
import sys

try:
    from phonenumbers.tzdata import TIMEZONE_DATA
except ImportError:
    sys.exit("phone_zones.py: the package python3-phonenumbers is not installed")

UNKNOWN = "Etc/Unknown"


def table():
    """Sorted (prefix, zones); of prefixes whose zones are known."""
    return [(prefix, tuple(zone for zone in zones if zone != UNKNOWN)) for prefix, zones in sorted(TIMEZONE_DATA.items())]


def source(rows):
    lists = sorted({zones for _, zones in rows})
    lines = ["/* Made by phone_zones.py; libphonenumber's data, Apache-2.0. */", '#include "core/phone_zones.h"', ""]
    for number, zones in enumerate(lists):
        names = ", ".join(f'"{zone}"' for zone in zones)
        lines.append(f"static const char *const zones{number}[] = {{{names}{', ' if names else ''}NULL}};")
    numbers = {zones: number for number, zones in enumerate(lists)}
    lines += ["", "const struct phone_zone_row phone_zone_rows[] = {"]
    lines += [f'    {{"{prefix}", zones{numbers[zones]}}},' for prefix, zones in rows]
    lines += ["};", f"const size_t phone_zone_count = {len(rows)};", ""]
    return "\n".join(lines)


def main():
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write(source(table()))


if __name__ == "__main__":
    main()
