"""Signatures kept in the store: made once for each text, and anew only for what was edited.

They lie in blocks of thousands: a few large values are read ten times as fast as many small ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from db.changes import Stamp, now, rewritten_since
from db.store import Store
from exports.near_duplicates import RATIO, SIGNATURE_VERSION, form, signatures
from exports.near_duplicates.layout import ROW, gram_width
from exports.near_duplicates.signature import worker_count

BLOCK = 4096
BLOCKS = 16  # that one thread reads at a time

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
    """The signatures of all interactions; those that lack one, or were rewritten, are signed first.

    `kind` names what `texts_of` reads. `tell(share)` is called as the signing goes on.
    """
    version = f"{SIGNATURE_VERSION}.{gram_width(threshold)}.{measure}"

    def sign(connection: Connection, ids: Sequence[int]) -> NDArray[np.uint32]:
        texts = [form(each, measure) for each in texts_of(connection, ids)]
        return signatures(texts, threshold=threshold)

    named = {"kind": kind, "version": version}
    stamp = _renew(store, named, sign)
    _extend(store, named, sign, stamp, tell or (lambda _: None))
    return _load(store, named)


Sign = Callable[[Connection, Sequence[int]], NDArray[np.uint32]]
_WHERE = "WHERE kind = :kind AND version = :version"


def _load(store: Store, named: dict[str, str]) -> Signed:
    """All signatures, read by several threads: SQLite leaves the interpreter to the others."""
    with store.read() as connection:
        blocks = connection.execute(_BLOCKS, named).all()
    ends = np.cumsum([block.texts for block in blocks], dtype=np.int64).tolist()
    count = ends[-1] if blocks else 0
    ids, rows = np.empty(count, np.int64), np.empty((count, ROW), np.uint32)

    def read(first: int) -> None:
        with store.read() as connection:
            for block, end in list(zip(blocks, ends, strict=True))[first : first + BLOCKS]:
                found = connection.execute(_BLOCK, {"id": block.id}).one()
                ids[end - block.texts : end] = np.frombuffer(found.ids, np.int64)
                part = np.frombuffer(found.rows, np.uint32).reshape(-1, ROW)
                rows[end - block.texts : end] = part

    with ThreadPoolExecutor(worker_count(-1)) as pool:
        for _ in pool.map(read, range(0, len(blocks), BLOCKS)):
            pass
    return Signed(ids, rows)


_BLOCKS = text(f"SELECT id, length(ids) / 8 AS texts FROM signature_block {_WHERE} ORDER BY id")
_BLOCK = text("SELECT ids, rows FROM signature_block WHERE id = :id")


def _extend(
    store: Store, named: dict[str, str], sign: Sign, stamp: Stamp, tell: Callable[[float], None]
) -> None:
    """Sign the interactions that came after the last one that is signed, block by block."""
    done, total = 0, None
    while True:
        with store.read() as connection:
            after = _last(connection, named)
            if total is None:
                total = connection.execute(_COUNT, {"after": after}).scalar_one()
            ids = list(connection.execute(_NEXT, {"after": after, "limit": BLOCK}).scalars())
            if not ids:
                return
            rows = sign(connection, ids)
        with store.write() as connection:
            if _last(connection, named) == after:  # else another program was faster
                block = {"ids": np.array(ids, np.int64).tobytes(), "rows": rows.tobytes()}
                connection.execute(_APPEND, {**named, **block, **stamp._asdict()})
        done += len(ids)
        tell(min(1.0, done / total))


_COUNT = text("SELECT count(*) FROM interaction WHERE id > :after")
_NEXT = text("SELECT id FROM interaction WHERE id > :after ORDER BY id LIMIT :limit")
_APPEND = text(
    "INSERT INTO signature_block (kind, version, act_id, imported_id, ids, rows) "
    "VALUES (:kind, :version, :act, :imported, :ids, :rows)"
)


def _last(connection: Connection, named: dict[str, str]) -> int:
    """The last interaction that is signed, 0 before the first."""
    newest = text(f"SELECT ids FROM signature_block {_WHERE} ORDER BY id DESC LIMIT 1")
    ids = connection.execute(newest, named).scalar()
    return int(np.frombuffer(ids, np.int64)[-1]) if ids else 0


def _renew(store: Store, named: dict[str, str], sign: Sign) -> Stamp:
    """Sign anew, in their place, the interactions that were rewritten since they were signed.

    Gives how far all signatures are known to be current; the newest block tells how far they were.
    """
    with store.read() as connection:
        stamp = now(connection)
        newest = connection.execute(_NEWEST, named).one_or_none()
        if newest is None:
            return stamp
        rewritten = rewritten_since(connection, Stamp(newest.act_id, newest.imported_id))
        if not rewritten:
            return stamp
        changed = list(_renewed(connection, named, rewritten, sign))
    with store.write() as connection:
        for identity, rows in changed:
            connection.execute(
                text("UPDATE signature_block SET rows = :rows WHERE id = :id"),
                {"id": identity, "rows": rows},
            )
        connection.execute(_CURRENT, {**stamp._asdict(), "id": newest.id})
    return stamp


_NEWEST = text(
    f"SELECT id, act_id, imported_id FROM signature_block {_WHERE} ORDER BY id DESC LIMIT 1"
)
_CURRENT = text("UPDATE signature_block SET act_id = :act, imported_id = :imported WHERE id = :id")


def _renewed(
    connection: Connection, named: dict[str, str], rewritten: Sequence[int], sign: Sign
) -> Iterator[tuple[int, bytes]]:
    """The blocks that hold rewritten interactions: (id, rows with these signed anew)."""
    fresh = dict(zip(rewritten, sign(connection, rewritten), strict=True))
    blocks = connection.execute(text(f"SELECT id, ids FROM signature_block {_WHERE}"), named)
    for identity, ids in blocks.all():
        places = np.flatnonzero(np.isin(np.frombuffer(ids, np.int64), rewritten))
        if not len(places):
            continue
        stored = connection.execute(
            text("SELECT rows FROM signature_block WHERE id = :id"), {"id": identity}
        ).scalar_one()
        rows = np.frombuffer(stored, np.uint32).reshape(-1, ROW).copy()
        for place in places.tolist():
            rows[place] = fresh[int(np.frombuffer(ids, np.int64)[place])]
        yield identity, rows.tobytes()
