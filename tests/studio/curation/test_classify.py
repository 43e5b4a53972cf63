"""Whose task it is: what logs and people say first, then rules that give their reason."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from db import acts, rows
from db.errors import FilterError
from db.history import history
from db.store import Store
from studio import settings
from studio.curation import named_acts, rules
from studio.curation.classify import LOW_CONFIDENCE, classify_store, classify_text
from studio.curation.default_model import SURENESS, train, trained
from studio.curation.rules import features, rule_scores
from studio.curation.word_model import fit_platt, margin, softmax
from tests.conftest import exchange

Add = Callable[..., list[int]]


def listed(store: Store) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in rows.page(store)[0]}


def labelled(data: Path) -> list[dict[str, Any]]:
    with (data / "agent_tasks_dev.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def held_out() -> list[tuple[str, str]]:
    path = Path(__file__).with_name("held_out_tasks.yaml")
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [(text, agent) for agent, texts in listed.items() for text in texts]


@pytest.mark.parametrize(
    ("task", "agent", "because"),
    [
        ("Review the pull request of the parser", "reviewer", "begins with “review”"),
        ("Please write unit tests for the lexer", "tester", "begins with “write unit tests”"),
        ("Compare three vector databases", "researcher", "begins with “compare”"),
        ("Plan the next sprint", "coordinator", "begins with “plan”"),
        ("Fix the crash in the tokenizer", "coder", "begins with “fix”"),
        ("2. Refactor the config module", "coder", "begins with “refactor”"),
    ],
)
def test_the_words_that_decided_are_the_reason(task: str, agent: str, because: str) -> None:
    answer = classify_text(task)
    assert (answer.agent, answer.method) == (agent, "rule")
    assert because in answer.reason
    assert LOW_CONFIDENCE < answer.confidence < 1


def test_a_task_that_no_rule_knows_goes_to_the_commonest_agent_and_is_unsure() -> None:
    answer = classify_text("zzz")
    assert answer.agent == "coder"
    assert answer.confidence == pytest.approx(0.35)
    assert "no rule matched" in answer.reason
    assert classify_text("").reason == answer.reason


def test_words_of_two_agents_make_it_less_sure() -> None:
    assert classify_text("Tests and a roadmap").confidence < classify_text("Tests").confidence


def test_what_only_the_examples_know_is_said_to_come_from_them() -> None:
    answer = classify_text("Is this code readable?")
    assert (answer.agent, answer.method) == ("reviewer", "rule")
    assert answer.reason.startswith("like reviewer tasks: “")
    assert classify_text("in the and").reason == "worded like coder tasks"


def test_tasks_of_many_styles_are_told_apart() -> None:
    """German, issue titles, questions, code: none of them is among the examples."""
    found = held_out()
    assert not {text for text, _ in found} & {
        text for listed in settings.agent_examples().values() for text in listed
    }
    hits = defaultdict(list)
    for text, agent in found:
        hits[agent].append(classify_text(text).agent == agent)
    assert sum(map(sum, hits.values())) / len(found) >= 0.85
    assert min(sum(right) / len(right) for right in hits.values()) >= 0.80


def test_sureness_is_that_of_answers_to_unseen_examples() -> None:
    """The stored calibration is what cross-validation over the examples gives."""
    texts = [text for listed in settings.agent_examples().values() for text in listed]
    labels = [n for n, listed in enumerate(settings.agent_examples().values()) for _ in listed]
    folds = [place % 5 for place in range(len(texts))]
    odds, right = [], []
    for fold in range(5):
        kept = [i for i, own in enumerate(folds) if own != fold]
        model = train([texts[i] for i in kept], [labels[i] for i in kept], 5)
        for i in (i for i, own in enumerate(folds) if own == fold):
            chances = softmax(model.logits(texts[i], features(rule_scores(texts[i])[0])))
            odds.append(margin(chances))
            right.append(int(chances.argmax()) == labels[i])
    fitted = fit_platt(odds, right)
    for at in (-0.5, 1.0, 3.0):
        assert SURENESS.confidence(at) == pytest.approx(fitted.confidence(at), abs=0.04)


def test_a_team_without_examples_is_told_apart_by_its_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "agents.yaml").write_text(
        "agents:\n  cook: {planned: 0.5, leads: [fry]}\n  baker: {planned: 0.5, leads: [bake]}\n"
    )
    monkeypatch.setenv("STUDIO_CONFIGS", str(tmp_path))
    caches = (settings.agents_file, settings.agent_examples, rules._patterns, trained)
    for cache in caches:
        cache.cache_clear()
    try:
        found = classify_text("Bake a cake")
        assert (found.agent, found.reason) == ("baker", "begins with “bake”")
        assert 0.9 < found.confidence < 0.94
        assert classify_text("zzz").agent == "cook"
    finally:
        monkeypatch.undo()
        for cache in caches:
            cache.cache_clear()


def test_confidence_stays_a_number_for_tasks_full_of_words() -> None:
    answer = classify_text("test coverage pytest unittest regression flaky fixture mock e2e " * 30)
    assert answer.agent == "tester"
    assert 0.9 < answer.confidence < 1


def test_unambiguous_tasks_are_told_apart(data: Path) -> None:
    clear = [row for row in labelled(data) if not row["ambiguous"]]
    hits = defaultdict(list)
    for row in clear:
        hits[row["agent"]].append(classify_text(row["text"]).agent == row["agent"])
    assert len(hits) == 5
    assert sum(map(sum, hits.values())) / len(clear) >= 0.85
    assert sum(sum(found) / len(found) for found in hits.values()) / len(hits) >= 0.80


@pytest.mark.parametrize("source", ["dev", "held out"])
def test_confidence_is_a_probability(source: str, request: pytest.FixtureRequest) -> None:
    """Brier score under that of always answering the mean accuracy; sure answers are right."""
    if source == "dev":
        tasks = [(row["text"], row["agent"]) for row in labelled(request.getfixturevalue("data"))]
    else:
        tasks = held_out()
    answers = [(classify_text(text), agent) for text, agent in tasks]
    right = [answer.agent == agent for answer, agent in answers]
    sure = [answer.confidence for answer, _ in answers]
    mean = sum(right) / len(right)
    brier = sum((p - r) ** 2 for p, r in zip(sure, right, strict=True)) / len(right)
    assert brier < mean * (1 - mean) or mean > 0.85
    assert abs(sum(sure) / len(sure) - mean) < 0.15
    unsure = [r for p, r in zip(sure, right, strict=True) if p < LOW_CONFIDENCE]
    confident = [r for p, r in zip(sure, right, strict=True) if p >= 0.9]
    assert sum(confident) / len(confident) > 0.9 > 0.65 > sum(unsure) / len(unsure)


def test_what_the_log_declares_comes_before_the_rules(store: Store, add: Add) -> None:
    add(
        exchange("Fix the tokenizer", "done", agent="QA Engineer"),
        exchange("Fix the tokenizer", "done", agent="chef"),
        exchange("Fix the tokenizer", "done"),
    )
    answer = classify_store(store, actor="studio classify")
    assert answer["by_method"] == {"declared": 1, "human": 0, "model": 0, "rule": 2}
    assert answer["by_agent"] == {"coder": 2, "tester": 1}
    found = listed(store)
    assert (found[1]["agent"], found[1]["agent_method"]) == ("tester", "declared")
    assert (found[1]["agent_confidence"], found[2]["agent_method"]) == (1.0, "rule")
    assert found[1]["agent_reason"] == "the log declares QA Engineer"
    assert "fix" in found[2]["agent_reason"]


def test_what_a_person_labelled_is_never_overwritten(store: Store, add: Add) -> None:
    ids = add(exchange("Fix it", "done", agent="coder"), exchange("Fix it", "done"))
    named_acts.label(store, ids[:1], "reviewer")
    for _ in range(2):
        answer = classify_store(store, actor="studio classify")
        assert answer["by_method"] == {"declared": 0, "human": 1, "model": 0, "rule": 1}
        assert listed(store)[ids[0]]["agent"] == "reviewer"


def test_it_is_one_act_that_can_be_undone_and_a_second_run_changes_nothing(
    store: Store, add: Add
) -> None:
    add(*(exchange(f"Review part {n}", "fine") for n in range(4)))
    before = listed(store)
    first = classify_store(store, actor="studio classify")
    assert (first["act"], first["changed"], first["classified"]) == (1, 4, 4)
    again = classify_store(store, actor="studio classify")
    assert (again["act"], again["changed"], again["by_agent"]) == (None, 0, {"reviewer": 4})
    entry = history(store)[0]
    assert (entry["actor"], entry["kind"], entry["ids_count"]) == ("studio classify", "classify", 4)
    assert acts.undo(store, actor="me").changed == 4
    assert listed(store) == before


def test_a_filter_limits_it_and_low_confidence_is_counted(store: Store, add: Add) -> None:
    add(
        exchange("Plan the sprint", "done", provider="mock"),
        exchange("zzz", "done", provider="mock"),
        exchange("Review it", "fine", provider="tongyi"),
    )
    answer = classify_store(store, "provider:mock", actor="me")
    assert (answer["classified"], answer["low_confidence"]) == (2, 1)
    assert listed(store)[3]["agent"] is None
    assert rows.page(store, "agent:coordinator method:rule")[1] == 1
    with pytest.raises(FilterError):
        classify_store(store, "colour:blue", actor="me")
