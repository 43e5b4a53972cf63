"""One act over many interactions: which are meant, what changes on each, the act's own summary.

All of it happens in SQL, in temporary tables of the writer's connection, so that an act over a
million interactions passes no id through Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Select, text

from db.act_rows import apply_items, insert_act
from db.errors import NotFound
from db.interactions import dumps, loads

ACT_NUMBERS_MAX = 20  # distinct values that an act's own summary lists

Selection = Sequence[int] | Select[int]


def change_all(
    connection: Connection,
    selection: Selection,
    actor: str,
    kind: str,
    value: object,
    expressions: Mapping[str, str],
    parameters: dict[str, object],
) -> tuple[list[int], int]:
    """Set columns of the selected interactions to SQL expressions over their row `i`, as one act.

    Returns the new act (none where nothing changes) and how many interactions it changed. Raises
    NotFound for an id that is not there.
    """
    _select(connection, selection)
    return _change(
        connection, "SELECT id FROM selected", actor, kind, value, expressions, parameters
    )


def change_each(
    connection: Connection,
    rows: Sequence[tuple[int, Mapping[str, object]]],
    actor: str,
    kind: str,
    value: object,
) -> tuple[list[int], int]:
    """Set the same columns of each interaction to values of its own, as one act.

    Returns what `change_all` does. An id that is not there changes nothing.
    """
    _empty_table(connection, "wanted", "id INTEGER PRIMARY KEY, after_json")
    connection.execute(
        text("INSERT INTO wanted VALUES (:id, :after)"),
        [{"id": identity, "after": dumps(values)} for identity, values in rows],
    )
    expressions = {
        name: f"(SELECT json_extract(w.after_json, '$.{name}') FROM temp.wanted w "
        "WHERE w.id = i.id)"
        for name in rows[0][1]
    }
    return _change(connection, "SELECT id FROM wanted", actor, kind, value, expressions, {})


def _select(connection: Connection, selection: Selection) -> None:
    """Put the selected ids into a temporary table. Raises NotFound for an id that is not there."""
    _empty_table(connection, "selected", "id INTEGER PRIMARY KEY")
    if isinstance(selection, Select):
        compiled = selection.compile(connection, compile_kwargs={"render_postcompile": True})
        connection.exec_driver_sql(
            f"INSERT INTO selected {compiled.string}",
            tuple(compiled.params[name] for name in compiled.positiontup or ()),
        )
        return
    if selection:
        connection.execute(
            text("INSERT OR IGNORE INTO selected SELECT value FROM json_each(:ids)"),
            {"ids": dumps(list(selection))},
        )
    missing = connection.execute(
        text("SELECT id FROM selected WHERE id NOT IN (SELECT id FROM interaction) LIMIT 1")
    ).scalar()
    if missing is not None:
        raise NotFound(f"no interaction {missing} in this store")


def _empty_table(connection: Connection, name: str, columns: str) -> None:
    """A table of this connection's own. It is made once: a new one makes SQLite parse all anew."""
    connection.execute(text(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({columns})"))
    connection.execute(text(f"DELETE FROM temp.{name}"))


def _change(
    connection: Connection,
    ids: str,
    actor: str,
    kind: str,
    value: object,
    expressions: Mapping[str, str],
    parameters: dict[str, object],
) -> tuple[list[int], int]:
    """Work out what changes, append the act and its items, then write the columns."""
    old = ", ".join(f"'{name}', i.{name}" for name in expressions)
    new = ", ".join(f"'{name}', {sql}" for name, sql in expressions.items())
    differs = " OR ".join(f"i.{name} IS NOT {sql}" for name, sql in expressions.items())
    _empty_table(connection, "changed", "id INTEGER PRIMARY KEY, before_json, after_json")
    connection.execute(
        text(
            f"INSERT INTO changed SELECT i.id, json_object({old}), json_object({new}) "
            f"FROM interaction i WHERE i.id IN ({ids}) AND ({differs})"
        ),
        parameters,
    )
    count = int(connection.execute(text("SELECT count(*) FROM changed")).scalar_one())
    if not count:
        return [], 0
    before, after = _summaries(connection, count, list(expressions))
    act = insert_act(connection, actor, kind, value, count, before, after)
    connection.execute(
        text(
            "INSERT INTO act_item (act_id, interaction_id, before_json, after_json) "
            "SELECT :act, id, before_json, after_json FROM changed"
        ),
        {"act": act},
    )
    apply_items(connection, act, "after_json")
    return [act], count


def _summaries(
    connection: Connection, count: int, names: list[str]
) -> tuple[dict[str, object], dict[str, object]]:
    """What the columns were and what they become, in an act's own words."""
    if count == 1:  # as most acts of a person: nothing has to be counted
        row = connection.execute(text("SELECT before_json, after_json FROM changed")).one()
        return loads(row.before_json), loads(row.after_json)
    return _summary(connection, "before_json", names), _summary(connection, "after_json", names)


def _summary(connection: Connection, side: str, names: list[str]) -> dict[str, object]:
    """One value where all agree, else how often each of the commonest occurs."""
    summary: dict[str, object] = {}
    for name in names:
        rows = connection.execute(
            text(
                f"SELECT json_extract({side}, '$.{name}') AS value, count(*) AS n FROM changed "
                "GROUP BY 1 ORDER BY 2 DESC LIMIT :limit"
            ),
            {"limit": ACT_NUMBERS_MAX},
        ).all()
        summary[name] = (
            rows[0].value
            if len(rows) == 1
            else {"null" if row.value is None else str(row.value): row.n for row in rows}
        )
    return summary
