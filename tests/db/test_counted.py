"""Numbers with their nouns."""

from __future__ import annotations

from db.counted import counted


def test_a_noun_follows_its_number() -> None:
    assert counted(0, "row") == "0 rows"
    assert counted(1, "row") == "1 row"
    assert counted(1412, "row") == "1,412 rows"
    assert [counted(n, "reply", "replies") for n in (1, 2)] == ["1 reply", "2 replies"]
