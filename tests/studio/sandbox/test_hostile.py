"""One hostile program a test: none may pass, and each ends with the verdict that it deserves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from studio.sandbox import Task
from studio.sandbox.lane import Lane
from tests.studio.sandbox.attacks import ATTACKS, CLUE, Attack


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    outside = tmp_path_factory.mktemp("outside") / "canary"
    outside.write_text("a canary")
    with NamedTemporaryFile("w", dir=Path.home(), prefix=".studio-canary-") as home:
        home.write("a canary")
        home.flush()
        yield {"outside": str(outside), "home": home.name, "parent": str(os.getpid())}
    assert outside.read_text() == "a canary"
    assert [path.name for path in outside.parent.iterdir()] == ["canary"]


@pytest.mark.parametrize("name", ["frame walking", "search by gc"])
def test_the_searches_do_find_what_is_there(name: str, lane: Lane) -> None:
    """Without this a search that never finds anything would look like a wall that holds."""
    attack = next(attack for attack in ATTACKS if attack.name == name)
    # In the code's own source, which its frames hold, and in a list, which gc knows.
    planted = f"planted = ['{CLUE} = 1']\n"
    result = lane.run(Task(name, planted + attack.code.format(), "f", attack.tests))
    assert result.verdict == "passed"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack_fails(
    attack: Attack, places: dict[str, str], lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_SECRET", "swordfish")
    code = attack.code.format(**places)
    result = lane.run(
        Task(attack.name, code, attack.entry_point, attack.tests, timeout=attack.timeout)
    )
    assert result.verdict in attack.verdicts, result
