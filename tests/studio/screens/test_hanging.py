"""Labels with text beside them, in any width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from studio.widgets.hanging import LEAST, hanging, lines_at_most

WORDS = st.lists(st.text("abcdef", min_size=1, max_size=30), max_size=30)


@given(words=WORDS, label=st.text("ghi", min_size=1, max_size=12), width=st.integers(34, 160))
def test_further_lines_begin_under_the_first(words: list[str], label: str, width: int) -> None:
    lines = hanging(Content(label), Content(" ".join(words)), width).plain.split("\n")
    assert lines[0].startswith(label)
    assert all(line.startswith(" " * len(label)) for line in lines[1:])
    assert all(len(line) <= max(width, len(label) + LEAST) for line in lines)
    assert "".join(line[len(label) :] for line in lines).replace(" ", "") == "".join(words)


@given(words=WORDS, label=st.text("ghi", max_size=60), indent=st.integers(0, 12))
def test_a_label_longer_than_its_place_leaves_the_text_its_room(
    words: list[str], label: str, indent: int
) -> None:
    lines = hanging(Content(label), Content(" ".join(words)), 50, indent).plain.split("\n")
    text = lines[-(-len(label) // 50) :] if len(label) > indent else [lines[0][indent:], *lines[1:]]
    assert all(len(line) <= 50 for line in lines)
    assert "".join(text).replace(" ", "") == "".join(words)


@given(words=WORDS, width=st.integers(LEAST, 160), most=st.integers(1, 4))
def test_a_text_in_so_many_lines_at_most_shows_where_it_is_cut(
    words: list[str], width: int, most: int
) -> None:
    lines = [line.plain for line in lines_at_most(Content(" ".join(words)), width, most)]
    assert len(lines) <= most
    assert all(len(line.rstrip()) <= width for line in lines)
    whole = "".join(lines).replace(" ", "") == "".join(words)
    assert whole or lines[-1].endswith("…")
