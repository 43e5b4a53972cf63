"""Commands run as a user would, in this process: exit code, stdout, stderr."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from studio.__main__ import main


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its answer; fails when stdout is not one JSON document."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("list", "--limit", "3")` on the store of the test, answered as JSON."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STUDIO_STORE", raising=False)

    def command(*arguments: object, as_json: bool = True) -> Ran:
        words = [str(argument) for argument in arguments]
        code = main([*words, "--json"] if as_json else words)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return command


def talk(identity: str, task: str, answer: str, **more: Any) -> dict[str, Any]:
    """A row of the studio's own interaction format."""
    return {
        "id": identity,
        "agent": "coder",
        "provider": "replicate",
        "model": "llama",
        "task": task,
        "messages": [
            {"role": "user", "content": task},
            {"role": "assistant", "content": answer},
        ],
        "success": True,
        "started_at": "2025-10-01T08:00:00Z",
        "duration_ms": 1000,
        **more,
    }


def write_rows(path: Path, *rows: dict[str, Any]) -> Path:
    """A JSONL file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def filled(run: Run, tmp_path: Path) -> Run:
    """A store with three interactions."""
    rows = [
        talk("a", "Fix the tokenizer", "fixed", duration_ms=500),
        talk("b", "Write tests for the parser", "written", agent="tester", success=False),
        talk("c", "Compare three vector databases", "compared", agent=None, provider="mock"),
    ]
    assert run("import", write_rows(tmp_path / "log.jsonl", *rows)).code == 0
    return run
