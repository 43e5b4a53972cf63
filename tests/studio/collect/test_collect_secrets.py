"""Keys in logs are counted on import, masked wherever a text is shown, and stored as they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from db import acts, rows
from db.reader import Reader
from db.store import Store
from studio.collect.importing import Summary, import_paths
from studio.collect.overview import overview_lines
from studio.curation import clusters
from studio.curation.duplicates import dedupe
from studio.curation.problems import list_problems
from studio.widgets.blocks import blocks_of
from tests.db.test_secrets import LETTERS, drawn, kinds_of_keys

TOKEN = kinds_of_keys(7)["GitHub token"]
KEY = drawn(LETTERS, 40, 5)


def leaky(number: int = 1, token: str = TOKEN) -> dict[str, Any]:
    """A token in what was asked, a key in a call, in its result and, bare, in the answer."""
    call = {"name": "curl", "arguments": {"api_key": KEY, "url": "https://x.test"}}
    return {
        "id": f"leaky{number}",
        "agent": "coder",
        "error": f"denied for {token}",
        "headers": {"authorization": f"Bearer {KEY}"},
        "messages": [
            {"role": "user", "content": f"Push with {token}, request {number}"},
            {"role": "assistant", "tool_calls": [{"id": "c1", "function": call}]},
            {"role": "tool", "tool_call_id": "c1", "content": f"api_key={KEY} was refused"},
            {"role": "assistant", "content": f"I used {KEY} and it failed."},
        ],
    }


def imported(store: Store, path: Path, *found: dict[str, Any]) -> Summary:
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return import_paths(store, [path])


CLEAN = {"id": "clean", "agent": "coder", "messages": [{"role": "user", "content": "Hi"}]}


def test_an_import_counts_the_different_secrets_of_each(store: Store, tmp_path: Path) -> None:
    summary = imported(store, tmp_path / "log", leaky(), CLEAN)
    listed = rows.page(store)[0]
    assert [(row["secrets"], row["secret_kinds"]) for row in listed] == [
        (2, "GitHub token, key in an assignment"),
        (0, None),
    ]
    assert summary.overview["with_secrets"] == 1
    assert summary.overview["secrets"] == {"GitHub token": 1, "key in an assignment": 1}
    assert any("keys or tokens in 1" in line for line in overview_lines(summary.overview))
    for where, count in (("secrets:>0", 1), ("secrets:0", 1), ("secret:github*", 1)):
        assert rows.page(store, where)[1] == count


def test_nothing_that_is_shown_holds_one_but_what_is_revealed(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path / "log", leaky(), leaky(2))
    assert store.path is not None
    with closing(Reader(store.path)) as reader:
        body = reader.body(1)
    assert body is not None
    dedupe(store)
    (cluster,) = clusters.clusters(store)
    pair = clusters.pair(store, cluster, 0)
    shown = [
        json.dumps(rows.page(store)[0]),
        json.dumps(rows.show(store, 1)),
        body.row.title,
        "\n".join(f"{block.title} {block.preview} {block.text}" for block in blocks_of(body)),
        repr(pair),
        json.dumps(list_problems(store)),
    ]
    for text in shown:
        assert TOKEN not in text
        assert KEY not in text
        assert "[GitHub token]" in text
    revealed = json.dumps(rows.show(store, 1, reveal=True))
    assert TOKEN in revealed
    assert KEY in revealed


def test_the_stored_text_is_as_it_was(
    store: Store, tmp_path: Path, contents: Callable[[Store], dict[str, Any]]
) -> None:
    imported(store, tmp_path / "log", leaky())
    (row,) = contents(store).values()
    assert TOKEN in row["task"]
    assert row["messages"].count(KEY) == 3
    assert TOKEN not in row["title"]


def test_the_count_follows_edits_and_undo(store: Store, tmp_path: Path) -> None:
    token = kinds_of_keys(9)["GitHub token"]
    said = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": token}]
    imported(store, tmp_path / "log", {"id": "x", "agent": "coder", "messages": said})

    def counted() -> int:
        return int(rows.page(store)[0][0]["secrets"])

    assert counted() == 1
    acts.edit_answer(store, 1, "one that I keep to myself", actor="me")
    assert counted() == 0
    assert token not in json.dumps(rows.show(store, 1)), "nor what the act replaced"
    acts.undo(store, actor="me")
    assert counted() == 1


def test_a_session_that_grew_is_looked_at_again(store: Store, tmp_path: Path) -> None:
    row = leaky()
    imported(store, tmp_path / "short", {**row, "error": None, "messages": [CLEAN["messages"][0]]})
    imported(store, tmp_path / "long", row)
    assert rows.page(store)[0][0]["secrets"] == 2
