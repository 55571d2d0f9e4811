"""The manual pages say what the programs take, no less and no more, and mandoc has nothing to say about them."""
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("UMP_BUILD", ROOT / "build"))
PROGRAMS = {"ump-milter": "milter", "ump-lmtp": "lmtp", "ump-bridge": "bridge", "umpctl": "ctl"}
PAGES = ["ump.conf.5", *(f"{name}.8" for name in PROGRAMS)]


def page(name):
    return (BUILD / "man" / name).read_text()


def section(text, title):
    return re.search(rf'^\.SH "?{re.escape(title)}"?\n(.*?)(?=^\.SH |\Z)', text, re.M | re.S).group(1)


def entries(text):
    """The tags of a section's list, without the markup."""
    lines = re.findall(r"^\.TP\n\.(?:B|BR|BI|I) (.*)$", text, re.M)
    return [" ".join(line.replace("\\-", "-").replace('"', "").split()) for line in lines]


def output(program, *words):
    return subprocess.run([BUILD / PROGRAMS[program] / program, *words], capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", PAGES)
def test_mandoc_has_nothing_to_say(name):
    done = subprocess.run(["mandoc", "-Tlint", BUILD / "man" / name], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_options_are_those_of_the_command_line(program):
    taken = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", output(program, "--help"), re.M))
    described = {option for entry in entries(section(page(f"{program}.8"), "OPTIONS")) for option in re.findall(r"--[a-z-]+", entry)}
    assert taken == described


def test_commands_are_those_of_umpctl():
    taken = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", output("umpctl", "help"), re.M)
    assert entries(section(page("umpctl.8"), "COMMANDS")) == taken and len(taken) > 40


def test_settings_of_endpoints_and_accounts_are_described():
    text, source = page("umpctl.8"), (ROOT / "core" / "endpoint_settings.c").read_text()
    for title, table in (("SETTINGS OF AN ENDPOINT", "endpoint_settings"), ("SETTINGS OF AN ACCOUNT", "account_settings")):
        rows = re.search(rf"^const struct endpoint_setting {table}\[\] = \{{(.*?)\{{NULL", source, re.M | re.S).group(1)
        known = re.findall(r'^    \{"([a-z_]+)", ENDPOINT_SETTING_', rows, re.M)
        assert entries(section(text, title)) == known and known
    provider = entries(section(text, "SETTINGS AND SECRETS BY PROVIDER"))
    assert "api_key (secret, required)" in provider and "public_key (secret, required)" in provider


def test_every_option_of_the_file_is_described():
    text, sample = page("ump.conf.5"), (ROOT / "conf" / "ump.conf").read_text()
    for name, body in re.findall(r"^\[(\w+)\]\n(.*?)(?=^\[|\Z)", sample, re.M | re.S):
        described = [entry.split()[0] for entry in entries(section(text, f"[{name}]"))]
        assert described == re.findall(r"^#(\w+) =", body, re.M), name


def test_units_and_readme_name_pages_that_exist():
    named = {page for path in [*(ROOT / "conf" / "systemd").glob("*.service")]
             for page in re.findall(r"man:([\w.-]+\(\d\))", path.read_text())}
    assert named and named <= {f"{page[:-2]}({page[-1]})" for page in PAGES}


def test_settings_that_the_readme_names_exist():
    sample, readme = (ROOT / "conf" / "ump.conf").read_text(), (ROOT / "README.md").read_text()
    table = re.findall(r"^\| `\[(\w+)\] (\w+)` \| (?:`(.*?)`|(\d+)|–) \|", readme, re.M)
    assert len(table) >= 12
    for name, key, text, number in table:
        body = re.search(rf"^\[{name}\]\n(.*?)(?=^\[|\Z)", sample, re.M | re.S).group(1)
        default = re.search(rf"^#{key} =(.*)$", body, re.M)
        assert default and default.group(1).strip() == (text or number), f"[{name}] {key}"
