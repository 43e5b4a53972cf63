"""A dataset holds what was meant, says what it left out, and never changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db import acts
from db.errors import BadInput, NotFound
from db.store import Store
from exports.conversation import calls_of
from exports.dataset import BuildRecipe, build
from exports.frozen import examples_of, find_dataset
from exports.suites import Suite, read_suite
from exports.tool_calls import render_legacy_call
from tests.conftest import exchange

Add = Callable[..., list[int]]
TOOLS = [{"type": "function", "function": {"name": "run_tests", "parameters": {}}}]
WORDS = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
]


def story(n: int) -> str:
    """Text that is near to no other story."""
    return " ".join(WORDS[(n * 7 + k * (n % 5 + 1)) % len(WORDS)] + str(n * k) for k in range(12))


def set_problems(store: Store, problems: dict[int, int]) -> None:
    with store.write() as connection:
        for identity, problem in problems.items():
            connection.execute(
                text("UPDATE interaction SET problem = :p WHERE id = :i"),
                {"p": problem, "i": identity},
            )


@pytest.fixture
def many(store: Store, add: Add) -> Store:
    """40 problems with one answer, of which the last two failed."""
    ids = add(
        *(exchange(f"Tell story {n}", story(n), agent="coder", success=n < 38) for n in range(40))
    )
    set_problems(store, {identity: identity for identity in ids})
    return store


def test_what_failed_or_was_dropped_is_left_out_and_counted(many: Store) -> None:
    acts.set_columns(
        many, [1, 2], actor="me", kind="drop", value=None, values={"status": "dropped"}
    )
    report = build(many, BuildRecipe("tales"))
    assert report["dropped"] == {"failed": 2, "dropped": 2}
    assert sum(report["examples"].values()) == 36
    assert report["by_agent"] == {"coder": 36}


def test_the_same_recipe_gives_the_same_version_and_another_seed_another(many: Store) -> None:
    first = build(many, BuildRecipe("tales"))
    assert build(many, BuildRecipe("tales")) == first
    other = build(many, BuildRecipe("tales", seed=5))
    assert (first["dataset"], other["dataset"]) == ("tales@1", "tales@2")
    assert first["sha256"] != other["sha256"]


def test_a_frozen_dataset_outlives_a_change_of_its_interactions(many: Store) -> None:
    build(many, BuildRecipe("tales"))
    frozen = find_dataset(many, "tales")
    before = examples_of(many, frozen.id)
    acts.edit_answer(many, 1, "something else", actor="me")
    assert examples_of(many, frozen.id) == before
    assert build(many, BuildRecipe("tales"))["dataset"] == "tales@2"


def test_deep_and_diverse_come_out_under_one_budget(store: Store, add: Add) -> None:
    ways = ["sum(v)", "sum(x for x in v)", "v[0] + f(v[1:]) if v else 0"]
    rows = []
    for problem in range(10):
        for way in ways:
            code = f"def f(v):\n    return {way}\n"
            rows.append(exchange(f"Write f number {problem}", f"```python\n{code}```"))
    ids = add(*rows)
    set_problems(store, {identity: number // 3 + 1 for number, identity in enumerate(ids)})
    deep = build(store, BuildRecipe("deep", strategy="deep", budget=9))
    diverse = build(store, BuildRecipe("diverse", strategy="diverse", solutions=3, budget=9))
    everything = build(store, BuildRecipe("all"))
    assert sum(deep["examples"].values()) == sum(diverse["examples"].values()) == 9
    assert (deep["problems"], diverse["problems"]) == (9, 3)
    assert sum(everything["examples"].values()) == 30


def test_the_solutions_of_a_problem_stand_in_one_split(store: Store, add: Add) -> None:
    ids = add(*(exchange(f"Task {n // 2}", story(n)) for n in range(60)))
    set_problems(store, {identity: number // 2 + 1 for number, identity in enumerate(ids)})
    build(store, BuildRecipe("pairs"))
    home: dict[int | None, str] = {}
    for example in examples_of(store, find_dataset(store, "pairs").id):
        assert home.setdefault(example.problem, example.split) == example.split
    assert set(home.values()) == {"train", "valid", "test"}


def test_verified_solutions_come_first_and_wrong_ones_not_at_all(store: Store, add: Add) -> None:
    ids = add(*(exchange("Write it", story(n), success=True) for n in range(3)))
    set_problems(store, dict.fromkeys(ids, 1))
    with store.write() as connection:
        connection.execute(text("UPDATE interaction SET verified = 'passed' WHERE id = 3"))
        connection.execute(text("UPDATE interaction SET verified = 'wrong_answer' WHERE id = 1"))
    report = build(store, BuildRecipe("one", strategy="deep", split="100/0/0"))
    assert report["dropped"]["failed_tests"] == 1
    assert [e.interaction_id for e in examples_of(store, find_dataset(store, "one").id)] == [3]


def test_old_calls_come_out_in_the_new_template_and_are_counted(store: Store, add: Add) -> None:
    add(
        exchange("run", render_legacy_call("run_tests", {"path": "a"}), tools=TOOLS),
        exchange("shoot", render_legacy_call("shoot", {}), tools=TOOLS),
    )
    report = build(store, BuildRecipe("calls", split="100/0/0"))
    assert report["converted"] == {"legacy": 1}
    examples = examples_of(store, find_dataset(store, "calls").id)
    assert sorted(len(calls_of(e.messages[1])) for e in examples) == [0, 1]


def test_the_legacy_template_writes_the_old_form(store: Store, add: Add) -> None:
    add(exchange("run", render_legacy_call("run_tests", {"path": "a"}), tools=TOOLS))
    build(store, BuildRecipe("old", split="100/0/0", template="legacy"))
    (example,) = examples_of(store, find_dataset(store, "old").id)
    assert example.messages[1]["content"] == render_legacy_call("run_tests", {"path": "a"})


@pytest.fixture
def replay(tmp_path: Path) -> Path:
    path = tmp_path / "replay.jsonl"
    rows = [exchange(f"General question {n} about {story(n)}", story(n + 100)) for n in range(80)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_replay_is_a_share_of_training_and_validation(many: Store, replay: Path) -> None:
    report = build(many, BuildRecipe("mixed", replay=0.5, replay_from=str(replay)))
    examples = examples_of(many, find_dataset(many, "mixed").id)
    for split in ("train", "valid"):
        origins = [e.origin for e in examples if e.split == split]
        assert origins.count("replay") == origins.count("interaction")
    assert all(e.origin == "interaction" for e in examples if e.split == "test")
    assert report["replay"] == sum(e.origin == "replay" for e in examples)


def test_too_little_to_replay_is_said(many: Store, replay: Path) -> None:
    with pytest.raises(BadInput, match="80 examples left where"):
        build(many, BuildRecipe("mixed", replay=0.9, replay_from=str(replay)))


def suite_of(tmp_path: Path, *requests: str) -> Suite:
    path = tmp_path / "suite.jsonl"
    items = [
        {
            "id": f"i{n}",
            "category": "code",
            "messages": [{"role": "user", "content": request}],
            "scorer": {"kind": "answer", "answer": "1"},
        }
        for n, request in enumerate(requests)
    ]
    path.write_text("\n".join(map(json.dumps, items)))
    return read_suite(path)


def test_what_a_suite_asks_leaves_the_training_side(many: Store, tmp_path: Path) -> None:
    report = build(many, BuildRecipe("clean"), avoid=[suite_of(tmp_path, "tell STORY 3")])
    assert report["dropped"]["leaked"] == 1


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (BuildRecipe("x", where="agent:reviewer"), "nothing to train on"),
        (BuildRecipe("x", strategy="wide"), "no strategy"),
        (BuildRecipe("x", split="50/50"), "three shares"),
        (BuildRecipe("x", replay=1.0), "share of the whole"),
        (BuildRecipe("x", replay=0.5), "needs general examples"),
        (BuildRecipe("a b"), "name is made of"),
    ],
)
def test_what_cannot_be_built_says_why(many: Store, recipe: BuildRecipe, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        build(many, recipe)


def test_an_unknown_dataset_names_those_that_there_are(many: Store) -> None:
    with pytest.raises(NotFound, match="studio build"):
        find_dataset(many, "tales")
    build(many, BuildRecipe("tales"))
    with pytest.raises(NotFound, match="tales@1"):
        find_dataset(many, "tails")
    with pytest.raises(BadInput, match="name@version"):
        find_dataset(many, "tales@new")


def test_near_duplicates_follow_their_representative(store: Store, add: Add) -> None:
    body: Any = story(3)
    ids = add(
        exchange("Tell it", body), exchange("Tell it", body + "."), exchange("Else", story(9))
    )
    with store.write() as connection:
        connection.execute(text("INSERT INTO cluster VALUES (1, 2, 2, 'both', 'newest')"))
        connection.execute(text("UPDATE interaction SET cluster = 1 WHERE id IN (1, 2)"))
    set_problems(store, {identity: identity for identity in ids})
    report = build(store, BuildRecipe("one", split="100/0/0"))
    assert report["dropped"] == {"near_duplicate": 1}
    kept = {e.interaction_id for e in examples_of(store, find_dataset(store, "one").id)}
    assert kept == {2, 3}


def test_a_budget_chooses_the_same_however_many_are_read_at_a_time(
    many: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts are read only until the budget is filled; who is chosen does not hang on that."""
    at_once = build(many, BuildRecipe("at-once", budget=10))
    monkeypatch.setattr("exports.choosing.BATCH", 4)
    in_turn = build(many, BuildRecipe("in-turn", budget=10))
    assert in_turn["sha256"] == at_once["sha256"]
    for report in (at_once, in_turn):
        assert report["dropped"] == {"failed": 2, "over_budget": 28}


def test_a_representative_of_another_problem_is_read_with_its_followers(
    store: Store, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.choosing.BATCH", 1)
    ids = add(*(exchange(f"Tell {n}", story(n) + "." * (n // 6)) for n in range(12)))
    add(*(exchange(f"Retell {n}", story(n) + "!") for n in range(6)))
    set_problems(store, {identity: identity for identity in [*ids, 13, 14, 15, 16, 17, 18]})
    with store.write() as connection:
        for n in range(6):
            connection.execute(text(f"INSERT INTO cluster VALUES ({n + 1}, {n + 1}, 2, 'a', 'b')"))
            connection.execute(
                text(f"UPDATE interaction SET cluster = {n + 1} WHERE id IN ({n + 1}, {n + 13})")
            )
    report = build(store, BuildRecipe("one", split="100/0/0", budget=12))
    kept = {e.interaction_id for e in examples_of(store, find_dataset(store, "one").id)}
    assert kept == set(ids)
    assert report["dropped"] == {"near_duplicate": 6}


def read_a_file(n: int) -> dict[str, Any]:
    """A conversation whose log does not say what was offered, as those of Claude Code."""
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "Read", "arguments": {"path": f"{n}.py"}},
    }
    messages = [
        {"role": "user", "content": f"Look into {story(n)}"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": story(n + 1)},
        {"role": "assistant", "content": f"It holds {story(n)}"},
    ]
    return {"messages": messages}


def test_logs_without_tool_definitions_are_left_out_unless_they_are_given_or_inferred(
    store: Store, add: Add, tmp_path: Path
) -> None:
    add(*(read_a_file(n) for n in range(12)))
    with pytest.raises(BadInput, match="tool_not_offered 12"):
        build(store, BuildRecipe("d"))
    report = build(store, BuildRecipe("d", tools="inferred"))
    assert sum(report["examples"].values()) == 12
    (tool,) = examples_of(store, find_dataset(store, "d").id)[0].tools
    assert tool["function"]["parameters"]["required"] == ["path"]

    own = tmp_path / "tools.json"
    own.write_text(json.dumps([{"name": "Read", "description": "Reads a file."}]))
    build(store, BuildRecipe("own", tools=str(own)))
    (tool,) = examples_of(store, find_dataset(store, "own").id)[0].tools
    assert tool["function"]["description"] == "Reads a file."
