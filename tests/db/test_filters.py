"""What a person types finds what it says, and a wrong word is pointed at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import acts, filters, rows
from db.errors import FilterError
from db.reader import Reader, query
from db.store import Store
from tests.conftest import exchange

Add = Callable[..., list[int]]


@pytest.fixture
def filled(store: Store, add: Add) -> Store:
    add(
        exchange("Fix the tokenizer", "done", agent="coder", model="qwen-7b", provider="replicate",
                 duration_ms=12_000, completion_tokens=50, success=True,
                 started_ms=1_759_276_800_000),  # 2025-10-01
        exchange("Write tests for it", "passed", agent="tester", model="qwen-1.5b",
                 provider="mock", duration_ms=500, success=False),
        exchange('Say "hello: world"', "a AND b OR c", agent="coder", model="llama",
                 provider="tongyi"),
    )  # fmt: skip
    return store


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", [1, 2, 3]),
        ("agent:coder", [1, 3]),
        ("agent:coder,tester", [1, 2, 3]),
        ("-agent:coder", [2]),
        ("provider:-mock", [1, 3]),
        ("model:qwen*", [1, 2]),
        ("MODEL:QWEN-7B", [1]),
        ("duration:>10s", [1]),
        ("duration:<1s", [2]),
        ("duration:100ms..1s", [2]),
        ("duration:none", [3]),
        ("tokens:50", [1]),
        ("success:false", [2]),
        ("success:none", [3]),
        ("since:2025-09-30 until:2025-10-02", [1]),
        ("tokenizer", [1]),
        ("token*", [1]),
        ('"hello: world"', [3]),
        ('"a AND b"', [3]),
        ("AND", [3]),
        ("-tokenizer", [2, 3]),
        ("agent:coder tokenizer success:true", [1]),
        ("id:2..3", [2, 3]),
        ("format:studio", [1, 2, 3]),
        ("tag:x", []),
        ("status:new", [1, 2, 3]),
    ],
)
def test_filters_find_what_they_say(filled: Store, typed: str, found: list[int]) -> None:
    listed, total = rows.page(filled, typed)
    assert [row["id"] for row in listed] == found
    assert total == len(found)


@pytest.mark.parametrize(
    ("typed", "start", "end", "says"),
    [
        ("agent:coder agnt:x", 12, 18, "unknown filter key"),
        ("duration:soon", 0, 13, "not a number"),
        ('agent:coder "open', 12, 17, "not closed"),
        ("status:gone", 0, 11, "no status"),
        ("success:perhaps", 0, 15, "true, false or none"),
        ("agent:", 0, 6, "needs a value"),
        ("since:yesterday", 0, 15, "not a date"),
        ("!!!", 0, 3, "nothing to search"),
    ],
)
def test_a_wrong_word_is_pointed_at(typed: str, start: int, end: int, says: str) -> None:
    with pytest.raises(FilterError, match=says) as caught:
        filters.where(typed)
    assert (caught.value.start, caught.value.end) == (start, end)


def test_sorting_puts_the_unknown_last_both_ways(filled: Store) -> None:
    assert [r["id"] for r in rows.page(filled, sort="duration")[0]] == [2, 1, 3]
    assert [r["id"] for r in rows.page(filled, sort="-duration")[0]] == [1, 2, 3]
    with pytest.raises(FilterError, match="cannot sort by 'size'"):
        rows.page(filled, sort="size")


def test_limits_do_not_change_the_total(filled: Store) -> None:
    listed, total = rows.page(filled, limit=1)
    assert (len(listed), total) == (1, 3)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(typed=st.text(max_size=40))
def test_whatever_is_typed_gives_rows_or_a_pointed_error(filled: Store, typed: str) -> None:
    try:
        listed, total = rows.page(filled, typed)
    except FilterError as error:
        assert 0 <= error.start <= error.end <= max(1, len(typed))  # noqa: PT017  either is right
    else:
        assert len(listed) == total


def test_tags_are_found_whole(filled: Store) -> None:
    acts.add_tag(filled, [1], "hard", actor="me")
    acts.add_tag(filled, [2], "harder", actor="me")
    assert [r["id"] for r in rows.page(filled, "tag:hard")[0]] == [1]


def test_conversations_with_calls_in_their_text_are_found_by_their_tool_results(
    store: Store, add: Add
) -> None:
    old = [
        {"role": "user", "content": "run the tests"},
        {"role": "assistant", "content": '```json\n{"tool": "run_tests", "arguments": {}}\n```'},
        {"role": "tool", "content": "3 passed"},
        {"role": "assistant", "content": "All 3 passed."},
    ]
    plain, called = add(exchange("hello", "hi"), {"messages": old})
    assert [r["id"] for r in rows.page(store, "tools:1")[0]] == [called]
    assert [r["id"] for r in rows.page(store, "tools:0")[0]] == [plain]


def test_a_part_of_a_search_that_comes_sooner_is_in_the_order_of_the_whole(
    store: Store, add: Add
) -> None:
    tasks = ["a queue", "queues", "the queue", "queueing", "nothing"]
    add(*(exchange(task, "done") for task in tasks))
    assert store.path is not None
    with closing(Reader(store.path)) as reader:
        wanted = query("", "queu")
        assert list(reader.ids(wanted)) == [4, 3, 2, 1]
        wanted = query("", "queue")
        assert wanted.sooner is not None
        assert list(reader.ids(wanted.sooner)) == [3, 1]
    assert query("", "queue ").sooner is None
    assert query("", "queue", "duration").sooner is None
