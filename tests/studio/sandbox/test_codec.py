"""Values cross the wall as they are, and nothing but plain data can be made of any message."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.sandbox.inside.codec import MAX_DEPTH, CodecError, Decoder, Encoder

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters())  # lone surrogates too
    | st.binary()
    | st.builds(range, st.integers(), st.integers(), st.integers(min_value=1))
)
HASHABLE = st.recursive(
    SCALARS, lambda inner: st.tuples(inner) | st.frozensets(inner), max_leaves=8
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(HASHABLE, inner)
        | st.sets(HASHABLE)
    ),
    max_leaves=30,
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from("ltdSFbomiyrTsYfc"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def refuse(value: Any) -> Any:
    raise CodecError(f"not plain: {value!r}")


def there_and_back(value: Any) -> Any:
    text = json.dumps(Encoder(refuse).encode(value))
    return Decoder(refuse).decode(json.loads(text))


def exact(value: Any) -> str:
    """Tells apart what is equal and not the same: 1 and True, 0.0 and -0.0; sets in any order."""
    if isinstance(value, (set, frozenset)):
        return f"{type(value).__name__}{sorted(map(exact, value))}"
    if isinstance(value, dict):
        return f"dict{[(exact(key), exact(item)) for key, item in value.items()]}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}{list(map(exact, value))}"
    return f"{type(value).__name__}:{value!r}"


@given(VALUES)
def test_every_plain_value_survives(value: Any) -> None:
    assert exact(there_and_back(value)) == exact(value)


def test_nan_survives() -> None:
    assert math.isnan(there_and_back([math.nan])[0])
    assert math.isnan(there_and_back(complex(0, math.nan)).imag)


@given(JSON)
def test_no_message_makes_anything_but_a_value_or_an_error(node: Any) -> None:
    try:
        value = Decoder(refuse).decode(node)
    except CodecError:
        return
    plain = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)
    assert value is None or isinstance(value, (*plain, range, type))


def test_aliases_and_cycles_survive() -> None:
    inner: list[Any] = [1]
    twice = there_and_back([inner, inner])
    assert twice[0] is twice[1]
    inner.append(inner)
    loop = there_and_back(inner)
    assert loop[1] is loop


def test_too_deep_is_an_error_and_not_a_crash() -> None:
    value: list[Any] = []
    for _ in range(MAX_DEPTH + 5):
        value = [value]
    with pytest.raises(CodecError, match="deep"):
        Encoder(refuse).encode(value)
    node: list[Any] = ["l", 0, []]
    for _ in range(MAX_DEPTH * 3):
        node = ["l", 0, [node]]
    with pytest.raises(CodecError):
        Decoder(refuse).decode(node)


def test_objects_are_referred_to_and_never_copied() -> None:
    class Thing:
        pass

    seen: list[Any] = []

    def refer(value: Any) -> Any:
        seen.append(value)
        return ["o", len(seen), {}]

    thing = Thing()
    assert Encoder(refer).encode([thing]) == ["l", 0, [["o", 1, {}]]]
    assert seen == [thing]


def test_known_containers_are_changed_in_place() -> None:
    mine = [1, {"a": 2}]
    sent = Encoder(refuse)
    sent.encode(mine)
    back = Decoder(refuse, sent.containers)
    back.decode(["l", 0, [["d", 1, ["b", 3]], 9]])
    assert mine == [{"b": 3}, 9]
    assert sent.containers[1] == {"b": 3}


def test_a_container_does_not_change_its_kind() -> None:
    mine = [1]
    sent = Encoder(refuse)
    sent.encode(mine)
    assert Decoder(refuse, sent.containers).decode(["d", 0, ["a", 1]]) == {"a": 1}
    assert mine == [1]
