"""What the store knows about the files that were imported."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from db.store import now_ms
from studio.collect.log import Log, Rejected

_FIND = text("SELECT id, state, imported FROM source WHERE sha256 = :sha256 AND format = :format")
_BEGIN = text(
    "INSERT INTO source (path, format, sha256, bytes, state, imported, rejected, imported_ms) "
    "VALUES (:path, :format, :sha256, :bytes, 'importing', 0, 0, :now) "
    "ON CONFLICT (sha256, format) DO UPDATE SET path = :path, imported = 0 RETURNING id"
)
_REJECT = text(
    "INSERT INTO rejection (source_id, line, reason) VALUES (:source, :line, :reason) "
    "ON CONFLICT (source_id, line) DO UPDATE SET reason = excluded.reason"
)
_ADVANCE = text(
    "UPDATE source SET imported = :rows, rejected = "
    "(SELECT count(*) FROM rejection WHERE source_id = :id), state = :state WHERE id = :id"
)


@dataclass(frozen=True, slots=True)
class Finished:
    """An earlier import of the same bytes: how many rows they hold, and which lines were not."""

    rows: int
    rejected: list[Rejected]


def finished(connection: Connection, log: Log, format_name: str, sha256: str) -> Finished | None:
    """What an earlier import of these bytes found, if one came to its end."""
    row = connection.execute(_FIND, {"sha256": sha256, "format": format_name}).one_or_none()
    if row is None or row.state != "complete":
        return None
    rejections = connection.execute(
        text("SELECT line, reason FROM rejection WHERE source_id = :id ORDER BY line"),
        {"id": row.id},
    )
    return Finished(row.imported, [log.rejected(line, reason) for line, reason in rejections])


def begin(connection: Connection, log: Log, format_name: str, sha256: str) -> int:
    """The id of the file's row, new or left by an import that did not come to its end."""
    values = {"path": log.name, "format": format_name, "sha256": sha256, "bytes": log.size}
    source_id = int(connection.execute(_BEGIN, {**values, "now": now_ms()}).scalar_one())
    connection.execute(text("DELETE FROM rejection WHERE source_id = :id"), {"id": source_id})
    return source_id


def advance(
    connection: Connection, source_id: int, rows: int, rejected: dict[int, str], *, complete: bool
) -> None:
    """Note how many rows were read so far, and the lines that were rejected, with the reasons."""
    if rejected:
        connection.execute(
            _REJECT,
            [{"source": source_id, "line": n, "reason": why} for n, why in rejected.items()],
        )
    state = "complete" if complete else "importing"
    connection.execute(_ADVANCE, {"id": source_id, "rows": rows, "state": state})
