"""`studio sample`: what came is kept, nothing is asked twice, every failure is one clear line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.endpoints import find_endpoint
from tests.studio.cli.conftest import Run, talk, write_rows
from tests.studio.teacher import Asked, Body, Failure, completion, teaching

DOUBLE = "def double(x):\n    return x + x"
TIMES = "def double(value):\n    return value * 2"
RENAMED = "def double(number: int) -> int:\n    return number + number  # twice"
WRONG = "def double(x):\n    return x"
ASKED = "Write double(x).\n\n```python\nassert double(2) == 4\n```"
Endpoint = Callable[..., None]


def code(source: str) -> str:
    return f"```python\n{source}\n```"


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """`endpoint(url, key=…)` puts `teacher` into the user's endpoints.yaml."""
    monkeypatch.setenv("STUDIO_CONFIGS", str(tmp_path / "configs"))

    def put(url: str, **more: Any) -> None:
        (tmp_path / "configs").mkdir(exist_ok=True)
        settings = {"url": url, "model": "teacher", **more}
        text = json.dumps({"endpoints": {"teacher": settings}})
        (tmp_path / "configs" / "endpoints.yaml").write_text(text)

    return put


@pytest.fixture
def asked(run: Run, tmp_path: Path) -> Run:
    """A store with two problems: one with a test, one without."""
    rows = [
        talk("a", ASKED, code(DOUBLE)),
        talk("b", "Name a colour.", "Blue is one.", agent="researcher"),
    ]
    assert run("import", write_rows(tmp_path / "log.jsonl", *rows)).code == 0
    assert len(run("problems").json["problems"]) == 2
    return run


def turns(*texts: str) -> Callable[[Asked], Body]:
    """One answer after the other, in the order of the requests."""
    return lambda ask: completion(texts[ask.number % len(texts)])


def rows(run: Run) -> list[dict[str, Any]]:
    found = run("list", "--where", "format:sample", "--sort", "id").json["rows"]
    return [run("show", row["id"]).json for row in found]


def test_answers_are_kept_verified_and_counted_once(asked: Run, endpoint: Endpoint) -> None:
    answers = [code(TIMES), code(DOUBLE), code(RENAMED), code(WRONG)]
    with teaching(lambda ask: completion(*answers[: ask.body.get("n", 1)])) as teacher:
        endpoint(teacher.url)
        value = asked("sample", 1, "--endpoint", "teacher", "--n", 4).json
        again = asked("sample", 1, "--endpoint", "teacher", "--n", 4).json
    assert [value[key] for key in ("asked", "answers", "verified", "distinct", "tokens")] == [
        4, 4, 3, 3, 27,
    ]  # fmt: skip
    assert value["failed"] == 1
    assert len(teacher.requests) == 1
    assert teacher.requests[0] == {
        "model": "teacher", "n": 4, "temperature": 0.8, "max_tokens": 2048,
        "messages": [{"role": "user", "content": ASKED}],
    }  # fmt: skip
    assert [again[key] for key in ("asked", "answers", "verified", "distinct", "tokens")] == [
        0, 4, 3, 3, 0,
    ]  # fmt: skip
    kept = rows(asked)
    assert {row["problem"] for row in kept} == {1}
    assert {(row["provider"], row["model"], row["agent"]) for row in kept} == {
        ("teacher", "teacher-2026", "coder")
    }
    assert kept[0]["source"]["format"] == "sample"
    assert kept[0]["messages"][-1]["content"] == code(TIMES)
    assert asked("list", "--where", "provider:teacher verified:passed").json["total"] == 3


def test_the_build_chooses_among_them_verified_ones_first(asked: Run, endpoint: Endpoint) -> None:
    with teaching(turns(code(WRONG), code(TIMES), code(RENAMED))) as teacher:
        endpoint(teacher.url, several=False)
        asked("sample", 1, "--endpoint", "teacher", "--n", 3, "--workers", 1)
    wanted = ("build", "many", "--strategy", "diverse", "--where", "problem:1")
    value = asked(*wanted, "--split", "100/0/0", "--draft").json
    assert value["dropped"] == {"failed_tests": 1, "same_or_surplus_solution": 1}
    assert value["examples"]["train"] == 2


def test_only_what_is_missing_is_asked(asked: Run, endpoint: Endpoint) -> None:
    with teaching(turns(code(TIMES))) as teacher:
        endpoint(teacher.url, several=False)
        first = asked("sample", 1, 2, "--endpoint", "teacher", "--n", 2).json
        assert first["asked"] == len(teacher.requests) == 4
        more = asked("sample", "--all", "--endpoint", "teacher", "--n", 3).json
        assert more["asked"] == 2
        assert more["answers"] == 6
        other = asked("sample", 1, "--endpoint", "teacher", "--n", 1, "--temperature", 0.1).json
        assert other["asked"] == 1  # asked in another way, it is another order
    assert len(teacher.requests) == 7
    assert teacher.requests[-1]["temperature"] == 0.1


@pytest.mark.parametrize(
    "several",
    [
        Failure(400, '{"error": {"message": "n must be 1"}}'),
        completion(code(DOUBLE)),  # takes n and gives one
    ],
)
def test_a_server_without_n_is_asked_one_at_a_time(
    asked: Run, endpoint: Endpoint, several: Any
) -> None:
    def answer(ask: Asked) -> Any:
        return several if "n" in ask.body else completion(code(TIMES))

    with teaching(answer) as teacher:
        endpoint(teacher.url)
        value = asked("sample", 1, 2, "--endpoint", "teacher", "--n", 3, "--workers", 1).json
    assert (value["asked"], value["answers"], value["refused"]) == (6, 6, [])
    assert sum("n" in body for body in teacher.requests) == 1


def test_what_fails_for_a_while_is_tried_again(asked: Run, endpoint: Endpoint) -> None:
    failures = [
        Failure(429, headers={"Retry-After": "0"}),
        Failure(503, "<html>down</html>", {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        Failure(200, "not json", {"Retry-After": "0"}),
        Failure(200, '{"choices": []}'),
    ]

    def answer(ask: Asked) -> Any:
        return failures[ask.number] if ask.number < len(failures) else completion("Red, for one.")

    with teaching(answer) as teacher:
        endpoint(teacher.url)
        value = asked("sample", 2, "--endpoint", "teacher", "--n", 1).json
    assert (value["asked"], value["answers"], len(teacher.requests)) == (1, 1, 5)


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (Failure(401, '{"error": "key sk-secret-1 is wrong"}'), "check $TEACHER_KEY"),
        (Failure(404, '{"error": {"message": "no such model"}}'), "no such model"),
        (Failure(429, headers={"Retry-After": "86400"}), "asks to wait 86,400 s"),
        (Failure(302, "", {"Location": "/elsewhere"}), "HTTP 302"),
    ],
)
def test_what_trying_again_cannot_help_ends_it_in_one_line(
    asked: Run, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, failure: Failure, says: str
) -> None:
    monkeypatch.setenv("TEACHER_KEY", "sk-secret-1")

    def answer(ask: Asked) -> Any:
        return completion("Red, for one.") if ask.number == 0 else failure

    with teaching(answer) as teacher:
        endpoint(teacher.url, key_env="TEACHER_KEY", several=False)
        ran = asked("sample", 2, "--endpoint", "teacher", "--n", 3, "--workers", 1)
    assert teacher.keys[0] == "Bearer sk-secret-1"
    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.err.strip().splitlines()) == 1
    assert says in ran.err
    assert "1 answer came and is kept" in ran.err
    assert "sk-secret-1" not in ran.err
    assert asked("list", "--where", "format:sample").json["total"] == 1


def test_nobody_there_is_said_at_once(asked: Run, endpoint: Endpoint) -> None:
    with teaching(turns("x")) as teacher:
        url = teacher.url
    endpoint(url)
    ran = asked("sample", 1, "--endpoint", "teacher", "--n", 2)
    assert ran.code == 2
    assert len(ran.err.strip().splitlines()) == 1
    assert "the connection is refused; is the server running" in ran.err


def test_one_problem_that_is_refused_does_not_stop_the_rest(asked: Run, endpoint: Endpoint) -> None:
    def answer(ask: Asked) -> Any:
        if "colour" in ask.body["messages"][0]["content"]:
            return Failure(400, '{"error": {"message": "content policy"}}')
        return completion(*[code(TIMES)] * ask.body.get("n", 1))

    with teaching(answer) as teacher:
        endpoint(teacher.url)
        ran = asked("sample", "--all", "--endpoint", "teacher", "--n", 2, "--workers", 1)
        assert ran.code == 0
        only = asked("sample", 2, "--endpoint", "teacher", "--n", 2)
    assert ran.json["answers"] == 2
    assert ran.json["refused"] == [{"problem": 2, "reason": "HTTP 400 Bad Request: content policy"}]
    assert only.code == 1


def test_answers_that_are_cut_off_empty_or_calls_are_kept_as_what_they_are(
    run: Run, endpoint: Endpoint, tmp_path: Path
) -> None:
    tool = {
        "type": "function",
        "function": {"name": "find", "description": "", "parameters": {"type": "object"}},
    }
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"x": 1}'}}
    run("import", write_rows(tmp_path / "log.jsonl", talk("a", "Find x.", "no", tools=[tool])))
    replies = [
        completion("It begins wel", finish="length"),
        completion(None),
        completion(None, finish="tool_calls", tool_calls=[call]),
        completion([{"type": "text", "text": "In parts."}], tokens=None),  # type: ignore[arg-type]
    ]
    with teaching(lambda ask: replies[ask.number]) as teacher:
        endpoint(teacher.url, several=False)
        value = run("sample", "--all", "--endpoint", "teacher", "--n", 4, "--workers", 1).json
    assert teacher.requests[0]["tools"] == [tool]
    assert (value["answers"], value["truncated"], value["tokens_untold"]) == (4, 1, 1)
    assert value["distinct"] == 3
    kept = rows(run)
    assert [row["success"] for row in kept] == [None, False, True, True]
    assert [row["stop_reason"] for row in kept[:3]] == ["length", "stop", "tool_calls"]
    assert kept[2]["messages"][-1]["tool_calls"][0]["function"]["arguments"] == {"x": 1}
    assert kept[3]["messages"][-1]["content"] == "In parts."
    assert kept[3]["completion_tokens"] is None
    drafted = run("build", "x", "--where", "format:sample", "--draft").json
    assert drafted["dropped"]["truncated"] == 1


def test_a_session_with_tools_is_no_single_question(
    run: Run, endpoint: Endpoint, tmp_path: Path
) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "ls", "arguments": {}}}
    messages = [
        {"role": "user", "content": "What is in here?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "a b"},
        {"role": "assistant", "content": "a and b"},
    ]
    run("import", write_rows(tmp_path / "log.jsonl", talk("a", "x", "y", messages=messages)))
    run("problems")
    endpoint("http://localhost:1/v1")
    value = run("sample", "--all", "--endpoint", "teacher", "--n", 2).json
    assert value["skipped"] == {"tool_session": 1}
    assert value["asked"] == 0


def test_a_dry_run_asks_nobody(asked: Run, endpoint: Endpoint) -> None:
    with teaching(turns("x")) as teacher:
        endpoint(teacher.url)
        value = asked("sample", "--all", "--endpoint", "teacher", "--n", 5, "--dry-run").json
        alone = asked("sample", "--where", "agent:coder", "--endpoint", "teacher", "--n", 5,
                      "--dry-run", "--max-tokens", 100).json  # fmt: skip
    assert teacher.requests == []
    assert value["forecast"]["requests"] == 2
    assert value["forecast"]["answers"] == 10
    assert value["forecast"]["completion_tokens"] == 10 * 2048
    assert alone["forecast"]["completion_tokens"] == 500
    assert alone["problems"] == 1
    assert value["asked"] == value["answers"] == 0


def test_problems_with_enough_solutions_are_left_alone(asked: Run, endpoint: Endpoint) -> None:
    with teaching(turns("Red, for one.", "Mauve would be my own answer.")) as teacher:
        endpoint(teacher.url, several=False)
        asked("sample", 2, "--endpoint", "teacher", "--n", 2)
        value = asked("sample", "--all", "--endpoint", "teacher", "--n", 3, "--fewer-than", 3,
                      "--dry-run").json  # fmt: skip
    assert value["problems"] == 1
    assert value["forecast"]["answers"] == 3


def test_as_many_are_asked_at_once_as_there_are_workers(asked: Run, endpoint: Endpoint) -> None:
    met = threading.Barrier(3, timeout=120)

    def answer(_: Asked) -> Any:
        met.wait()  # answers only when three are under way
        return completion("Red, for one.")

    with teaching(answer) as teacher:
        endpoint(teacher.url, several=False)
        value = asked("sample", 2, "--endpoint", "teacher", "--n", 6, "--workers", 3).json
    assert value["answers"] == 6
    assert teacher.most_at_once == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sample", "1", "--endpoint", "nobody", "--n", "1"], "no endpoint 'nobody'; there are"),
        (["sample", "9", "--endpoint", "teacher", "--n", "1"], "no problem 9"),
        (["sample", "--endpoint", "teacher", "--n", "1"], "say which problems"),
        (["sample", "1", "--all", "--endpoint", "teacher", "--n", "1"], "say which problems"),
        (["sample", "1", "--endpoint", "teacher", "--n", "0"], "0 is not in the range"),
        (["sample", "--where", "colour:x", "--endpoint", "teacher", "--n", "1"], "colour"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    asked: Run, endpoint: Endpoint, arguments: list[str], says: str
) -> None:
    endpoint("http://localhost:1/v1")
    ran = asked(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.strip().splitlines()) == 1
    assert says in ran.err


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"url": "localhost:8000", "model": "m"}, "an address such as http://"),
        ({"url": "http://me:pass@host/v1", "model": "m"}, "no name or password"),
        ({"url": "http://host/v1", "model": "m", "api_key": "sk-1"}, "a key is never stored"),
        ({"url": "http://host/v1"}, "model"),
        ({"url": "http://host/v1", "model": "m", "parameters": {"n": 2}}, "no parameters of one's"),
        ({"url": "http://host/v1", "model": "m", "key_env": "NOT_SET_ANYWHERE"}, "set $NOT_SET"),
    ],
)
def test_settings_that_cannot_be_used_are_named(
    asked: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, says: str
) -> None:
    monkeypatch.setenv("STUDIO_CONFIGS", str(tmp_path))
    text = json.dumps({"endpoints": {"teacher": settings}})
    (tmp_path / "endpoints.yaml").write_text(text)
    ran = asked("sample", 1, "--endpoint", "teacher", "--n", 1)
    assert ran.code == 2
    assert says in ran.err
    assert "sk-1" not in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_the_shipped_endpoints_are_found_beside_the_users(endpoint: Endpoint) -> None:
    endpoint("http://localhost:1/v1/chat/completions")
    assert find_endpoint("teacher").url == "http://localhost:1/v1"
    assert find_endpoint("ollama").several is False


def _started(tmp_path: Path, *more: str) -> subprocess.Popen[bytes]:
    arguments = ["sample", "--all", "--endpoint", "teacher", "--n", "20", "--workers", "2", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "studio", *arguments, "--json"],
        cwd=tmp_path, env=os.environ.copy(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def _until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def _holding(release: threading.Event) -> Callable[[Asked], Body]:
    """Answers ten requests; from then on only when the test lets it."""

    def answer(ask: Asked) -> Body:
        if ask.number >= 10:
            release.wait(240)
        return completion(f"Colour {ask.number} of {ask.body['messages'][0]['content'][:5]}.")

    return answer


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_was_answered_before_a_kill_is_never_asked_again(
    asked: Run, endpoint: Endpoint, tmp_path: Path, how: signal.Signals
) -> None:
    release = threading.Event()
    with teaching(_holding(release)) as teacher:
        endpoint(teacher.url, several=False)
        process = _started(tmp_path)
        _until(lambda: len(teacher.requests) == 12)  # ten are answered, two are under way
        process.send_signal(how)
        out, err = process.communicate(timeout=120)
        release.set()
        if how == signal.SIGINT:
            assert process.returncode == 130
            assert json.loads(out)["asked"] == 10
            assert b"goes on there" in err
            assert b"Traceback" not in err
        assert asked("list", "--where", "format:sample").json["total"] == 10
        value = asked("sample", "--all", "--endpoint", "teacher", "--n", 20).json
    assert (value["asked"], value["answers"]) == (30, 40)
    assert len(teacher.requests) == 42  # the two under way were lost with the program
    kept = Counter(row["messages"][-1]["content"] for row in rows(asked))
    assert set(kept.values()) == {1}


def test_two_programs_at_once_lose_nothing(asked: Run, endpoint: Endpoint, tmp_path: Path) -> None:
    with teaching(lambda ask: completion(f"Colour number {ask.number} it is.")) as teacher:
        endpoint(teacher.url, several=False)
        processes = [_started(tmp_path) for _ in range(2)]
        errors = [process.communicate(timeout=120)[1] for process in processes]
        assert [process.returncode for process in processes] == [0, 0], errors
        total = asked("list", "--where", "format:sample").json["total"]
    assert total == len(teacher.requests)
