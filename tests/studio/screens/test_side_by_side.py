"""Two texts beside each other: what is the same stands opposite, what is not is marked."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from studio.widgets.differences import aligned
from studio.widgets.side_by_side import Section, column, lay_out

texts = st.text(alphabet="ab \n.", max_size=60)


@settings(max_examples=150, deadline=None)
@given(left=texts, right=texts)
def test_nothing_is_lost_and_only_what_differs_is_marked(left: str, right: str) -> None:
    rows = aligned(left, right)
    for side, text in (("left", left), ("right", right)):
        pieces = [getattr(row, side) for row in rows if getattr(row, side) is not None]
        assert "\n".join(piece.text for piece in pieces) == text
        assert all(0 <= low < high <= len(p.text) for p in pieces for low, high in p.spans)
    for row in rows:
        if row.block is None:
            assert row.left is not None
            assert row.right is not None
            assert row.left.text == row.right.text
            assert not row.left.spans + row.right.spans
    assert (left == right) == all(row.block is None for row in rows)


@settings(max_examples=100, deadline=None)
@given(left=texts, right=texts, width=st.integers(20, 60))
def test_every_line_fits_into_its_side(left: str, right: str, width: int) -> None:
    laid = lay_out([Section("answer", left, right, marked=True)], width)
    for line in laid.lines[1:]:
        assert line.right is not None
        assert len(line.left.text) <= column(width)
        assert len(line.right.text) <= column(width)
    assert all(laid.lines[at].differs for at in laid.differences)


def test_a_line_that_one_side_has_more_leaves_the_others_opposite() -> None:
    rows = aligned("a\nb\nc", "new\na\nb\nc")
    assert [(row.left and row.left.text, row.right and row.right.text) for row in rows] == [
        (None, "new"),
        ("a", "a"),
        ("b", "b"),
        ("c", "c"),
    ]


def test_words_that_differ_are_marked_and_the_others_are_not() -> None:
    [row] = aligned("the sum is two.", "the sum is three.")
    assert row.left is not None
    assert row.right is not None
    assert [row.left.text[low:high] for low, high in row.left.spans] == ["two"]
    assert [row.right.text[low:high] for low, high in row.right.spans] == ["three"]


def test_texts_too_long_to_align_are_shown_in_their_order() -> None:
    rows = aligned("a\n" * 10_000, "b\n" * 10_000)
    assert len(rows) == 10_001
    assert {row.block for row in rows} == {0}


def test_a_section_shows_a_few_lines_and_says_how_many_more_there_are() -> None:
    laid = lay_out([Section("request", "\n".join("123456789"), most=3)], 40)
    assert [line.left.text for line in laid.lines] == ["request", "1", "2", "3", "… 6 more lines"]
