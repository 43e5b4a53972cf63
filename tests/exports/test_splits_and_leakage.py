"""Nothing that belongs together is torn apart, and nothing leaks past the wall unseen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import BadInput
from exports.leakage import overlaps
from exports.requests import literals, same_requests
from exports.splits import assign, connected, parse_shares


@given(
    st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=3), min_size=1, max_size=60),
    st.integers(0, 5),
)
def test_rows_that_share_a_key_share_a_split(keys: list[list[int]], seed: int) -> None:
    groups = connected(keys)
    splits = assign(groups, (0.8, 0.1, 0.1), seed)
    home: dict[int, str] = {}
    for row, split in zip(keys, splits, strict=True):
        for key in row:
            assert home.setdefault(key, split) == split
    assert splits == assign(connected(keys), (0.8, 0.1, 0.1), seed)


def test_lone_rows_come_out_in_the_shares_asked_for() -> None:
    splits = assign(list(range(200)), (0.8, 0.1, 0.1), seed=1)
    assert [splits.count(name) for name in ("train", "valid", "test")] == [160, 20, 20]


def test_a_share_of_nothing_stays_empty() -> None:
    assert set(assign(list(range(50)), (0.9, 0.1, 0.0), seed=0)) == {"train", "valid"}


@pytest.mark.parametrize("text", ["80/10", "80/10/5", "a/b/c", "120/-10/-10", ""])
def test_shares_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="three shares"):
        parse_shares(text)


def test_the_same_request_is_told_from_one_with_other_literals() -> None:
    requests = [
        "Write a function that sorts 12 items",
        "write a  function that sorts 12 items.",
        "Write a function that sorts 13 items",
        "Run the tests in tests/test_api.py",
        "Run the tests in tests/test_cli.py",
    ]
    assert same_requests(requests) == [0, 0, 2, 3, 4]
    for one, other in (
        ("Compute x + 1", "Compute x - 1"),
        ("Write it in C, as short as you can", "Write it in C++, as short as you can"),
        ("Return the rows in which a > b", "Return the rows in which a < b"),
        (
            "Do it, and do not overwrite the files that lie in the folder",
            "Do it, and do overwrite the files that lie in the folder",
        ),
        (
            "List all users by their last login, ascending",
            "List all users by their last login, descending",
        ),
    ):
        assert same_requests([one, other, one.upper()]) == [0, 1, 0]
    assert literals('Set "a b" in max_size to 3.') == ('"a b"', "3", "max_size")


def test_a_request_of_the_suite_is_found_in_training_in_other_words() -> None:
    training = [["Plan the sprint"], ["Please compute the sum of the numbers 3 and 5 now"]]
    suite = [["please compute the sum of the numbers 3 and 5 now!"], ["Something else"]]
    found = overlaps(training, suite)
    assert [(o.index, o.other, o.kind) for o in found] == [(1, 0, "near")]


def test_a_long_run_of_words_is_found_inside_of_a_longer_text() -> None:
    passage = " ".join(f"word{n}" for n in range(30))
    training = [[f"Before it all. {passage} And after it a lot more is said about it."]]
    assert [o.kind for o in overlaps(training, [[passage]])] == ["contained"]
    short = " ".join(f"word{n}" for n in range(20))
    assert overlaps([[f"Other things. {short} and the rest of it"]], [[short + " end"]]) == []


def test_nothing_in_common_is_nothing_found() -> None:
    assert overlaps([["alpha beta"]], [["gamma delta"]]) == []
    assert overlaps([], [["x"]]) == []
