"""How a conversation becomes lines, and how typing is completed: without a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from db.search import hit_pattern, typed_expression
from studio.completion import complete_filter, complete_word
from studio.widgets.blocks import Block
from studio.widgets.code_styles import spans_between, spans_of
from studio.widgets.line_layout import HEADER, TAB, Layout


def lines(text: str, width: int = 20) -> list[str]:
    layout = Layout([Block("user", "user", text)], width)
    layout.everything()
    return [text[line.start : line.end] for line in layout.lines if line.start >= 0]


def test_prose_is_cut_between_words_and_code_where_the_width_ends() -> None:
    assert lines("a word at a time, please") == ["a word at a time, ", "please"]
    assert lines("```\n" + "a b " * 6 + "\n```\nend") == [
        "```", "a b a b a b a b a b ", "a b ", "```", "end",
    ]  # fmt: skip
    assert lines("one\n\ntwo\n") == ["one", "", "two"]
    assert lines("好" * 11) == ["好" * 10, "好"]


@given(
    text=st.text(alphabet=st.sampled_from("ab `\n\t好é́ x"), max_size=200), width=st.integers(8, 30)
)
def test_lines_fit_and_lose_nothing_but_breaks(text: str, width: int) -> None:
    found = lines(text, width)
    assert all(cell_len(line.replace("\t", TAB)) <= width for line in found)
    assert "".join(found).replace(" ", "") == text.replace("\n", "").replace(" ", "")


def test_only_what_is_looked_at_is_laid_out() -> None:
    blocks = [Block("user", "user", "word " * 4_000_000), Block("tool", "result", "x", folded=True)]
    layout = Layout(blocks, 80)
    layout.up_to(50)
    assert len(layout.lines) == 50
    assert not layout.done


def test_a_place_in_a_block_is_found_on_its_line() -> None:
    blocks = [Block("user", "user", "a b c"), Block("assistant", "assistant", "x" * 100)]
    layout = Layout(blocks, 20)
    at = layout.line_of(1, 45)
    assert (layout.lines[at].block, layout.lines[at].start) == (1, 40)
    assert layout.lines[layout.line_of(1)].start == HEADER
    assert layout.line_of(0) == 0


def test_folded_blocks_are_their_header_only() -> None:
    layout = Layout([Block("call", "call f", {"a": 1}, folded=True)] * 3, 20)
    layout.everything()
    assert [line.start for line in layout.lines] == [HEADER] * 3


def test_code_is_painted_by_kind_and_an_unknown_language_left_plain() -> None:
    code = 'def f():\n    return "x"  # why\n'
    kinds = {code[start:end]: kind for start, end, kind in spans_of(code, "python")}
    assert kinds["def"] == "keyword"
    assert kinds["f"] == "name"
    assert kinds["# why"] == "comment"
    assert spans_between(spans_of(code, "python"), 0, 3) == ((0, 3, "keyword"),)
    assert spans_of(code, "no such language") == ()


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("ag", ["agent:"]),
        ("-ag", ["agent:"]),
        ("agent:", ["coder", "tester"]),
        ("agent:co", ["coder"]),
        ("agent:coder,-t", ["tester"]),
        ("status:x ag", ["agent:"]),
        ("nothing:x", []),
        ("", []),
    ],
)
def test_filters_are_completed(text: str, candidates: list[str]) -> None:
    values = {"agent": ["coder", "tester"]}
    assert complete_filter(text, len(text), ["agent", "status"], values).candidates == candidates


def test_an_order_is_completed_behind_its_minus() -> None:
    found = complete_word("-du", 3, ["duration", "id"])
    assert (found.start, found.candidates, found.common()) == (1, ["duration"], "duration")


def test_what_is_typed_is_searched_word_by_word_the_last_one_unfinished() -> None:
    assert typed_expression("retry loo") == '"retry" AND "loo"*'
    assert typed_expression('"retry loop" x ') == '"retry loop" AND "x"'
    assert typed_expression(" !! ") is None
    pattern = hit_pattern('"retry loop" tok')
    assert pattern is not None
    assert [m[0] for m in pattern.finditer("Retry  loop of a tokenizer")] == ["Retry  loop", "tok"]
