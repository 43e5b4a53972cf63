"""Answers run against the tests that came with them; nothing is claimed of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from db import rows
from db.history import history
from db.store import Store
from studio.curation import named_acts
from studio.curation.problems import list_problems
from studio.curation.verify import verify
from studio.sandbox import probe
from tests.conftest import exchange

Add = Callable[..., list[int]]
ASSERTS = "assert double(2) == 4\nassert double(3) == 6"
TESTS = {"metadata": {"entry_point": "double", "tests": ASSERTS}}


@pytest.fixture(autouse=True)
def _walls() -> None:
    if probe().tier == "C":
        pytest.skip(probe().explanation())


def answer(body: str) -> str:
    return f"Sure.\n```python\ndef double(x):\n    return {body}\n```"


def verdicts(store: Store) -> list[str | None]:
    return [row["verified"] for row in rows.page(store)[0]]


def counted(value: dict[str, Any]) -> tuple[int, int, int]:
    return value["verified"], value["failed"], value["without_tests"]


def test_right_wrong_and_untested_answers_are_told_apart(store: Store, add: Add) -> None:
    add(
        exchange("Write double(x), twice x", answer("x * 2"), raw=TESTS),
        exchange("Write double(x) as a product", answer("x ** 2"), raw=TESTS),
        exchange("Write double(x) badly", answer("x +"), raw=TESTS),
        exchange("Write triple(x)", "```python\ndef triple(x):\n    return 3 * x\n```"),
        exchange("Plan the sprint", "First this."),
        exchange("Write double(x) in prose", "Multiply it by two.", raw=TESTS),
    )
    value = verify(store)
    assert counted(value) == (1, 2, 2)
    assert (value["without_code"], value["not_run"], value["ran"]) == (1, 0, 3)
    assert value["by_verdict"] == {"passed": 1, "partial": 1, "syntax_error": 1}
    assert verdicts(store) == ["passed", "partial", "syntax_error", None, None, None]
    assert rows.page(store, "verified:passed")[1] == 1
    assert history(store) == []


def test_a_second_run_runs_nothing_and_says_the_same(store: Store, add: Add) -> None:
    add(
        exchange("Write double(x)", answer("x * 2"), raw=TESTS),
        exchange("Write double(x)", answer("x * 3"), raw=TESTS),
    )
    first, second = verify(store), verify(store)
    assert counted(first) == counted(second) == (1, 1, 0)
    assert (first["ran"], second["ran"]) == (2, 0)
    assert verify(store, again=True)["ran"] == 2


def test_an_edited_answer_loses_its_verdict_and_gets_another(store: Store, add: Add) -> None:
    (identity,) = add(exchange("Write double(x)", answer("x * 3"), raw=TESTS))
    assert counted(verify(store)) == (0, 1, 0)
    named_acts.edit(store, identity, answer("x + x"))
    assert verdicts(store) == [None]
    assert counted(verify(store)) == (1, 0, 0)


def test_asserts_in_the_request_are_run_when_the_answer_is_about_them(
    store: Store, add: Add
) -> None:
    asked = "Write double.\n```python\nassert double(2) == 4\n```"
    add(
        exchange(asked, answer("x * 2")),
        exchange(asked, "I renamed it:\n```python\ndef twice(x):\n    return x\n```"),
    )
    assert counted(verify(store)) == (1, 0, 1)
    assert verdicts(store) == ["passed", None]


def test_the_tests_of_a_problem_serve_its_other_answers(store: Store, add: Add) -> None:
    add(
        exchange("Write double(x), twice x", answer("x * 2"), raw=TESTS),
        exchange("write double(x), twice x.", answer("x + x")),
        exchange("Write double(x), twice x", answer("x - x")),
    )
    assert counted(verify(store, "id:2..3")) == (1, 1, 0)
    assert verdicts(store) == [None, "passed", "wrong_answer"]
    verify(store)
    (problem,) = list_problems(store)
    assert (problem["solutions"], problem["verified"], problem["refuted"]) == (3, 2, 1)


def test_programs_are_run_on_their_cases(store: Store, add: Add) -> None:
    cases = {"cases": [{"stdin": "2\n", "stdout": "4\n"}, {"stdin": "5\n", "stdout": "10\n"}]}
    add(exchange("Read x, print 2x", "```python\nprint(int(input()) * 2)\n```", raw=cases))
    assert counted(verify(store)) == (1, 0, 0)


def test_code_that_attacks_its_tests_does_not_pass(store: Store, add: Add) -> None:
    liar = "class Yes:\n    def __eq__(self, other): return True\ndef double(x):\n    return Yes()"
    add(exchange("Write double(x)", f"```python\n{liar}\n```", raw=TESTS))
    assert counted(verify(store)) == (0, 1, 0)


def test_ctrl_c_keeps_what_was_found_and_the_next_run_goes_on(store: Store, add: Add) -> None:
    add(*(exchange(f"Write double number {n}", answer("x * 2"), raw=TESTS) for n in range(30)))

    def stop(seen: int, total: int, ran: int) -> None:
        assert (seen <= 30, total) == (True, 30)
        if ran == 7:
            raise KeyboardInterrupt

    value = verify(store, progress=stop)
    assert value["interrupted"]
    assert (value["verified"], verdicts(store).count("passed")) == (7, 7)
    after = verify(store)
    assert (after["interrupted"], after["verified"], after["ran"]) == (False, 30, 23)


def test_a_store_without_tests_claims_nothing(store: Store, add: Add) -> None:
    add(exchange("Plan the sprint", "First this."))
    value = verify(store)
    assert (counted(value), value["tier"]) == ((0, 0, 1), None)
    assert verdicts(store) == [None]
