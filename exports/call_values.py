"""From a JSON object or an XML parameter to a call: right keys, old keys, types by the schema."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exports.json_fragments import decode_once

NAME_KEYS = ("tool", "tool_name", "function", "function_name", "method", "action")
ARGUMENT_KEYS = ("arguments", "args", "parameters", "params", "input", "action_input", "kwargs")

Offered = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool. `arguments` is always an object."""

    name: str
    arguments: dict[str, Any]


@dataclass(slots=True)
class Attempt:
    """One attempted call: the format it came in, what came of it, and what was wrong.

    `exact` means written just as the template writes it.
    """

    format: str
    call: Call | None = None
    legacy: Call | None = None
    problems: list[str] = field(default_factory=list)
    exact: bool = False


def offered_tools(tools: Sequence[Any] | None) -> dict[str, dict[str, Any]] | None:
    """Name -> parameter schema of tools in OpenAI form, bare function objects, or plain names."""
    if tools is None:
        return None
    offered: dict[str, dict[str, Any]] = {}
    for tool in tools:
        if isinstance(tool, str):
            offered[tool] = {}
            continue
        if not isinstance(tool, Mapping):
            continue
        function = tool.get("function", tool)
        if isinstance(function, Mapping) and isinstance(function.get("name"), str):
            schema = function.get("parameters")
            offered[function["name"]] = dict(schema) if isinstance(schema, Mapping) else {}
    return offered


def read_value(
    value: Any, format_name: str, offered: Offered | None, *, repaired: bool, explicit: bool
) -> Attempt | None:
    """What a JSON value is as a call; None when it is a piece of data.

    `explicit`: it stands in a tag that says it is a call. `offered` None: every name counts.
    """
    attempt = Attempt(format_name, problems=["repaired_json"] if repaired else [])
    if not isinstance(value, dict):
        attempt.problems.append("json")
        return attempt if explicit else None
    name = value.get("name")
    wrong = not isinstance(name, str) or (
        "arguments" not in value and any(key in value for key in ARGUMENT_KEYS)
    )
    if wrong or not isinstance(name, str):
        attempt.legacy = legacy_call(value)
        attempt.problems.append("wrong_keys")
        return attempt if explicit or attempt.legacy else None
    known = offered is not None and name in offered
    if "arguments" not in value and not (explicit or known):
        return None
    _right_keys(attempt, name, value, offered=known or offered is None)
    return attempt


def _right_keys(attempt: Attempt, name: str, value: Mapping[str, Any], *, offered: bool) -> None:
    arguments = value.get("arguments")
    if arguments is None:
        arguments = {}
        attempt.problems.append("repaired_json")
    elif isinstance(arguments, str):
        arguments = decode_once(arguments)
        attempt.problems.append("string_arguments")
    elif not isinstance(arguments, dict):
        attempt.problems.append("json")
    if not offered:
        attempt.problems.append("unknown_tool")
    elif isinstance(arguments, dict):
        attempt.call = Call(name, arguments)
        attempt.exact = set(value) == {"name", "arguments"}


def is_signature(value: Any) -> bool:
    """A tool's description, echoed: it has a JSON schema where a call has arguments."""
    if not isinstance(value, dict):
        return False
    function = value.get("function", value)
    schema = function.get("parameters") if isinstance(function, dict) else None
    return isinstance(schema, dict) and "properties" in schema


def legacy_call(value: Mapping[str, Any]) -> Call | None:
    """What a call in other keys meant: `{"tool": …, "args": …}`, `{"method": …}`, nested forms."""
    inner = value.get("function")
    if isinstance(inner, Mapping):
        return legacy_call({**inner, "function": None})
    name = next((value[key] for key in (*NAME_KEYS, "name") if isinstance(value.get(key), str)), "")
    arguments: Any = next((value[key] for key in ARGUMENT_KEYS if key in value), {})
    if isinstance(arguments, str):
        arguments = decode_once(arguments)
    return Call(name, arguments) if name and isinstance(arguments, dict) else None


def unquoted(name: str, known: Container[str] | None) -> str:
    """Without the quotes around it, if that name is known (or none is)."""
    bare = name[1:-1] if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'" else name
    return bare if known is None or bare in known else name


def own_lines(value: str) -> str:
    """A parameter's value without the line ends that its tags stand on."""
    for end in ("\r\n", "\n"):
        if value.startswith(end):
            value = value[len(end) :]
            break
    return value.removesuffix("\r\n") if value.endswith("\r\n") else value.removesuffix("\n")


def typed(value: str, schema: Any, root: Mapping[str, Any] | None = None) -> Any:
    """An XML parameter's value by its JSON schema; text where the schema says text or nothing.

    `root` is the schema that a `$ref` in it points into.
    """
    types = _types(schema, root or {})
    if not types or types <= {"string"}:
        return value
    stripped = value.strip()
    if "boolean" in types and stripped.lower() in ("true", "false"):
        return stripped.lower() == "true"
    if "null" in types and stripped.lower() in ("null", "none"):
        return None
    decoded = decode_once(stripped)
    if decoded is None or ("string" in types and not _fits(decoded, types)):
        return value
    return decoded


_ALIASES = {
    "str": "string", "text": "string", "int": "integer", "long": "integer", "float": "number",
    "double": "number", "bool": "boolean", "list": "array", "tuple": "array", "dict": "object",
    "map": "object", "none": "null",
}  # fmt: skip
_KINDS: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}
_CHOICES = ("anyOf", "oneOf", "allOf")
_DEEPEST = 8  # schemas inside of schemas; a `$ref` may point to itself


def _fits(value: Any, types: set[str]) -> bool:
    is_number = not isinstance(value, bool)
    return any(isinstance(value, _KINDS.get(name, ())) for name in types) and is_number


def _types(schema: Any, root: Mapping[str, Any], depth: int = 0) -> set[str]:
    """The type names that a JSON schema allows; empty when it does not say."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return set()
    named = schema.get("type")
    listed = named if isinstance(named, list) else [named]
    types = {_type_name(name) for name in listed if isinstance(name, str)}
    if isinstance(schema.get("$ref"), str):
        types |= _types(_pointed_at(schema["$ref"], root), root, depth + 1)
    for key in _CHOICES:
        options = schema.get(key)
        for option in options if isinstance(options, list) else ():
            types |= _types(option, root, depth + 1)
    if not types:
        types = _types_of_values(schema)
    return types | ({"null"} if types and schema.get("nullable") is True else set())


def _type_name(name: str) -> str:
    folded = name.lower()
    return _ALIASES.get(folded, folded)


def _types_of_values(schema: Mapping[str, Any]) -> set[str]:
    """By the values of `enum` or `const`, where no type is named."""
    enum = schema.get("enum")
    values = enum if isinstance(enum, list) else [schema["const"]] if "const" in schema else []
    if not values:
        return set()
    return {"string"} if all(isinstance(value, str) for value in values) else {"any"}


def _pointed_at(reference: str, root: Mapping[str, Any]) -> Any:
    """What `#/$defs/Name` stands for."""
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if found else None
        if not isinstance(found, Mapping):
            return None
    return found
