"""Logs without tool definitions can be trained on: definitions are given, or read off the calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import BadInput
from exports.tool_definitions import infer_tools, read_tools

NAMES = st.sampled_from(["Read", "Edit", "Bash"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=4,
)
ARGUMENTS = st.dictionaries(st.sampled_from(["path", "text", "n"]), VALUES)


def called(*calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A message with these calls."""
    functions = [{"function": {"name": name, "arguments": values}} for name, values in calls]
    return [{"role": "assistant", "content": "", "tool_calls": functions}]


@given(calls=st.lists(st.tuples(NAMES, ARGUMENTS), max_size=8))
def test_every_call_fits_the_definition_that_was_read_off_the_calls(
    calls: list[tuple[str, dict[str, Any]]],
) -> None:
    tools = {tool["function"]["name"]: tool["function"] for tool in infer_tools([called(*calls)])}
    assert list(tools) == sorted({name for name, _ in calls})
    for name, arguments in calls:
        jsonschema.validate(arguments, tools[name]["parameters"])


def test_what_every_call_gave_is_required_and_types_are_told() -> None:
    (tool,) = infer_tools(
        [
            called(("Read", {"path": "a", "limit": 3})),
            called(("Read", {"path": "b", "limit": 2.5, "all": True})),
        ]
    )
    parameters = tool["function"]["parameters"]
    assert parameters["required"] == ["limit", "path"]
    assert parameters["properties"] == {
        "all": {"type": "boolean"}, "limit": {"type": "number"}, "path": {"type": "string"},
    }  # fmt: skip
    assert "nferred" in tool["function"]["description"]


def test_definitions_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "tools.json"
    path.write_text(json.dumps([{"name": "Read"}, {"function": {"name": "Bash"}}]))
    assert [tool["function"]["name"] for tool in read_tools(path)] == ["Read", "Bash"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[", "cannot be read"),
        ("{}", "a JSON list"),
        ('[{"parameters": {}}]', "tool 1 has no name"),
        ('[{"name": "f", "parameters": 3}]', "parameters of tool 1"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "tools.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=says) as caught:
        read_tools(path)
    assert str(path) in str(caught.value)
