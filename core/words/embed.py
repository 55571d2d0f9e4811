#!/usr/bin/python3
"""Turns words/*.txt into C: one table of phrases, sorted by their first unit, and a hash of those units (text_words.c)."""
import os
import sys
import unicodedata

KINDS = ["from", "date", "to", "cc", "subject", "replyto", "verb", "opener", "month", "weekday", "footer", "device", "ad",
         "original", "forwarded", "notice", "legal", "signoff", "marker", "list", "inline"]
STEM = "stem"


def alone(char):
    """Scripts without blanks: each letter is looked up by itself.  The same ranges as in text_words.c."""
    c = ord(char)
    return 0x0E00 <= c < 0x0E80 or 0x1100 <= c < 0x1200 or 0x2E80 <= c < 0xA000 or 0xA960 <= c < 0xA980 or \
        0xAC00 <= c < 0xD800 or 0xF900 <= c < 0xFB00 or c >= 0x20000


def is_letter(char):
    return char.isalnum() or unicodedata.category(char).startswith("M")


def first_unit(phrase):
    if alone(phrase[0]) or not is_letter(phrase[0]):
        return phrase[0]
    end = 1
    while end < len(phrase) and is_letter(phrase[end]) and not alone(phrase[end]):
        end += 1
    return phrase[:end]


def fnv(data):
    value = 2166136261
    for byte in data:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def literal(text):
    return '"' + "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode()) + '"'


def read(paths):
    phrases, tails, stems = {}, {}, {}
    for path in paths:
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            kind, _, rest = line.partition(":")
            if kind not in KINDS and kind != STEM:
                sys.exit(f"{path}:{number}: no such kind: {kind}")
            for phrase in rest.split(" | "):
                phrase = unicodedata.normalize("NFC", phrase.strip().lower().replace("’", "'"))
                if not phrase or phrase == "|":
                    sys.exit(f"{path}:{number}: an empty phrase")
                if kind == STEM:
                    stems[phrase] = True
                    continue
                head, star, tail = phrase.partition("*")
                if star and kind != "footer":
                    sys.exit(f"{path}:{number}: '*' belongs to footers only")
                head, tail = head.strip(), tail.strip()
                if star and not head:
                    tails[tail] = True
                else:
                    key = (head, tail)
                    phrases[key] = phrases.get(key, 0) | 1 << KINDS.index(kind)
    return phrases, sorted(tails), sorted(stems)


def main():
    folder, out_h, out_c, depfile = sys.argv[1:]
    paths = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".txt"))
    phrases, tails, stems = read(paths)
    rows = sorted(phrases.items(), key=lambda row: (first_unit(row[0][0]), -len(row[0][0].encode()), row[0]))
    units = {}
    for index, ((head, _), _) in enumerate(rows):
        first, count = units.get(first_unit(head), (index, 0))
        units[first_unit(head)] = (first, count + 1)
    size = 1
    while size < 3 * len(units):
        size *= 2
    slots = [None] * size
    for unit, place in units.items():
        value = fnv(unit.encode())
        at = value % size
        while slots[at]:
            at = (at + 1) % size
        slots[at] = (value, *place)
    with open(out_h, "w", encoding="utf-8") as out:
        out.write("/* Made of the files in words/ by embed.py. */\n#pragma once\n#include <stdint.h>\n\nenum text_word {\n")
        for index, kind in enumerate(KINDS):
            out.write(f"    TEXT_WORD_{kind.upper()} = 1 << {index},\n")
        out.write("};\n\nstruct text_phrase {\n    const char *head, *tail; /* tail: behind the '*'; NULL: there is none */\n"
                  "    uint16_t len;            /* of head */\n    uint32_t kinds;\n};\n"
                  "struct text_phrase_slot {\n    uint32_t hash; /* FNV-1a of the first unit */\n    uint16_t first, count;\n};\n")
        out.write(f"enum {{ TEXT_PHRASE_SLOTS = {size}, TEXT_PHRASE_TAILS = {len(tails)}, TEXT_PHRASE_STEMS = {len(stems)} }};\n"
                  "extern const struct text_phrase text_phrases[];\n"
                  "extern const struct text_phrase_slot text_phrase_slots[TEXT_PHRASE_SLOTS];\n"
                  "extern const char *const text_phrase_tails[TEXT_PHRASE_TAILS]; /* footers that are known by their end */\n"
                  "extern const char *const text_phrase_stems[TEXT_PHRASE_STEMS]; /* parts of words of legal notices */\n")
    with open(out_c, "w", encoding="utf-8") as out:
        out.write(f'/* Made of the files in words/ by embed.py. */\n#include "{os.path.basename(out_h)}"\n\n#include <stddef.h>\n\n'
                  "const struct text_phrase text_phrases[] = {\n")
        for (head, tail), kinds in rows:
            out.write(f"    {{{literal(head)}, {literal(tail) if tail else 'NULL'}, {len(head.encode())}, {kinds:#x}}},\n")
        out.write("};\n\nconst struct text_phrase_slot text_phrase_slots[TEXT_PHRASE_SLOTS] = {\n")
        for at, slot in enumerate(slots):
            if slot:
                out.write(f"    [{at}] = {{{slot[0]}u, {slot[1]}, {slot[2]}}},\n")
        out.write("};\n\nconst char *const text_phrase_tails[TEXT_PHRASE_TAILS] = {\n")
        for tail in tails:
            out.write(f"    {literal(tail)},\n")
        out.write("};\n\nconst char *const text_phrase_stems[TEXT_PHRASE_STEMS] = {\n")
        for stem in stems:
            out.write(f"    {literal(stem)},\n")
        out.write("};\n")
    with open(depfile, "w", encoding="utf-8") as out:
        out.write(f"{out_h} {out_c}: {' '.join(paths)}\n")


if __name__ == "__main__":
    main()
