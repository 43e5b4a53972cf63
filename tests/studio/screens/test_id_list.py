"""The ids of a table behave as a list that is added to at both ends."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.widgets.id_list import IdList

additions = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=8)


@given(st.integers(0, 6), additions)
def test_it_is_a_list_that_is_added_to_at_both_ends(
    first: int, added: list[tuple[bool, int]]
) -> None:
    plain, ids, newest = list(range(first)), IdList(array("q", range(first))), 100
    for front, count in added:
        came = list(range(newest, newest + count))
        newest += count
        if front:
            plain = came[::-1] + plain
            ids.prepend(array("q", came[::-1]))
        else:
            plain += came
            ids.append(array("q", came))
    assert list(ids) == plain
    assert [ids[place] for place in range(len(ids))] == plain
    assert [ids.index(identity) for identity in plain] == list(range(len(plain)))
    assert ids.part(1, 4) == plain[1:4]
    assert ids.part(0, 100) == plain
    with pytest.raises(IndexError):
        ids[len(plain)]
    with pytest.raises(ValueError, match="not in array"):
        ids.index(newest)
