"""Tokens as lines: nothing is lost, nothing is too wide, what is trained stays told apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from studio.widgets.token_view import lines_of

TOKENS = st.lists(
    st.fixed_dictionaries(
        {"text": st.text(alphabet="ab \n你👩e\u0301\t\x1b", max_size=12), "trained": st.booleans()}
    ),
    max_size=20,
)


@given(TOKENS, st.integers(4, 30))
def test_every_token_is_drawn_within_the_width(tokens: list[dict[str, object]], width: int) -> None:
    lines = list(lines_of(tokens, width))
    drawn = "".join(piece.text for line in lines for piece in line)
    wanted = "".join(str(token["text"]) for token in tokens)
    shown = wanted.replace("\n", "⏎").replace("\t", "→   ").replace("\x1b", "␛")
    assert drawn == shown
    assert all(sum(cell_len(piece.text) for piece in line) <= width for line in lines)


def test_a_line_break_ends_the_line_of_its_token() -> None:
    tokens = [{"text": "a", "trained": False}, {"text": "\n", "trained": True},
              {"text": "b", "trained": True}]  # fmt: skip
    first, second = lines_of(tokens, 10)
    assert [(piece.text, piece.trained) for piece in first] == [("a", False), ("⏎", True)]
    assert [piece.text for piece in second] == ["b"]
