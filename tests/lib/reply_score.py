"""How right a text extractor is, over a corpus of mails with the text that should leave.

A corpus is a directory with MANIFEST.json: a list of objects of which this reads id, category, lang, files.eml,
files.body, body_ctype, expected (null: only must_contain and must_not_contain hold), alts, must_contain,
must_not_contain, starts_with, ends_with, nows (white space and quote marks do not count), held (to hold it back
is right as well). Texts are compared in NFC, white space runs as one space, without invisible marks.

A mail is one of: right · held (the extractor was not certain) · wrong; a wrong one leaks when its output has a line of
the mail that should have stayed, and loses when a line that should have left is missing. Both may be true, or neither
(lines in another order).
"""
import html.parser
import json
import re
import subprocess
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# Names and closings are a matter of taste, a forward or a mere quotation has nothing to be right about.
HEADLINE = ("quote", "html", "signature", "passthrough", "mime")
SMS_LENGTH = 160
INVISIBLE = {code: None for code in (0xAD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A))}
QUOTE_MARKS = re.compile(r"^[\s>]*>\s?|^\s+")
RULES = re.compile(r"[-_=*]{3,}")
CERTAIN, UNCERTAIN = 0, 3


@dataclass
class Verdict:
    id: str
    category: str
    right: bool = False
    held: bool = False
    leaked: int = 0  # characters that should have stayed
    lost: int = 0    # lines that should have left
    output: str = ""
    error: str = ""
    code: int = 0

    @property
    def wrong(self):
        return not self.right and not self.held


class _Reader(html.parser.HTMLParser):
    """The words of an HTML part, a line per block."""

    SILENT = {"style", "script", "title", "head"}
    INLINE = {"a", "b", "i", "u", "em", "strong", "span", "font", "tt", "code", "sub", "sup", "img", "o:p"}

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.words, self.silent = [], 0
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.silent += tag in self.SILENT
        self._break(tag)

    def handle_endtag(self, tag):
        self.silent -= tag in self.SILENT and self.silent > 0
        self._break(tag)

    def _break(self, tag):
        if tag not in self.INLINE:
            self.words.append("\n")

    def handle_data(self, data):
        if not self.silent:
            self.words.append(data)


def flat(text):
    """One line, one space between words."""
    return " ".join(unicodedata.normalize("NFC", text).translate(INVISIBLE).split())


def dense(text):
    """Without white space, quote marks and ruled lines."""
    stripped = "\n".join(QUOTE_MARKS.sub("", line) for line in text.splitlines())
    return "".join(RULES.sub("", flat(stripped)).split())


def rows(text):
    """The filled lines of a text, each flat and without the marks of a quotation."""
    return [row for row in (flat(QUOTE_MARKS.sub("", line)) for line in text.replace("\r\n", "\n").split("\n")) if row]


def telling(row):
    """Is the line long enough that meeting it again is no accident?"""
    return sum(map(str.isalnum, row)) >= 4 and (len(row) >= 8 or " " in row)


class Judge:
    """Of one mail of a corpus."""

    def __init__(self, corpus, case):
        self.case = case
        self.eml = (Path(corpus) / case["files"]["eml"]).read_bytes()
        body = (Path(corpus) / case["files"]["body"]).read_text(encoding="utf-8", errors="replace")
        self.body = "".join(_Reader(body).words) if case["body_ctype"] == "html" else body
        self.loose = case.get("nows", False)

    def verdict(self, output, code=CERTAIN):
        case = self.case
        verdict = Verdict(case["id"], case["category"], output=output, code=code)
        if code not in (CERTAIN, UNCERTAIN):
            verdict.error = f"exit {code}"
        elif code == UNCERTAIN:
            verdict.right = bool(case.get("held"))
            verdict.held = not verdict.right
        elif case["expected"] is None:
            self._by_assertions(verdict)
        else:
            self._by_text(verdict)
        return verdict

    def _has(self, output, words):
        return flat(words) in flat(output) or (len(dense(words)) >= 8 and dense(words) in dense(output))

    def _by_text(self, verdict):
        wanted = [self.case["expected"], *self.case["alts"]]
        form = dense if self.loose else flat
        verdict.right = any(form(verdict.output) == form(text) for text in wanted)
        if not verdict.right:
            # The reading that forgives most: fewest characters leaked, then fewest lines lost.
            verdict.leaked, verdict.lost = min((self._leak(verdict.output, text), self._loss(verdict.output, text)) for text in wanted)

    def _leak(self, output, wanted):
        out, keep, keep_dense = flat(output), flat(wanted), dense(wanted)
        stays = [row for row in rows(self.body) if telling(row) and row not in keep and dense(row) not in keep_dense]
        return sum(len(row) for row in stays if row in out or (self.loose and len(dense(row)) >= 8 and dense(row) in dense(output)))

    def _loss(self, output, wanted):
        out = flat(output)
        # A rule or an emoji among words is no loss; one that stands alone is the answer.
        spoken = [row for row in rows(wanted) if any(map(str.isalnum, row))] or rows(wanted)
        return sum(row not in out and not (self.loose and dense(row) in dense(output)) for row in spoken)

    def _by_assertions(self, verdict):
        case, out = self.case, flat(verdict.output)
        lacking = [words for words in case["must_contain"] if not self._has(out, words) and not self._has(verdict.output, words)]
        unwanted = [words for words in case["must_not_contain"] if self._has(verdict.output, words)]
        if not all(out.startswith(flat(words)) for words in case["starts_with"]):
            unwanted += case["starts_with"][:1]
        ends = case["ends_with"]
        if ends and not any(out.endswith(flat(words)) for words in ends):
            (unwanted if any(flat(words) in out for words in ends) else lacking).append(ends[0])
        verdict.right = not lacking and not unwanted
        verdict.lost = len(lacking)
        verdict.leaked = max(sum(map(len, unwanted)), self._tail(out, unwanted)) if unwanted else 0

    def _tail(self, out, unwanted):
        """What of the mail follows the first unwanted words, and is in the output."""
        all_rows = rows(self.body)
        first = next((n for n, row in enumerate(all_rows) if any(flat(words) in row or row in flat(words) for words in unwanted)), None)
        return sum(len(row) for row in all_rows[first:] if telling(row) and row in out) if first is not None else 0


@dataclass
class Score:
    verdicts: list

    def of(self, *categories):
        return Score([one for one in self.verdicts if one.category in categories])

    @property
    def headline(self):
        return self.of(*HEADLINE)

    def share(self, condition):
        return sum(map(bool, map(condition, self.verdicts))) / max(len(self.verdicts), 1)

    @property
    def right(self):
        return self.share(lambda one: one.right)

    @property
    def held(self):
        return self.share(lambda one: one.held)

    @property
    def leaking(self):
        return self.share(lambda one: one.leaked > 0)

    @property
    def losing(self):
        return self.share(lambda one: one.lost > 0)

    @property
    def worst_leak(self):
        return max((one.leaked for one in self.verdicts), default=0)

    @property
    def errors(self):
        return [one for one in self.verdicts if one.error]

    def __str__(self):
        bad = "".join(f"\n  {one.id} [{one.category}] {one.error or ('held' if one.held else f'leak {one.leaked}, loss {one.lost}')}: "
                      f"{one.output[:200]!r}" for one in self.verdicts if not one.right)
        return f"{len(self.verdicts)} mails: {self.right:.1%} right, {self.held:.1%} held, {self.leaking:.1%} leak (worst {self.worst_leak} " \
               f"characters), {self.losing:.1%} lose, {len(self.errors)} errors{bad}"


def manifest(corpus):
    return json.loads((Path(corpus) / "MANIFEST.json").read_text(encoding="utf-8"))


def score(corpus, command, workers=2, timeout=30):
    """Runs command once per mail, the mail on standard input: exit 0 certain, 3 uncertain, else an error."""
    def one(case):
        judge = Judge(corpus, case)
        done = subprocess.run(command, input=judge.eml, capture_output=True, timeout=timeout)
        verdict = judge.verdict(done.stdout.decode("utf-8", "replace"), done.returncode)
        verdict.error = verdict.error and f"{verdict.error}: {done.stderr.decode('utf-8', 'replace')[-200:].strip()}"
        return verdict
    with ThreadPoolExecutor(workers) as pool:
        return Score(list(pool.map(one, manifest(corpus))))
