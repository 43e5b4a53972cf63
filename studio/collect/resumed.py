"""Sessions that were resumed or forked: a log that begins with a copy of another's lines.

The copy has a name of its own, but the times of the first. Of two sessions that began in the same
millisecond, one of which repeats the other's messages from the first to the last, only the longer
one is kept, whichever is imported first; the name of the other is remembered, so that its
subagents find their parent. Sessions that part on the way are branches, and each is kept whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, text

from db.interactions import Message, Record, dumps, loads

_HEAD = 64  # characters, which tell most sessions of one millisecond apart unread
_ASKED = '[{"role":"user",'
_STARTED = text(
    f"SELECT i.id, i.external_id, i.started_ms, substr(b.messages, 1, {_HEAD}) AS head "
    "FROM interaction i JOIN interaction_body b ON b.id = i.id WHERE i.started_ms IN :times"
).bindparams(bindparam("times", expanding=True))
_MESSAGES = text("SELECT messages FROM interaction_body WHERE id = :id")
_RENAME = text("UPDATE interaction SET external_id = :name WHERE id = :id")
_FORGET = text("DELETE FROM repeated_session WHERE external_id IN :names").bindparams(
    bindparam("names", expanding=True)
)
_REMEMBER = text(
    "INSERT INTO repeated_session (external_id, interaction_id) "
    "SELECT :name, id FROM interaction WHERE external_id = :longer "
    "ON CONFLICT (external_id) DO UPDATE SET interaction_id = excluded.interaction_id"
)
_Family = tuple[str, int]  # a format, and when it began


@dataclass(slots=True, eq=False)
class _Session:
    name: str
    messages: Sequence[Message]
    id: int | None = None  # of its row, when it has one


@dataclass(slots=True)
class Resumed:
    """What some new records are to others and to stored ones, by the records' names.

    `repeated`: the name of the longer session that makes it needless. `replaced`: the row, and its
    name, of the shorter session that it takes the place of.
    """

    repeated: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, tuple[int, str]] = field(default_factory=dict)


def resumed(
    connection: Connection,
    new: Iterable[Record],
    edited: Callable[[Collection[int]], Collection[int]],
) -> Resumed:
    """Which new records repeat, or are repeated by, one another or a stored session.

    `edited` tells which rows a person changed: nothing takes the place of those.
    """
    families: defaultdict[_Family, list[_Session]] = defaultdict(list)
    for record in new:
        if record.resumable and record.started_ms is not None:
            one = _Session(record.external_id, record.messages)
            families[_family(one.name, record.started_ms)].append(one)
    found = Resumed()
    if not families:
        return found
    times = {started for _, started in families}
    rows = connection.execute(_STARTED, {"times": list(times)}).mappings().all()
    stored: defaultdict[_Family, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        stored[_family(row["external_id"], row["started_ms"])].append(dict(row))
    for family, sessions in families.items():
        heads = [f"[{dumps(one.messages[0])}"[:_HEAD] if one.messages else "" for one in sessions]
        known = [_read(connection, row) for row in stored[family] if _may_share(row, heads)]
        kept = edited([one.id for one in known if one.id is not None]) if known else ()
        _compare(found, sessions, known, kept)
    return found


def remember(connection: Connection, found: Resumed, new: Iterable[Record]) -> None:
    """Rename the rows whose place was taken, and keep the names of sessions without a row."""
    own = [record.external_id for record in new if record.resumable]
    own = [name for name in own if name not in found.repeated]
    if own:
        connection.execute(_FORGET, {"names": own})
    for name, (identity, _) in found.replaced.items():
        connection.execute(_RENAME, {"name": name, "id": identity})
    longer = found.repeated | {before: name for name, (_, before) in found.replaced.items()}
    for name, by in longer.items():
        connection.execute(_REMEMBER, {"name": name, "longer": by})


def _compare(
    found: Resumed, new: list[_Session], known: list[_Session], edited: Collection[int]
) -> None:
    """Sort out the sessions that began at one moment."""
    for one in new:
        longer = [other for other in (*new, *known) if _repeats(other, one)]
        longest = [o for o in longer if not any(_repeats(other, o) for other in longer)]
        if longest:
            found.repeated[one.name] = min(other.name for other in longest)
    taken = set(edited)
    for one in sorted(new, key=lambda session: session.name):
        for other in known if one.name not in found.repeated else ():
            if other.id is not None and other.id not in taken and _repeats(one, other):
                found.replaced[one.name] = (other.id, other.name)
                taken.add(other.id)
                break


def _repeats(longer: _Session, one: _Session) -> bool:
    """Whether the first of two sessions repeats the other; of two equal ones, the first by name."""
    if longer is one or len(one.messages) > len(longer.messages):
        return False
    if not all(map(_begins, longer.messages, one.messages)):
        return False
    equal = list(longer.messages) == list(one.messages)
    return longer.name < one.name if equal else True


def _begins(message: Message, part: Message) -> bool:
    """Whether a message is the other one, or a reply of which more was logged since."""
    if message == part:
        return True
    if message["role"] != "assistant" or part["role"] != "assistant":
        return False
    calls = part.get("tool_calls") or []
    return (
        message["content"].startswith(part["content"])
        and message.get("reasoning_content", "").startswith(part.get("reasoning_content", ""))
        and (message.get("tool_calls") or [])[: len(calls)] == calls
    )


def _may_share(row: Mapping[str, Any], heads: Iterable[str]) -> bool:
    """Whether a row's first message may be that of a session that begins so."""
    told = str(row["head"])
    return not told.startswith(_ASKED) or any(told.startswith(head) for head in heads)


def _read(connection: Connection, row: Mapping[str, Any]) -> _Session:
    stored = connection.execute(_MESSAGES, {"id": row["id"]}).scalar_one()
    return _Session(row["external_id"], loads(stored), row["id"])


def _family(name: str, started_ms: int) -> _Family:
    return name.partition(":")[0], started_ms
