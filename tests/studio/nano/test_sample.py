"""The sample looks like the collection that it stands for, flaws included."""

import json
import re
import statistics
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rapidfuzz import fuzz

from studio.nano import SAMPLE, sample, sample_code

FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)
OLD_CALL = re.compile(r"```json\n(.*?)\n```", re.DOTALL)


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    """The shipped interactions."""
    return [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


def old_calls(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Calls that the record holds as JSON in a fence."""
    answers = (m["content"] for m in record["messages"] if m["role"] == "assistant")
    return [json.loads(found) for text in answers for found in OLD_CALL.findall(text)]


def test_the_generator_gives_the_shipped_bytes() -> None:
    assert "".join(sample.lines()).encode() == SAMPLE.read_bytes()


def test_figures_of_the_collection(records: list[dict[str, Any]]) -> None:
    assert len(records) == len({r["id"] for r in records}) == 302
    assert Counter(r["agent"] for r in records) == {
        "coder": 178,
        "tester": 76,
        "researcher": 26,
        "coordinator": 20,
        "reviewer": 2,
    }
    assert Counter(r["provider"] for r in records) == {"replicate": 215, "tongyi": 86, "mock": 1}
    assert sum(r["success"] for r in records) == 298
    durations = [r["duration_ms"] for r in records]
    assert round(statistics.mean(durations)) == 20_062
    assert statistics.median(durations) == 10_896
    assert (min(durations), max(durations)) == (30, 138_289)
    assert statistics.mean(len(r["task"]) for r in records) == pytest.approx(75, abs=1)
    written = [len(sample.output_text(r)) for r in records]
    assert statistics.mean(written) == pytest.approx(2_008, abs=20)


def test_records_are_whole(records: list[dict[str, Any]]) -> None:
    for record in records:
        assert record["task"] == record["messages"][0]["content"]
        assert record["success"] == (record["error"] is None)
        if record["success"]:
            assert record["messages"][-1]["role"] == "assistant"
            assert record["messages"][-1]["content"]
    times = [r["started_at"] for r in records]
    assert times == sorted(times)


def test_calls_fit_what_was_offered_and_what_was_asked(records: list[dict[str, Any]]) -> None:
    with_calls, old = 0, 0
    for record in records:
        offered = {t["function"]["name"]: t["function"]["parameters"] for t in record["tools"]}
        asked = "\n".join(m["content"] for m in record["messages"] if m["role"] == "user")
        calls = [
            (call["function"]["name"], call["function"]["arguments"])
            for message in record["messages"]
            for call in message.get("tool_calls", ())
        ]
        found = old_calls(record)
        calls += [(c["tool"], c["args"] if "args" in c else c["arguments"]) for c in found]
        with_calls, old = with_calls + bool(calls), old + bool(found)
        for name, arguments in calls:
            jsonschema.validate(arguments, offered[name])
            assert all(str(value) in asked for value in arguments.values())
    assert 150 <= with_calls <= 200
    assert old == pytest.approx(40, abs=3)


def test_results_answer_calls(records: list[dict[str, Any]]) -> None:
    for record in records:
        asked = [c["id"] for m in record["messages"] for c in m.get("tool_calls", ())]
        given = [m["tool_call_id"] for m in record["messages"] if m["role"] == "tool"]
        assert len(given) == len(asked) + len(old_calls(record)) or not record["success"]
        assert set(asked) <= set(given) or not record["success"]


def test_duplicates_are_the_intended_ones_and_nothing_else(records: list[dict[str, Any]]) -> None:
    texts = [f"{r['task']}\n{sample.output_text(r)}" for r in records]
    near, exact, between = 0, 0, 0
    for place, text in enumerate(texts):
        for other in texts[:place]:
            ratio = fuzz.ratio(text, other, score_cutoff=80)
            exact += ratio == 100
            near += 90 <= ratio < 100
            between += 80 < ratio < 90
    assert exact >= 3
    assert near >= 20
    assert between == 0


def test_problems_have_several_right_answers_and_a_few_wrong_ones(
    records: list[dict[str, Any]], tmp_path: Path
) -> None:
    """The code is ours (problems.yaml), checked first; it runs apart all the same."""
    ours = {
        solution["code"].strip()
        for problem in sample_code.problems()
        for solution in (*problem["solutions"], *problem["wrong"])
    }
    answers = []
    for record in records:
        if "entry_point" in record["metadata"] and record["success"]:
            (code,) = FENCE.findall(record["messages"][1]["content"])
            assert code.strip() in ours
            answers.append((record["metadata"]["entry_point"], code, record["metadata"]["tests"]))
    program = (
        "import json, sys\n"
        "for code, tests in json.load(sys.stdin):\n"
        "    try:\n"
        "        scope = {}\n"
        "        exec(code, scope)\n"
        "        exec(tests, scope)\n"
        "        print('right')\n"
        "    except Exception:\n"
        "        print('wrong')\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        input=json.dumps([(code, tests) for _, code, tests in answers]),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
        check=True,
    )
    verdicts = done.stdout.split()
    solutions: dict[str, set[str]] = defaultdict(set)
    for (name, code, _), verdict in zip(answers, verdicts, strict=True):
        if verdict == "right":
            solutions[name].add(code)
    assert len(solutions) == 25
    assert all(2 <= len(found) <= 5 for found in solutions.values())
    assert 3 <= verdicts.count("wrong") <= 10
