"""Names, comments and layout do not make a solution; doing it another way does."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from exports.code_blocks import normalised_tree, python_code
from exports.solutions import Answer, choose, distinct

LOOP = "def total(values):\n    s = 0\n    for v in values:\n        s += v\n    return s\n"
RENAMED = '''
def total(numbers: list[int]) -> int:
    """Add them up."""
    result = 0   # start
    for number in numbers:
        result += number

    return result
'''
SUM = "def total(values):\n    return sum(values)\n"
RECURSIVE = "def total(v):\n    return v[0] + total(v[1:]) if v else 0\n"


def fenced(code: str) -> str:
    return f"Here it is:\n\n```python\n{code}```\nIt adds."


def test_renaming_and_layout_give_the_same_tree_and_another_way_another() -> None:
    assert normalised_tree(LOOP) == normalised_tree(RENAMED)
    assert normalised_tree(LOOP) != normalised_tree(SUM)
    assert normalised_tree("def f(a, b):\n    return a - b") != normalised_tree(
        "def f(a, b):\n    return b - a"
    )
    assert normalised_tree("def (") is None


def test_code_is_found_in_fences_and_alone() -> None:
    assert python_code(fenced(SUM)) == SUM.rstrip("\n")
    assert python_code(SUM) == SUM.rstrip("\n")
    assert python_code("```python\ndef f():\n    pass") == "def f():\n    pass"
    assert python_code("```bash\nls\n```") is None
    assert python_code("Just words.") is None


def test_one_answer_of_each_solution_the_best_ranked_first() -> None:
    answers = [
        Answer(1, fenced(LOOP), rank=2),
        Answer(2, fenced(RENAMED), rank=0),
        Answer(3, fenced(SUM), rank=2),
        Answer(4, "It is a long story about adding numbers, told twice over.", rank=2),
        Answer(5, "It is a long story about adding numbers, told twice over!", rank=2),
    ]
    assert [answer.id for answer in distinct(answers)] == [2, 3, 4]


def test_the_chosen_lie_far_apart() -> None:
    near = LOOP.replace("s = 0", "s = 0 + 0")
    answers = [Answer(n, fenced(code)) for n, code in enumerate((LOOP, near, RECURSIVE, SUM))]
    chosen = [answer.id for answer in choose(answers, 2)]
    assert chosen[0] == 0
    assert chosen[1] in (2, 3)
    assert len(choose(answers, 9)) == 4


@settings(max_examples=60, deadline=None)
@given(st.permutations([LOOP, RENAMED, SUM, RECURSIVE]), st.integers(1, 4))
def test_the_choice_does_not_depend_on_the_order_given(codes: list[str], k: int) -> None:
    known = [LOOP, RENAMED, SUM, RECURSIVE]
    answers = [Answer(known.index(code), fenced(code)) for code in codes]
    assert choose(answers, k) == choose(sorted(answers, key=lambda a: a.id), k)


def test_solutions_of_real_problems_differ_in_their_trees(data: Path) -> None:
    rows = (data / "eval" / "exercism_multisolution.jsonl").read_text(encoding="utf-8")
    for line in rows.splitlines():
        row = json.loads(line)
        texts = [s if isinstance(s, str) else s["code"] for s in row["solutions"]]
        chosen = choose([Answer(n, fenced(text)) for n, text in enumerate(texts)], 3)
        trees = [normalised_tree(texts[answer.id]) for answer in chosen]
        assert len(set(trees)) == len(trees)


@pytest.mark.parametrize(
    ("code", "has_tree"),
    [("x" * 10, True), ("(" * 5000, False), ("\x00", False), ("lambda: 1\n" * 50, True)],
)
def test_odd_code_has_a_tree_or_none_and_never_raises(code: str, has_tree: bool) -> None:
    assert (normalised_tree(code) is not None) == has_tree


def test_many_answers_are_told_apart_as_few_are() -> None:
    """Prose in hundreds is grouped first; the choice must be that of comparing every pair."""
    rng = random.Random(7)
    words = [f"word{n}" for n in range(500)]
    texts = [" ".join(rng.choices(words, k=40)) for _ in range(150)]
    copies = [f"{text} and {rng.choice(words)}" for text in texts[:120]]
    answers = [Answer(n, text, n % 3) for n, text in enumerate([*texts, *copies])]
    every_pair: list[Answer] = []
    for answer in sorted(answers, key=lambda a: (a.rank, a.id)):
        if not any(fuzz.ratio(answer.text, other.text) >= 90 for other in every_pair):
            every_pair.append(answer)
    assert distinct(answers) == every_pair
    assert len(every_pair) == 150
