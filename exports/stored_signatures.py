"""Signatures kept in the store: made once for each text, and anew only for what was edited.

They lie in blocks of thousands: a few large values are read ten times as fast as many small ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from db.changes import newest_act, touched_since
from db.store import Store
from exports.near_duplicates import RATIO, SIGNATURE_VERSION, form, signatures
from exports.near_duplicates.layout import ROW, gram_width

BLOCK = 4096

Texts = Callable[[Connection, Sequence[int]], list[str]]
"""Reads what is compared of interactions: a text for each id."""


@dataclass(frozen=True)
class Signed:
    """Signatures by interaction: `rows[i]` is that of `ids[i]`. Ids ascend."""

    ids: NDArray[np.int64]
    rows: NDArray[np.uint32]

    @property
    def last_id(self) -> int:
        """The newest interaction that is signed, 0 when none is."""
        return int(self.ids[-1]) if len(self.ids) else 0

    def places(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where these ids, all of them signed, stand."""
        return np.searchsorted(self.ids, ids)

    def of(self, ids: NDArray[np.int64]) -> NDArray[np.uint32]:
        """The rows of some ids, which ascend; not copied when they are all."""
        return self.rows if len(ids) == len(self.ids) else self.rows[self.places(ids)]

    def until(self, last_id: int) -> Signed:
        """Those up to an id; not copied."""
        end = int(np.searchsorted(self.ids, last_id, side="right"))
        return Signed(self.ids[:end], self.rows[:end])


def signed(
    store: Store,
    kind: str,
    texts_of: Texts,
    *,
    threshold: float = 90.0,
    measure: str = RATIO,
    tell: Callable[[float], None] | None = None,
) -> Signed:
    """The signatures of all interactions; those that lack one, or were edited, are signed first.

    `kind` names what `texts_of` reads. `tell(share)` is called as the signing goes on.
    """
    version = f"{SIGNATURE_VERSION}.{gram_width(threshold)}.{measure}"

    def sign(connection: Connection, ids: Sequence[int]) -> NDArray[np.uint32]:
        texts = [form(each, measure) for each in texts_of(connection, ids)]
        return signatures(texts, threshold=threshold)

    _renew(store, kind, version, sign)
    _extend(store, kind, version, sign, tell or (lambda _: None))
    with store.read() as connection:
        return _load(connection, kind, version)


Sign = Callable[[Connection, Sequence[int]], NDArray[np.uint32]]
_WHERE = "WHERE kind = :kind AND version = :version"


def _load(connection: Connection, kind: str, version: str) -> Signed:
    named = {"kind": kind, "version": version}
    count = connection.execute(
        text(f"SELECT coalesce(sum(length(ids)), 0) / 8 FROM signature_block {_WHERE}"), named
    ).scalar_one()
    ids, rows = np.empty(count, np.int64), np.empty((count, ROW), np.uint32)
    at = 0
    for block in connection.execute(
        text(f"SELECT ids, rows FROM signature_block {_WHERE} ORDER BY id"), named
    ):
        part = np.frombuffer(block.ids, np.int64)
        ids[at : at + len(part)] = part
        rows[at : at + len(part)] = np.frombuffer(block.rows, np.uint32).reshape(-1, ROW)
        at += len(part)
    return Signed(ids, rows)


def _extend(
    store: Store, kind: str, version: str, sign: Sign, tell: Callable[[float], None]
) -> None:
    """Sign the interactions that came after the last one that is signed, block by block."""
    named: dict[str, object] = {"kind": kind, "version": version}
    done, total = 0, None
    while True:
        with store.read() as connection:
            after = _last(connection, named)
            if total is None:
                total = connection.execute(_COUNT, {"after": after}).scalar_one()
            ids = list(connection.execute(_NEXT, {"after": after, "limit": BLOCK}).scalars())
            if not ids:
                return
            act, rows = newest_act(connection), sign(connection, ids)
        with store.write() as connection:
            if _last(connection, named) == after:  # else another program was faster
                block = {"ids": np.array(ids, np.int64).tobytes(), "rows": rows.tobytes()}
                connection.execute(_APPEND, {**named, **block, "act": act})
        done += len(ids)
        tell(min(1.0, done / total))


_COUNT = text("SELECT count(*) FROM interaction WHERE id > :after")
_NEXT = text("SELECT id FROM interaction WHERE id > :after ORDER BY id LIMIT :limit")
_APPEND = text(
    "INSERT INTO signature_block (kind, version, act_id, ids, rows) "
    "VALUES (:kind, :version, :act, :ids, :rows)"
)


def _last(connection: Connection, named: dict[str, object]) -> int:
    """The last interaction that is signed, 0 before the first."""
    newest = text(f"SELECT ids FROM signature_block {_WHERE} ORDER BY id DESC LIMIT 1")
    ids = connection.execute(newest, named).scalar()
    return int(np.frombuffer(ids, np.int64)[-1]) if ids else 0


def _renew(store: Store, kind: str, version: str, sign: Sign) -> None:
    """Sign anew, in their place, the interactions that were edited since they were signed."""
    named = {"kind": kind, "version": version}
    with store.read() as connection:
        oldest = connection.execute(
            text(f"SELECT min(act_id) FROM signature_block {_WHERE}"), named
        ).scalar()
        act = newest_act(connection)
        edited = [] if oldest is None else touched_since(connection, int(oldest), "edit")
        changed = list(_renewed(connection, named, edited, sign)) if edited else []
    if not edited:
        return
    with store.write() as connection:
        for identity, rows in changed:
            connection.execute(
                text("UPDATE signature_block SET rows = :rows WHERE id = :id"),
                {"id": identity, "rows": rows},
            )
        connection.execute(
            text(f"UPDATE signature_block SET act_id = :act {_WHERE} AND act_id < :act"),
            {**named, "act": act},
        )


def _renewed(
    connection: Connection, named: dict[str, str], edited: Sequence[int], sign: Sign
) -> Iterator[tuple[int, bytes]]:
    """The blocks that hold edited interactions: (id, rows with these signed anew)."""
    fresh = dict(zip(edited, sign(connection, edited), strict=True))
    blocks = connection.execute(text(f"SELECT id, ids FROM signature_block {_WHERE}"), named)
    for identity, ids in blocks.all():
        places = np.flatnonzero(np.isin(np.frombuffer(ids, np.int64), edited))
        if not len(places):
            continue
        stored = connection.execute(
            text("SELECT rows FROM signature_block WHERE id = :id"), {"id": identity}
        ).scalar_one()
        rows = np.frombuffer(stored, np.uint32).reshape(-1, ROW).copy()
        for place in places.tolist():
            rows[place] = fresh[int(np.frombuffer(ids, np.int64)[place])]
        yield identity, rows.tobytes()
