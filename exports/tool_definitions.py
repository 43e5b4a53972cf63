"""Tool definitions for conversations whose log holds none, as those of Claude Code and Codex.

They are given in a file, or read off the calls: an inferred definition has the tool's name, a
property for each argument that was ever given, with the JSON types that its values had, and
requires what every call gave. What a tool does is not in such a log, so its description says that
it was inferred.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select

from db import filters
from db.errors import BadInput
from db.interactions import loads
from db.models.base import table
from db.models.interactions import BODIES, INTERACTIONS, Source
from db.store import Store
from exports.call_values import Call
from exports.conversation import Message, Tool, calls_of

INFERRED = "inferred"
DESCRIPTION = "Inferred from its calls."


def infer_tools(conversations: Iterable[Sequence[Message]]) -> list[Tool]:
    """A definition of every tool that is called, by name; the order of the calls does not count."""
    calls: dict[str, list[Call]] = {}
    for messages in conversations:
        for message in messages:
            for call in calls_of(message):
                calls.setdefault(call.name, []).append(call)
    return [_definition(name, made) for name, made in sorted(calls.items())]


def tools_by_format(store: Store, where: str, given: str | None) -> dict[str, list[Tool]]:
    """What the conversations of each format were offered, where its logs hold calls and no tools.

    `given` is `inferred`, a file, or None for leaving such conversations out.
    """
    if given is None:
        return {}
    from_file = None if given == INFERRED else read_tools(Path(given))
    sources = table(Source)
    statement: Select[Any] = (
        select(sources.c.format, BODIES.c.messages)
        .join_from(INTERACTIONS, BODIES, INTERACTIONS.c.id == BODIES.c.id)
        .join(sources, INTERACTIONS.c.source_id == sources.c.id)
        .where(filters.where(where), BODIES.c.tools.is_(None), INTERACTIONS.c.tool_calls > 0)
    )
    called: dict[str, list[Sequence[Message]]] = {}
    with store.read() as connection:
        for name, messages in connection.execute(statement):
            called.setdefault(name, []).append([m for m in loads(messages) if calls_of(m)])
    return {name: from_file or infer_tools(turns) for name, turns in called.items()}


def _definition(name: str, calls: Sequence[Call]) -> Tool:
    types: dict[str, set[str]] = {}
    for call in calls:
        for key, value in call.arguments.items():
            types.setdefault(key, set()).add(_json_type(value))
    properties = {key: {"type": _one_or_more(seen)} for key, seen in sorted(types.items())}
    required = [key for key in properties if all(key in call.arguments for call in calls)]
    parameters = {"type": "object", "properties": properties, "required": required}
    function = {"name": name, "description": DESCRIPTION, "parameters": parameters}
    return {"type": "function", "function": function}


def _one_or_more(types: set[str]) -> str | list[str]:
    if {"integer", "number"} <= types:
        types = types - {"integer"}
    ordered = sorted(types)
    return ordered[0] if len(ordered) == 1 else ordered


def _json_type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def read_tools(path: Path) -> list[Tool]:
    """Definitions from a JSON file: a list of them in OpenAI's form, with or without `function`.

    Raises BadInput with what is wrong.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise BadInput(f"{path}: the tool definitions cannot be read: {error}") from error
    listed = found.get("tools") if isinstance(found, dict) else found
    if not isinstance(listed, list) or not listed:
        raise BadInput(f"{path}: tool definitions are a JSON list of OpenAI tools")
    return [_checked(path, number, tool) for number, tool in enumerate(listed, 1)]


def _checked(path: Path, number: int, tool: Any) -> Tool:
    function = tool.get("function", tool) if isinstance(tool, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise BadInput(f"{path}: tool {number} has no name")
    parameters = function.get("parameters", {"type": "object", "properties": {}})
    if not isinstance(parameters, dict):
        raise BadInput(f"{path}: the parameters of tool {number} are no JSON schema")
    return {"type": "function", "function": {**function, "parameters": parameters}}
