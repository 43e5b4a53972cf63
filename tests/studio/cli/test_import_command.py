"""What a new user sees first: an import that ends in a summary worth a look; masked secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.db.test_secrets import kinds_of_keys
from tests.studio.cli.conftest import Run, talk

TOKEN = kinds_of_keys(7)["GitHub token"]


def written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def a_tree(folder: Path) -> Path:
    """Logs of three agents, with failures, repeats, a secret, and files that are none."""
    for number in range(12):
        project = folder / f"project{number % 9}"
        project.mkdir(parents=True, exist_ok=True)
        more: dict[str, Any] = {"agent": ("coder", "tester", None)[number % 3]}
        more |= {"started_at": f"2025-10-{number + 1:02d}T08:00:00Z", "completion_tokens": 1500}
        more |= {"success": number % 4 != 0, "cwd": str(project), "model": f"a-model-{number % 5}"}
        row = talk(f"x{number}", f"Question {number % 10} with {TOKEN}", "An answer", **more)
        written(project / f"{number}.jsonl", row)
        (project / f"notes{number}.md").write_text("# Notes")
        (project / f"broken{number}.jsonl").write_text("{")
    return folder


def test_the_summary_fits_a_terminal_and_says_what_came(run: Run, tmp_path: Path) -> None:
    said = run("import", a_tree(tmp_path / "logs"), as_json=False)
    assert said.code == 0
    lines = said.out.splitlines()
    assert len(lines) <= 15
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 80
    assert lines[0].startswith("12 imported, 0 were there already, 12 rejected, 12 of no known")
    assert lines[-1] == "Next: studio · studio stats · studio classify · studio dedupe"
    for told in (
        "agents   coder 33%, tester 33%, not told 33%",
        "models   a-model-0 25%, a-model-1 25%",
        "projects project0 2, project1 2",
        "when     2025-10-01 to 2025-10-12",
        "outcome  9 of 12 succeeded, 75.0% (46.8–91.1%)",
        "work     18.0k tokens written",
        "repeats  2 ask what another one asks, word for word",
        "secrets  keys or tokens in 12, masked and kept out of exports: secrets:>0",
    ):
        assert f"  {told}" in said.out


def test_the_same_again_has_nothing_to_sum_up(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "log", talk("x", "Why?", "Because."))
    first, again = run("import", path), run("import", path)
    assert first.json["overview"]["interactions"] == 1
    assert first.json["bytes"] == path.stat().st_size
    assert (again.code, again.json["overview"]["interactions"]) == (0, 0)
    lines = run("import", path, as_json=False).out.splitlines()
    assert lines[0] == "0 imported, 1 was there already"
    assert len(lines) == 2


@pytest.mark.parametrize("as_json", [False, True])
def test_show_masks_unless_told_to_reveal(run: Run, tmp_path: Path, as_json: bool) -> None:
    run("import", written(tmp_path / "log", talk("x", f"Push with {TOKEN}", f"With {TOKEN}?")))
    masked = run("show", 1, as_json=as_json)
    assert TOKEN not in masked.out + masked.err
    assert "Push with [GitHub token]" in masked.out
    assert TOKEN in run("show", 1, "--reveal", as_json=as_json).out
    assert TOKEN not in run("list", as_json=as_json).out
    if not as_json:
        assert "1 masked (GitHub token); --reveal shows them" in masked.err


def test_a_terminal_that_waits_is_told_how_fast_it_goes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_PROGRESS_SECONDS", "0")
    said = run("import", a_tree(tmp_path / "logs"))
    assert "importing: 100% " in said.err
    assert "36 of 36 files, 12 rows" in said.err
