"""Every requirement has a test, and every test that names one names one that there is."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import PAGE, ROOT, carried, listed, report, without_a_test

NUMBERS = [number for number, _ in listed(PAGE.read_text())]
# The requirements of this service alone: the numbers in between are screens, and a catalogue of connections.
OURS = [
    *(f"003-{number}" for number in range(9, 62)),
    *(f"003-{number}" for number in (67, 68, 69, 70)),
    *("003-28b", "003-A", "003-B", "003-C", "003-D"),
]

MARKED = """
import pytest

@pytest.mark.requirement("003-30", "003-31")
@pytest.mark.parametrize("case", ["a", pytest.param("b", id="named", marks=pytest.mark.requirement("003-50"))])
@pytest.mark.requirement("003-30")
def test_a_sale(case): ...

@pytest.mark.requirement("003-38")
class TestRefund:
    @pytest.mark.requirement("003-39")
    async def test_lines(self): ...

@pytest.mark.requirement("003-40")
def void(): ...
"""


def tree_with(root: Path, source: str) -> Path:
    (root / "tests" / "vrio").mkdir(parents=True)
    (root / "tests" / "vrio" / "test_sale.py").write_text(source)
    return root


def test_every_requirement_has_a_test() -> None:
    assert without_a_test(NUMBERS, carried(ROOT)) == []


def test_every_number_that_a_test_names_is_a_requirement() -> None:
    assert carried(ROOT).keys() - set(NUMBERS) == set()


def test_the_page_has_every_number_once() -> None:
    assert len(NUMBERS) == len(set(NUMBERS))
    assert set(OURS) - set(NUMBERS) == set()


def test_the_command_lists_them_and_says_that_all_is_well() -> None:
    ended = subprocess.run([sys.executable, "-m", "tests.requirements"], cwd=ROOT, capture_output=True, text=True)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == f"{len(NUMBERS)} requirements; without a test: none"


def test_markers_are_read_wherever_they_stand(tmp_path: Path) -> None:
    file = "tests/vrio/test_sale.py"

    assert carried(tree_with(tmp_path, MARKED)) == {
        "003-30": [f"{file}::test_a_sale"],
        "003-31": [f"{file}::test_a_sale"],
        "003-50": [f"{file}::test_a_sale"],
        "003-38": [f"{file}::TestRefund"],
        "003-39": [f"{file}::TestRefund::test_lines"],
    }


def test_a_module_carries_what_its_pytestmark_says(tmp_path: Path) -> None:
    root = tree_with(tmp_path, "import pytest\npytestmark = [pytest.mark.slow, pytest.mark.requirement('003-C')]")

    assert carried(root) == {"003-C": ["tests/vrio/test_sale.py"]}


@pytest.mark.parametrize("argument", ["NUMBER", "f'003-{n}'", "*NUMBERS", "30"])
def test_a_number_that_is_worked_out_is_refused(tmp_path: Path, argument: str) -> None:
    root = tree_with(tmp_path, f"import pytest\n@pytest.mark.requirement({argument})\ndef test_a_sale(): ...")

    with pytest.raises(ValueError, match=r"tests/vrio/test_sale\.py, line 2: "):
        carried(root)


def test_the_report_names_what_is_missing_and_what_is_unknown() -> None:
    requirements = listed("| 003-30 | A sale | more |\n| 003-38 | A refund |\n")

    assert list(report(requirements, {"003-30": ["tests/test_a.py::test_b"], "003-99": ["tests/test_a.py"]})) == [
        "003-30   A sale",
        "           tests/test_a.py::test_b",
        "003-38   A refund",
        "           no test",
        "2 requirements; without a test: 003-38",
        "Named by a test and not listed: 003-99",
    ]
