"""A difference that the data cannot decide is called undecided, with what it would take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from db.errors import BadInput
from studio.evals.compare import Verdict, compare, read_verdicts, sentence


def verdicts(passed: int, n: int, *, shift: int = 0, category: str = "code") -> list[Verdict]:
    """`n` items of which `passed` pass, beginning at the item `shift`."""
    return [
        Verdict(
            f"{category}{i}",
            "passed" if shift <= i < shift + passed else "wrong_answer",
            category,
            "coder",
        )
        for i in range(n)
    ]


def test_six_against_seven_of_24_is_undecided() -> None:
    found = compare(verdicts(6, 24), verdicts(7, 24))["overall"]
    assert (found["verdict"], found["p_value"]) == ("undecided", 1.0)
    assert (found["a"]["passed"], found["b"]["passed"]) == (6, 7)
    assert found["delta"] == pytest.approx(1 / 24)
    assert found["n_needed"] > 24
    assert "undecided" in sentence(found)


def test_the_verdict_is_about_b_and_turns_with_the_sides() -> None:
    weak, strong = verdicts(20, 100), verdicts(60, 100)
    assert compare(weak, strong)["overall"]["verdict"] == "better"
    worse = compare(strong, weak)["overall"]
    assert (worse["verdict"], worse["delta"]) == ("worse", pytest.approx(-0.4))
    assert (worse["fixed"], worse["broken"]) == (0, 40)
    assert worse["n_needed"] is None


def test_a_p_value_below_what_a_float_holds_is_a_bound_and_never_zero() -> None:
    found = compare(verdicts(0, 1200), verdicts(1200, 1200))["overall"]
    assert found["p_adjusted"] < 1e-300
    assert sentence(found).endswith(", p < 1e-300")
    found = compare(verdicts(20, 100), verdicts(60, 100))["overall"]
    assert sentence(found).endswith("p = 1.8e-12")


def test_equivalent_needs_items_not_only_equality() -> None:
    few = compare(verdicts(10, 20), verdicts(10, 20))["overall"]
    assert (few["delta"], few["verdict"]) == (0, "undecided")
    assert few["n_needed"] == 189
    many = compare(verdicts(100, 200), verdicts(100, 200))["overall"]
    assert many["verdict"] == "equivalent"


def test_five_fixed_and_none_broken_is_not_enough_for_the_exact_test() -> None:
    found = compare(verdicts(50, 100), verdicts(55, 100))["overall"]
    assert found["p_value"] == 0.0625
    assert found["verdict"] == "undecided"


def test_categories_are_adjusted_for_being_read_together() -> None:
    a = [v for n in range(6) for v in verdicts(10, 40, category=f"c{n}")]
    b = [v for n in range(6) for v in verdicts(16 if n == 0 else 10, 40, category=f"c{n}")]
    found = compare(a, b)["by_category"]["c0"]
    assert found["p_value"] == pytest.approx(0.03125)
    assert found["p_adjusted"] == pytest.approx(6 * 0.03125)
    assert found["verdict"] == "undecided"


def test_every_item_is_listed_with_both_verdicts() -> None:
    found = compare(verdicts(1, 2), verdicts(1, 2, shift=1))["items"]
    assert [(row["a"], row["b"]) for row in found] == [
        ("passed", "wrong_answer"),
        ("wrong_answer", "passed"),
    ]


def test_items_of_one_side_alone_are_refused() -> None:
    with pytest.raises(BadInput, match="only in the second"):
        compare(verdicts(1, 2), verdicts(1, 3))


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_rows_are_read_with_passed_or_verdict(written: Callable[[str], Path]) -> None:
    rows = [
        {"item": "a", "passed": True, "category": "code", "agent": "coder"},
        {"item": 2, "passed": False},
        {"item": "c", "verdict": "timeout"},
    ]
    found = read_verdicts(written("\n".join(map(json.dumps, rows)) + "\n\n"))
    assert [(v.item, v.verdict) for v in found] == [
        ("a", "passed"),
        ("2", "wrong_answer"),
        ("c", "timeout"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no rows"),
        ("{", ":1: not JSON"),
        ('{"item": "a", "passed": true}\n[]', ":2: a row needs"),
        ('{"item": "a"}', ":1: passed must be"),
        ('{"item": "a", "passed": true}\n{"item": "a", "passed": true}', ":2: item 'a' stands"),
        ('{"item": "a", "passed": true, "verdict": "timeout"}', "contradict"),
    ],
)
def test_bad_rows_name_file_line_and_cause(
    written: Callable[[str], Path], text: str, says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        read_verdicts(written(text))
