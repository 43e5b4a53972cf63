"""Paths typed on one line: read back as they were meant, completed as in a shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import BadInput, WordError
from studio.path_line import complete_path, paths_of, typed_path, words

NAMES = st.text(
    st.sampled_from("ab ~\\'\".-é$*#"), min_size=1, max_size=8
).filter(lambda name: name not in (".", ".."))  # fmt: skip


@given(st.lists(NAMES.filter(lambda name: not name.startswith("~")), min_size=1, max_size=4))
def test_what_is_written_is_read_back(names: list[str]) -> None:
    line = "  ".join(map(typed_path, names))
    assert [word.path for word in words(line)] == [Path(name) for name in names]
    assert [line[word.start : word.end] for word in words(line)] == [*map(typed_path, names)]


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(name=NAMES, typed=st.integers(1, 8), quote=st.sampled_from(["", "'", '"']))
def test_every_name_can_be_completed_from_its_beginning(
    tmp_path_factory: pytest.TempPathFactory, name: str, typed: int, quote: str
) -> None:
    folder = tmp_path_factory.mktemp("names")
    (folder / name).write_text("")
    begun = f"{folder}/{name[:typed]}"
    if quote == "'" and "'" in name:
        return  # cannot stand within such quotation marks
    escaped = {"": typed_path(begun), "'": begun}.get(
        quote, begun.replace("\\", "\\\\").replace('"', '\\"')
    )
    line = f"first {quote}{escaped}"
    found = complete_path(line, len(line))
    done = line[: found.start] + found.candidates[0] + quote
    assert len(found.candidates) == 1
    assert words(done)[-1].path == folder / name


def test_a_home_folder_is_meant_only_by_a_bare_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "logs").mkdir()
    assert paths_of("~/logs") == [tmp_path / "logs"]
    assert complete_path("~", 1).candidates == ["~/"]
    assert complete_path("~/", 2).candidates == ["logs/"]
    with pytest.raises(WordError, match="~/logs does not exist"):
        paths_of("'~/logs'")


def test_the_wrong_path_is_the_one_that_is_named(tmp_path: Path) -> None:
    line = f"{tmp_path} nowhere {tmp_path}"
    with pytest.raises(WordError, match="nowhere does not exist") as found:
        paths_of(line)
    assert line[found.value.start : found.value.end] == "nowhere"
    with pytest.raises(BadInput, match="a file or a folder is needed"):
        paths_of("   ")
    with pytest.raises(WordError, match="cannot be read"):
        paths_of("a" * 300)


def test_hidden_names_and_those_that_cannot_be_typed_are_not_offered(tmp_path: Path) -> None:
    for name in (".git", "a\nb", "a\x1b[31m", "ab"):
        (tmp_path / name).write_text("")
    line = f"{tmp_path}/"
    assert complete_path(line, len(line)).candidates == ["ab"]
    assert complete_path(line + ".", len(line) + 1).candidates == [".git"]
    assert complete_path(line + " ", len(line) + 1).candidates == []
    assert complete_path("nowhere/x", 9).candidates == []
