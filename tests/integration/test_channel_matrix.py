"""docs/CHANNELS.md is what the adapters' data says, and every cell of it has a test by name."""
import ast
import json
import subprocess

from tests.stack.layout import ROOT

TESTS = ROOT / "tests"
DIRECTIONS = ("in", "out")


def cells_of_the_tests():
    """(provider, channel, direction, kind) → names of the tests that carry pytest.mark.cell for it."""
    found = {}
    for path in sorted([*TESTS.glob("integration/test_*.py"), *TESTS.glob("contract/test_*.py")]):
        for function in ast.walk(ast.parse(path.read_text(), str(path))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for mark in function.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.cell":
                    provider, channel, direction, *kinds = (ast.literal_eval(argument) for argument in mark.args)
                    for kind in kinds:
                        found.setdefault((provider, channel, direction, kind), []).append(f"{path.name}::{function.name}")
    return found


def cells_of_the_adapters():
    done = subprocess.run([ROOT / "build" / "ctl" / "umpctl", "--json", "channel", "list"], capture_output=True, text=True, check=True)
    return {(row["provider"], row["channel"], direction, kind) for row in json.loads(done.stdout) for direction in DIRECTIONS
            for kind in row[direction]}


def test_every_cell_has_a_test_and_every_mark_a_cell():
    cells, tests = cells_of_the_adapters(), cells_of_the_tests()
    missing = sorted(cells - set(tests))
    unknown = {cell: tests[cell] for cell in sorted(set(tests) - cells)}
    assert not missing and not unknown, f"cells without a test: {missing}\nmarks without a cell: {unknown}"


def test_the_document_is_what_the_adapters_say(tmp_path):
    made = tmp_path / "CHANNELS.md"
    subprocess.run([ROOT / "build" / "man" / "generate", "channels", made], check=True)
    assert made.read_text() == (ROOT / "docs" / "CHANNELS.md").read_text(), "docs/CHANNELS.md is old: ninja -C build channels"
