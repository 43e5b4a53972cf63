"""A model of a person's labels: cross-validated, it takes over only where it is better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest

from db import acts, rows
from db.history import history
from db.store import Store
from studio.curation import named_acts
from studio.curation.class_report import class_report
from studio.curation.classify import classify_store, classify_text
from studio.curation.learned import FEWEST_LABELS, learn
from studio.curation.word_model import fit, fit_platt, softmax, terms_of
from tests.conftest import exchange
from tests.studio.curation.jargon import jargon
from tests.studio.curation.test_classify import held_out

Add = Callable[..., list[int]]
RULES_KNOW = {
    "coder": "Implement the {} module",
    "tester": "Write unit tests for the {} parser",
    "researcher": "Compare approaches to {}",
    "coordinator": "Plan the sprint of team {}",
    "reviewer": "Review pull request {}",
}


def collect(store: Store, add: Add, tasks: list[tuple[str, str]], labelled: int) -> list[int]:
    """Tasks in the store, the first of them labelled by a person."""
    ids = add(*(exchange(task, "done") for task, _ in tasks))
    by_agent = defaultdict(list)
    for identity, (_, agent) in list(zip(ids, tasks, strict=True))[:labelled]:
        by_agent[agent].append(identity)
    for agent, chosen in by_agent.items():
        named_acts.label(store, chosen, agent)
    return ids


def test_a_jargon_that_the_rules_do_not_know_is_learned(store: Store, add: Add) -> None:
    tasks = jargon(140)
    ids = collect(store, add, tasks, 100)
    found = classify_store(store, actor="me")
    assert found["by_method"] == {"declared": 0, "human": 100, "model": 40, "rule": 0}
    model = found["model"]
    assert model["takes_over"]
    assert model["labels"] == 100
    assert "on 100 labelled requests; better: +" in model["why"]
    assert model["comparison"]["delta_ci95"][0] > 0.3
    listed = {row["id"]: row for row in rows.page(store)[0]}
    right = [
        listed[i]["agent"] == agent for i, (_, agent) in list(zip(ids, tasks, strict=True))[100:]
    ]
    assert sum(right) >= 36
    assert all(0.2 <= listed[i]["agent_confidence"] < 1 for i in ids[100:])
    assert "learned from 100 of your labels: “" in listed[ids[120]]["agent_reason"]
    acts.undo(store, actor="me")
    assert rows.page(store, "method:model")[1] == 0


def test_where_the_rules_are_right_they_stay(store: Store, add: Add) -> None:
    tasks = [
        (phrase.format(number), agent)
        for number in range(12)
        for agent, phrase in RULES_KNOW.items()
    ]
    collect(store, add, tasks, 50)
    found = classify_store(store, actor="me")
    assert found["by_method"]["model"] == 0
    assert found["by_method"]["rule"] == 10
    assert not found["model"]["takes_over"]
    assert found["model"]["comparison"]["a"]["n"] == 50


def test_labels_lose_nothing_of_what_was_known_before(store: Store, add: Add) -> None:
    collect(store, add, held_out(), len(held_out()))
    found = learn(store)
    assert found is not None
    assert found.comparison["a"]["rate"] > 0.85
    assert found.comparison["delta"] > -0.05


def test_few_labels_or_one_agent_teach_nothing(store: Store, add: Add) -> None:
    tasks = jargon(FEWEST_LABELS + 30)
    collect(store, add, tasks, FEWEST_LABELS - 1)
    assert learn(store) is None
    assert class_report(store)["labels"] == FEWEST_LABELS - 1
    assert classify_store(store, actor="me")["model"] is None
    named_acts.label(store, range(1, FEWEST_LABELS + 20), "coder")
    assert learn(store) is None


def test_copies_of_a_request_are_one_label(store: Store, add: Add) -> None:
    """Else the same words would stand in training and test, and a few labels look like many."""
    tasks = jargon(10)
    copies = [(f"{task.upper()}{'.' * n}", agent) for n in range(10) for task, agent in tasks]
    collect(store, add, copies, 100)
    assert learn(store) is None
    report = class_report(store)
    assert report["labels"] == 10


def test_the_model_keeps_out_of_what_it_has_no_labels_of(store: Store, add: Add) -> None:
    known = [(task, agent) for task, agent in jargon(150) if agent in ("coder", "tester")]
    collect(store, add, known, len(known))
    add(exchange("Review pull request 7 and the audit", "ok"))
    found = learn(store)
    assert found is not None
    assert found.takes_over
    answer = found.answer("Review pull request 7 and the audit")
    assert (answer.agent, answer.method) == ("reviewer", "rule")


def test_the_same_labels_give_the_same_answers(store: Store, add: Add) -> None:
    collect(store, add, jargon(60), 60)
    first, second = learn(store), learn(store)
    assert first is not None
    assert second is not None
    assert first.held_out == second.held_out
    assert first.answer("squint at it") == second.answer("squint at it")


def test_the_report_counts_confusion_and_reliability_of_held_out_answers(
    store: Store, add: Add
) -> None:
    collect(store, add, jargon(110), 100)
    report = class_report(store)
    assert history(store)[0]["kind"] == "label"
    for by in ("rules", "model"):
        assert sum(sum(row.values()) for row in report["confusion"][by].values()) == 100
        assert sum(row["n"] for row in report["reliability"][by]) == 100
        for row in report["reliability"][by]:
            if row["n"]:
                assert row["low"] <= row["confidence"] <= row["high"]
                assert row["ci95"][0] <= row["accuracy"] <= row["ci95"][1]
            else:
                assert (row["accuracy"], row["ci95"]) == (None, [0.0, 1.0])
    right = sum(report["confusion"]["model"][name][name] for name in report["confusion"]["model"])
    assert right == report["model"]["comparison"]["b"]["passed"]


def test_the_models_confidence_is_a_probability(store: Store, add: Add) -> None:
    """Noisy labels: held-out answers are about as often right as they are sure."""
    rng = np.random.default_rng(3)
    tasks = [
        (task, agent if rng.random() > 0.3 else str(rng.choice(list(RULES_KNOW))))
        for task, agent in jargon(400, seed=5)
    ]
    collect(store, add, tasks, 400)
    found = learn(store)
    assert found is not None
    sure = [answer.confidence for answer in found.held_out]
    right = [a.agent == item.agent for a, item in zip(found.held_out, found.items, strict=True)]
    assert abs(sum(sure) / len(sure) - sum(right) / len(right)) < 0.07
    assert max(sure) < 0.97


def test_disagreements_are_those_of_declared_rules_and_model_least_sure_first(
    store: Store, add: Add
) -> None:
    add(
        exchange("Review the pull request", "ok", agent="reviewer"),
        exchange("Review the pull request of team 2", "ok", agent="coder"),
        exchange("Do it", "ok", agent="tester"),
        exchange("Plan the sprint", "ok"),
    )
    report = class_report(store)
    assert [row["id"] for row in report["disagreements"]] == [3, 2]
    assert report["disagreements_total"] == 2
    row = report["disagreements"][1]
    assert (row["declared"], row["rules"], row["model"]) == ("coder", "reviewer", None)
    short = class_report(store, "id:2", limit=0)
    assert (short["disagreements"], short["disagreements_total"]) == ([], 1)


def test_terms_are_words_pairs_and_the_opening() -> None:
    assert terms_of("Fix the Lexer") == {"fix", "the", "lexer", "fix the", "the lexer", "^fix"}
    assert terms_of("  ") == set()


def test_a_text_of_unknown_words_gets_the_bias_and_no_reason() -> None:
    model = fit(["a b", "a b", "c d", "c d"], [[0.0]] * 4, [0, 0, 1, 1], 2)
    assert model.logits("a b", [0.0]).argmax() == 0
    assert model.logits("c d", [0.0]).argmax() == 1
    assert model.telling("x y", 0) == []
    assert softmax(model.logits("x y", [0.0])) == pytest.approx([0.5, 0.5], abs=0.02)


def test_sureness_is_how_often_such_answers_were_right() -> None:
    half = fit_platt([6.0] * 10, [True] * 6 + [False] * 4)
    assert half.confidence(6.0) == pytest.approx(0.6, abs=0.03)
    all_right = fit_platt([6.0] * 10, [True] * 10)
    assert 0.85 < all_right.confidence(6.0) < 0.95
    telling = fit_platt([5.0] * 50 + [0.0] * 50, [True] * 50 + [True, False] * 25)
    assert telling.confidence(5.0) == pytest.approx(0.97, abs=0.03)
    assert telling.confidence(0.0) == pytest.approx(0.5, abs=0.05)
    misled = fit_platt([5.0] * 20 + [0.0] * 20, [False] * 20 + [True] * 20)
    assert misled.confidence(5.0) == misled.confidence(0.0) == pytest.approx(0.5, abs=0.05)


def test_the_rules_know_little_of_the_jargon_of_these_tests() -> None:
    found = [classify_text(task).agent == agent for task, agent in jargon(50)]
    assert sum(found) < 25
