"""The filter language of screens and commands, turned into SQL.

    agent:coder status:accepted success:false provider:-mock model:qwen* duration:>10s "free text"

Words are joined by *and*; `key:a,b` means either; `-key:value` and `key:-value` mean not; `*` is
a wildcard; numbers take `>`, `>=`, `<`, `<=` and `a..b`; `none` finds what has no value. Words
without a key are searched for in task and answer through the full-text index.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    TableClause,
    and_,
    column,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import sqlite

from db.errors import FilterError
from db.models.base import table
from db.models.interactions import INTERACTIONS, STATUSES, Source
from db.search import match_expression, typed_expression

_WORD = re.compile(
    r"""(?P<neg>-)?(?:(?P<key>[A-Za-z_]+):)?(?P<value>"(?:[^"\\]|\\.)*"|[^\s"]\S*|)""", re.VERBOSE
)
_NUMBER = re.compile(r"(?P<op>>=|<=|>|<|)(?P<number>\d+(?:\.\d+)?)(?P<unit>[a-z]*)$")
_RANGE = re.compile(r"(?P<low>\d+(?:\.\d+)?[a-z]*)\.\.(?P<high>\d+(?:\.\d+)?[a-z]*)$")
_DURATIONS = {"": 1, "ms": 1, "s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000}
_PLAIN = {"": 1, "k": 1_000}

TEXT_KEYS = {
    "agent": INTERACTIONS.c.agent,
    "provider": INTERACTIONS.c.provider,
    "model": INTERACTIONS.c.model,
    "stop": INTERACTIONS.c.stop_reason,
    "method": INTERACTIONS.c.agent_method,
    "verified": INTERACTIONS.c.verified,
    "task": INTERACTIONS.c.title,
    "note": INTERACTIONS.c.note,
    "error": INTERACTIONS.c.error,
    "secret": INTERACTIONS.c.secret_kinds,
}
NUMBER_KEYS = {
    "id": (INTERACTIONS.c.id, _PLAIN),
    "duration": (INTERACTIONS.c.duration_ms, _DURATIONS),
    "tokens": (INTERACTIONS.c.completion_tokens, _PLAIN),
    "prompt": (INTERACTIONS.c.prompt_tokens, _PLAIN),
    "tools": (INTERACTIONS.c.tool_calls, _PLAIN),
    "turns": (INTERACTIONS.c.turns, _PLAIN),
    "output": (INTERACTIONS.c.output_chars, _PLAIN),
    "cluster": (INTERACTIONS.c.cluster, _PLAIN),
    "problem": (INTERACTIONS.c.problem, _PLAIN),
    "confidence": (INTERACTIONS.c.agent_confidence, _PLAIN),
    "secrets": (INTERACTIONS.c.secrets, _PLAIN),
}
OTHER_KEYS = ("status", "success", "tag", "format", "since", "until")
KEYS = tuple(sorted((*TEXT_KEYS, *NUMBER_KEYS, *OTHER_KEYS)))

SORTS = {
    "id": INTERACTIONS.c.id,
    "started_at": INTERACTIONS.c.started_ms,
    "duration": INTERACTIONS.c.duration_ms,
    "tokens": INTERACTIONS.c.completion_tokens,
    "agent": INTERACTIONS.c.agent,
    "provider": INTERACTIONS.c.provider,
    "model": INTERACTIONS.c.model,
    "status": INTERACTIONS.c.status,
    "success": INTERACTIONS.c.success,
    "confidence": INTERACTIONS.c.agent_confidence,
    "task": INTERACTIONS.c.title,
    "cluster": INTERACTIONS.c.cluster,
    "problem": INTERACTIONS.c.problem,
}


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a filter and where it stands in the text."""

    key: str | None
    value: str
    negated: bool
    start: int
    end: int


def words_of(filter_text: str) -> list[Word]:
    """Split a filter into its words. Raises FilterError where a quote is not closed."""
    words: list[Word] = []
    position = 0
    while position < len(filter_text):
        if filter_text[position].isspace():
            position += 1
            continue
        found = _WORD.match(filter_text, position)
        if found is None or found.end() == position:
            raise FilterError("this quote is not closed", position, len(filter_text))
        raw = found["value"]
        if raw.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", raw[1:-1])
        elif '"' in raw:
            raise FilterError("a quote inside a word; quote the whole word", *found.span("value"))
        else:
            value = raw
        words.append(Word(found["key"], value, bool(found["neg"]), found.start(), found.end()))
        position = found.end()
    return words


def where(filter_text: str) -> ColumnElement[bool]:
    """The SQL condition of a filter; the empty filter holds for all. Raises FilterError."""
    conditions: list[ColumnElement[bool]] = []
    for word in words_of(filter_text):
        condition = _condition(word)
        conditions.append(not_(condition) if word.negated else condition)
    return and_(true(), *conditions)


def ids(filter_text: str) -> Select[int]:
    """A statement that selects the ids that a filter holds for."""
    return select(INTERACTIONS.c.id).where(where(filter_text))


def ordered(statement: Select[int], sort: str) -> Select[int]:
    """Order a statement by a sort key, `-key` for descending; ties by id. NULLs come last."""
    key = sort_key(sort)
    direction = key.desc() if sort.startswith("-") else key.asc()
    tie = INTERACTIONS.c.id.desc() if sort.startswith("-") else INTERACTIONS.c.id.asc()
    return statement.order_by(direction.nulls_last(), tie)


def sort_key(sort: str) -> ColumnElement[Any]:
    """The column of a sort key, with or without `-` before it. Raises FilterError."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise FilterError(
            f"cannot sort by {name!r}; sort by one of {', '.join(SORTS)}", 0, len(sort)
        )
    return SORTS[name]


def compiled(filter_text: str, search: str, sort: str) -> tuple[str, tuple[object, ...]]:
    """SQL for the driver, and its parameters: the ids that a filter and a search find, in order.

    `search` is what a person has typed so far: its words in any order, the last one perhaps
    unfinished. Raises FilterError.
    """
    expression = typed_expression(search)
    if expression is None:
        statement = ordered(ids(filter_text), sort)
    elif sort in ("id", "-id"):
        statement = _from_index(filter_text, expression, descending=sort == "-id")
    else:
        matches = INTERACTIONS.c.id.in_(_matching(expression))
        statement = ordered(ids(filter_text).where(matches), sort)
    sql = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    return str(sql), tuple(sql.params[name] for name in sql.positiontup or ())


def _condition(word: Word) -> ColumnElement[bool]:
    if word.key is None:
        return _full_text(word)
    key = word.key.lower()
    if key not in KEYS:
        raise FilterError(
            f"unknown filter key {word.key!r}; known are {', '.join(KEYS)} "
            "(to search for the text itself, quote it)",
            word.start,
            word.end,
        )
    if not word.value:
        raise FilterError(f"{key}: needs a value after the colon", word.start, word.end)
    alternatives: list[ColumnElement[bool]] = []
    excluded: list[ColumnElement[bool]] = []
    for value in word.value.split(","):
        if len(value) > 1 and value.startswith("-"):
            excluded.append(not_(_single(key, value[1:], word)))
        else:
            alternatives.append(_single(key, value, word))
    return and_(or_(*alternatives) if alternatives else true(), *excluded)


def _single(key: str, value: str, word: Word) -> ColumnElement[bool]:
    if key in TEXT_KEYS:
        return _text(TEXT_KEYS[key], value)
    if key in NUMBER_KEYS:
        number, units = NUMBER_KEYS[key]
        return _number(number, units, value, word)
    return _OTHERS[key](value, word)


def _text(field: ColumnElement[str], value: str) -> ColumnElement[bool]:
    """Equal without regard to case, `*` standing for anything; `none` for no value at all."""
    if value.lower() == "none":
        return field.is_(None)
    pattern = re.sub(r"([\\%_])", r"\\\1", value).replace("*", "%")
    return func.coalesce(field, "").ilike(pattern, escape="\\")


def _number(
    field: ColumnElement[int], units: dict[str, int], value: str, word: Word
) -> ColumnElement[bool]:
    if value.lower() == "none":
        return field.is_(None)
    span = _RANGE.match(value)
    if span:
        low = _amount(span["low"], units, word)[1]
        return func.coalesce(field.between(low, _amount(span["high"], units, word)[1]), false())
    operator, amount = _amount(value, units, word)
    comparison = {
        "": field == amount,
        ">": field > amount,
        ">=": field >= amount,
        "<": field < amount,
        "<=": field <= amount,
    }[operator]
    return func.coalesce(comparison, false())  # an unknown number compares with nothing


def _amount(value: str, units: dict[str, int], word: Word) -> tuple[str, float]:
    found = _NUMBER.match(value)
    if found is None or found["unit"] not in units:
        names = ", ".join(unit for unit in units if unit)
        raise FilterError(
            f"{value!r} is not a number for {word.key}; write for example {word.key}:>10"
            + (f" or with a unit ({names})" if names else ""),
            word.start,
            word.end,
        )
    return found["op"], float(found["number"]) * units[found["unit"]]


def _status(value: str, word: Word) -> ColumnElement[bool]:
    if value not in STATUSES:
        raise FilterError(
            f"no status {value!r}; there are {', '.join(STATUSES)}", word.start, word.end
        )
    return INTERACTIONS.c.status == value


def _success(value: str, word: Word) -> ColumnElement[bool]:
    known = {"true": True, "yes": True, "false": False, "no": False, "none": None}
    if value.lower() not in known:
        raise FilterError("success: takes true, false or none", word.start, word.end)
    return INTERACTIONS.c.success.is_(known[value.lower()])


def _tag(value: str, _word: Word) -> ColumnElement[bool]:
    each = func.json_each(INTERACTIONS.c.tags).table_valued("value")
    return exists(select(literal(1)).select_from(each).where(each.c.value == value))


def _format(value: str, _word: Word) -> ColumnElement[bool]:
    source = table(Source)
    return INTERACTIONS.c.source_id.in_(select(source.c.id).where(source.c.format == value))


def _since(value: str, word: Word) -> ColumnElement[bool]:
    return func.coalesce(INTERACTIONS.c.started_ms >= _moment(value, word), false())


def _until(value: str, word: Word) -> ColumnElement[bool]:
    return func.coalesce(INTERACTIONS.c.started_ms < _moment(value, word), false())


def _moment(value: str, word: Word) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise FilterError(
            f"{value!r} is not a date; write 2025-10-01 or 2025-10-01T08:30", word.start, word.end
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def _full_text(word: Word) -> ColumnElement[bool]:
    query = match_expression(word.value)
    if query is None:
        raise FilterError("nothing to search for in this word", word.start, word.end)
    return INTERACTIONS.c.id.in_(_matching(query))


def _from_index(filter_text: str, expression: str, *, descending: bool) -> Select[int]:
    """The index itself in its own order: the newest hits come before all are found."""
    index = TableClause("interaction_fts", column("rowid"))
    statement: Select[int] = select(index.c.rowid.label("id")).select_from(index)
    statement = statement.where(column("interaction_fts").op("MATCH")(expression))
    if filter_text.strip():
        statement = statement.join(INTERACTIONS, INTERACTIONS.c.id == index.c.rowid)
        statement = statement.where(where(filter_text))
    return statement.order_by(index.c.rowid.desc() if descending else index.c.rowid.asc())


def _matching(expression: str) -> Select[int]:
    index: Select[int] = select(column("rowid")).select_from(TableClause("interaction_fts"))
    matches: ColumnElement[bool] = column("interaction_fts").op("MATCH")(expression)
    return index.where(matches)


_OTHERS: dict[str, Callable[[str, Word], ColumnElement[bool]]] = {
    "status": _status,
    "success": _success,
    "tag": _tag,
    "format": _format,
    "since": _since,
    "until": _until,
}
