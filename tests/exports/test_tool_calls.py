"""Every form in which models emit calls is read, named, and never guessed silently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.parser import CALL, PIECES, XML, fuzzed_texts
from exports.call_values import Call
from exports.tool_calls import FORMATS, PROBLEMS, Parse, parse, render_call, render_legacy_call


def tool(name: str, **properties: dict[str, Any]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [
    tool(
        "find",
        city={"type": "string"},
        days={"type": "integer"},
        tags={"type": "array"},
        exact={"type": "boolean"},
        limit={"anyOf": [{"type": "integer"}, {"type": "null"}]},
    ),
    tool("stop"),
]
DAYS = [Call("find", {"days": 2})]


def summary(found: Parse) -> tuple[list[Call], str | None, bool, list[str]]:
    return found.calls, found.format, found.strict, found.problems


# text -> calls, format, strict, problems; each a row of the list of malformed calls or its like
CASES: dict[str, tuple[str, list[Call], str | None, bool, list[str]]] = {
    "the template": (f"<tool_call>\n{CALL}\n</tool_call>", DAYS, "tags", True, []),
    "text, then several calls without newlines": (
        f"Let me see.<tool_call>{CALL}</tool_call><tool_call>{CALL}</tool_call>",
        DAYS * 2, "tags", True, [],
    ),
    "a json fence": (f"```json\n{CALL}\n```", DAYS, "json_fence", False, []),
    "a fence without a language": (f"```\n{CALL}\n```", DAYS, "json_fence", False, []),
    "xml": (f"<tool_call>\n{XML}\n</tool_call>", DAYS, "xml", False, []),
    "xml without its opening tag": (XML + "\n</tool_call>", DAYS, "broken_xml", False,
                                    ["no_open_tag"]),
    "xml without its opening tag, after prose": (
        f"I will look.\n{XML}", DAYS, "broken_xml", False, ["no_open_tag"]),
    "bare json": (CALL, DAYS, "bare_json", False, []),
    "bare json in prose": (f"So: {CALL} and done", DAYS, "bare_json", False, []),
    "a tools block": (f"<tools>\n{CALL}\n</tools>", DAYS, "tools_tag", False, []),
    "no closing tag at the end": (f"<tool_call>\n{CALL}", DAYS, "tags", False, ["unclosed"]),
    "no closing tag, and a brace missing": (
        f"<tool_call>\n{CALL[:-1]}", [], "tags", False, ["unclosed", "json"]),
    "cut inside of a string": (
        '<tool_call>\n{"name": "find", "arguments": {"city": "Lon', [], "tags", False,
        ["unclosed", "truncated"]),
    "cut after the tag": ("<tool_call>\n", [], "tags", False, ["unclosed", "truncated"]),
    "arguments as a string": (
        '<tool_call>{"name": "find", "arguments": "{\\"days\\": 2}"}</tool_call>', DAYS, "tags",
        False, ["string_arguments"]),
    "arguments as another string": (
        '<tool_call>{"name": "find", "arguments": "two days"}</tool_call>', [], "tags", False,
        ["string_arguments"]),
    "a malformed closing after a lone name": (
        "<tool_call>find/tool_call>", [], "tags", False, ["unclosed", "json"]),
    "an object that never ends before its tag": (
        '<tool_call>{"type":"function"</tool_call>', [], "tags", False, ["json"]),
    "an unclosed parameter": (
        "<tool_call><function=find><parameter=days>2<parameter=city>Rome</parameter></function>"
        "</tool_call>", [Call("find", {"days": 2, "city": "Rome"})], "xml", False,
        ["no_close_tag"]),
    "a parameter closed by the function": (
        "<tool_call><function=find><parameter=days>2</function></tool_call>", DAYS, "xml", False,
        ["no_close_tag"]),
    "no end of the function": (
        "<tool_call><function=find><parameter=days>2</parameter></tool_call>", DAYS, "xml", False,
        ["no_close_tag"]),
    "a parameter without its bracket": (
        "<tool_call><function=find><parameter=city\nRome\n</parameter><parameter=days>2"
        "</parameter></function></tool_call>", DAYS, "xml", False, ["dropped_parameter"]),
    "angle brackets in a value": (
        '<tool_call><function=find><parameter=city>\nls && echo "a > b and a < b"\n</parameter>'
        "</function></tool_call>", [Call("find", {"city": 'ls && echo "a > b and a < b"'})],
        "xml", False, []),
    "lists, booleans and nulls by the schema": (
        '<tool_call><function=find><parameter=tags>["a", 1]</parameter><parameter=exact>True'
        "</parameter><parameter=limit>null</parameter><parameter=city>12</parameter></function>"
        "</tool_call>",
        [Call("find", {"tags": ["a", 1], "exact": True, "limit": None, "city": "12"})],
        "xml", False, []),
    "a quoted function name": (
        '<tool_call><function="find"><parameter=days>2</parameter></function></tool_call>', DAYS,
        "xml", False, []),
    "a tool that was not offered": (
        '<tool_call>{"name": "fly", "arguments": {}}</tool_call>', [], "tags", False,
        ["unknown_tool"]),
    "bare json of a tool that was not offered": (
        '{"name": "fly", "arguments": {}}', [], None, False, ["unknown_tool"]),
    "data first, then a real call": (f'{{"x": 1}} {CALL}', DAYS, "bare_json", False, []),
    "the old template": (
        render_legacy_call("find", {"days": 2}), [], "json_fence", False, ["wrong_keys"]),
    "method for name": (
        '{"method": "find", "params": {"days": 2}}', [], None, False, ["wrong_keys"]),
    "a call told in prose": (
        'Tool call: {"type":"function","function":{"name":"find","arguments":{"days":2}}}', [],
        None, False, ["prose"]),
    "a call told without json": ("Tool call: find(days=2)", [], None, False, ["prose"]),
    "inside of a python fence": (f"```python\nx = {CALL}\n```", [], None, False, []),
    "inside of thinking": (
        f"<think>maybe <tool_call>{CALL}</tool_call></think>No.", [], None, False, []),
    "thinking that the prompt opened": (
        f"hm {CALL}</think><tool_call>{CALL}</tool_call>", DAYS, "tags", True, []),
    "arguments before name, tags and braces in strings": (
        '<tool_call>{"arguments": {"city": "}{\\"</tool_call>"}, "name": "find"}</tool_call>',
        [Call("find", {"city": '}{"</tool_call>'})], "tags", True, []),
    "trailing commas": (
        '<tool_call>{"name": "find", "arguments": {"days": 2,},}</tool_call>', DAYS, "tags",
        False, ["repaired_json"]),
    "a raw line break in a string": (
        '<tool_call>{"name": "find", "arguments": {"city": "a\nb"}}</tool_call>',
        [Call("find", {"city": "a\nb"})], "tags", False, ["repaired_json"]),
    "a bracket too many": (
        f"<tool_call>{CALL}}}</tool_call>", DAYS, "tags", False, ["repaired_json"]),
    "several in one array": (
        f"<tool_call>[{CALL}, {CALL}]</tool_call>", DAYS * 2, "tags", False, []),
    "the tags in a fence": (
        f"```xml\n<tool_call>{CALL}</tool_call>\n```\n<tool_call>{CALL}</tool_call>", DAYS * 2,
        "tags", True, []),
    "an explicit call beside json that explains it": (
        f"```json\n{CALL}\n```\n<tool_call>{CALL}</tool_call>", DAYS, "tags", True, []),
    "code in an argument": (
        '{"name": "find", "arguments": {"city": "```python\\nx\\n```"}}',
        [Call("find", {"city": "```python\nx\n```"})], "bare_json", False, []),
    "a closing tag that nothing opened": (
        f"{CALL}\n</tool_call>", DAYS, "tags", False, ["no_open_tag"]),
    "a key twice, of which the last counts": (
        '<tool_call>{"name": "find", "arguments": {"days": 1, "days": 2}}</tool_call>', DAYS,
        "tags", False, ["repaired_json"]),
    "escapes that stand for braces and for characters outside of the first plane": (
        '<tool_call>{"name": "find", "arguments": {"city": "\\u007d \\ud83d\\ude00"}}</tool_call>',
        [Call("find", {"city": "} 😀"})], "tags", True, []),
    "lines that end as on Windows": (
        f"<tool_call>\n{XML}\n</tool_call>".replace("\n", "\r\n"), DAYS, "xml", False, []),
    "a fence with lines that end as on Windows": (
        f"```json\r\n{CALL}\r\n```", DAYS, "json_fence", False, []),
    "several fences, one of them data": (
        f'```json\n{{"x": 1}}\n```\n```json\n{CALL}\n```\n```json\n{CALL}\n```', DAYS * 2,
        "json_fence", False, []),
    "a quoted parameter": (
        '<tool_call><function=find><parameter="days">2</parameter></function></tool_call>', DAYS,
        "xml", False, []),
    "arguments as a list": (
        '<tool_call>{"name": "find", "arguments": [2]}</tool_call>', [], "tags", False, ["json"]),
    "arguments as a number": (
        '<tool_call>{"name": "find", "arguments": 2}</tool_call>', [], "tags", False, ["json"]),
    "arguments as null": (
        '<tool_call>{"name": "find", "arguments": null}</tool_call>', [Call("find", {})], "tags",
        False, ["repaired_json"]),
    "arguments as a string that holds a list": (
        '<tool_call>{"name": "find", "arguments": "[2]"}</tool_call>', [], "tags", False,
        ["string_arguments"]),
    "tags, then xml in tags": (
        f"<tool_call>{CALL}</tool_call><tool_call>{XML}</tool_call>", DAYS * 2, "tags", False, []),
    "inside of another thinking tag": (
        f"<thinking>{CALL}</thinking> No.", [], None, False, []),
    "thinking that never ends": (
        f"<think>so <tool_call>{CALL}</tool_call>", [], None, False, []),
    "a tool's description, echoed": (
        f"<tools>\n{json.dumps(TOOLS[0])}\n</tools>", [], None, False, []),
    "NaN is no JSON": (
        '<tool_call>{"name": "find", "arguments": {"days": NaN}}</tool_call>', [], "tags", False,
        ["json"]),
    "plain text": ("It is sunny in {Rome}, 20% \"rain\".", [], None, False, []),
    "data with a name": ('{"name": "Ada", "born": 1815}', [], None, False, []),
    "nothing": ("", [], None, False, []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_form_is_read_and_named(case: str) -> None:
    text, *expected = CASES[case]
    assert list(summary(parse(text, TOOLS))) == expected


@pytest.mark.parametrize(
    ("schema", "written", "meant"),
    [
        ({"type": "string"}, "12", "12"),
        ({"type": "integer"}, " 12 ", 12),
        ({"type": "integer"}, "twelve", "twelve"),
        ({"type": "number"}, "1.5e3", 1500.0),
        ({"type": "boolean"}, "False", False),
        ({"type": "array", "items": {"type": "integer"}}, "[1,\n 2]", [1, 2]),
        ({"type": "object"}, '{"a": {"b": []}}', {"a": {"b": []}}),
        ({"type": ["integer", "null"]}, "null", None),
        ({"type": "integer", "nullable": True}, "None", None),
        ({"type": ["string", "null"]}, "12", "12"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "12", 12),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "12a", "12a"),
        ({"oneOf": [{"type": "array"}, {"type": "object"}]}, "[]", []),
        ({"allOf": [{"type": "integer"}, {"minimum": 1}]}, "3", 3),
        ({"$ref": "#/$defs/Count"}, "3", 3),
        ({"$ref": "#/$defs/Loop"}, "3", "3"),
        ({"$ref": "#/$defs/Missing"}, "3", "3"),
        ({"enum": ["1", "2"]}, "1", "1"),
        ({"enum": [1, 2]}, "1", 1),
        ({"type": "string", "enum": ["true", "false"]}, "true", "true"),
        ({"const": 5}, "5", 5),
        ({"type": "String"}, "5", "5"),
        ({"type": "dict"}, "{}", {}),
        ({"type": "float"}, "2", 2),
        ({}, "5", "5"),
        (True, "5", "5"),
    ],
)
def test_a_parameter_has_the_type_of_its_schema(schema: Any, written: str, meant: Any) -> None:
    offered = tool("f", value=schema)
    definitions = {"Count": {"type": "integer"}, "Loop": {"$ref": "#/$defs/Loop"}}
    offered["function"]["parameters"]["$defs"] = definitions
    text = (
        f"<tool_call><function=f><parameter=value>\n{written}\n</parameter></function></tool_call>"
    )
    (call,) = parse(text, [offered]).calls
    assert call.arguments == {"value": meant}
    assert type(call.arguments["value"]) is type(meant)


def test_a_legacy_call_tells_what_it_meant() -> None:
    for text in (
        '```json\n{"tool": "find", "args": {"days": 2}}\n```',
        '{"tool": "find", "arguments": {"days": 2}}',
        '<tool_call>{"type":"function","function":{"name":"find","arguments":"{\\"days\\":2}"}}'
        "</tool_call>",
    ):
        found = parse(text, TOOLS)
        assert (found.calls, found.legacy) == ([], DAYS)


def test_the_text_around_calls_is_kept() -> None:
    assert parse(f"Before. <tool_call>{CALL}</tool_call> After.", TOOLS).text == "Before.  After."


def test_without_tools_every_name_counts_except_in_bare_json() -> None:
    assert parse(f"<tool_call>{CALL}</tool_call>").calls == DAYS
    assert parse(f"```json\n{CALL}\n```").calls == DAYS
    assert parse(CALL).calls == []


def test_what_is_written_is_read_back() -> None:
    arguments = {"city": 'a "b" </tool_call> \n ☃', "days": -1, "tags": [None, {"x": [1.5]}]}
    assert parse(render_call("find", arguments), TOOLS).strict
    assert parse(render_call("find", arguments), TOOLS).calls == [Call("find", arguments)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12)
    | st.floats(allow_nan=False, allow_infinity=False, width=32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner,
                                                                 max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    arguments=st.dictionaries(st.text(max_size=6), JSON, max_size=4), before=st.text(max_size=20)
)
def test_any_arguments_survive_the_template(arguments: dict[str, Any], before: str) -> None:
    prose = before.translate(str.maketrans("", "", "<>`"))
    found = parse(prose + render_call("stop", arguments), TOOLS)
    assert found.calls == [Call("stop", arguments)]
    assert found.strict


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60))
def test_no_text_raises_and_every_answer_keeps_the_contract(text: str) -> None:
    for tools in (TOOLS, None):
        found = parse(text, tools)
        assert found.format in (*FORMATS, None)
        assert set(found.problems) <= set(PROBLEMS)
        assert all(isinstance(call.arguments, dict) for call in found.calls)
        if found.strict:
            assert found.format == "tags"
            assert not found.problems


def test_forty_thousand_mixed_texts_never_raise() -> None:
    """The benchmark `parser` reads a million of them."""
    for text in fuzzed_texts(40_000, seed=7):
        parse(text, TOOLS)


@pytest.mark.parametrize(
    "piece",
    ['{"a":', "{", "<tool_call>", '<tool_call>{"a":', "<function=f><parameter=a>", "```json\n{",
     '"', '{"name": "', "<tools>{", "[{", "<function=", "<think>", "</tool_call>", "\n",
     '<tool_call>{"a": "', '```json\n{"name": "f"', "<parameter=a", '{"a": {"b": "'],
)  # fmt: skip
def test_a_megabyte_of_any_piece_is_read_in_passing(piece: str) -> None:
    """With a quadratic reader each of these would take hours."""
    found = parse(piece * (1_000_000 // len(piece)), TOOLS)
    assert found.format in (*FORMATS, None)


def _bfcl(data: Path) -> list[tuple[list[Any], list[Call]]]:
    """(tools, calls) of BFCL's ground truth, the first allowed value of each argument."""
    rows = []
    for path in sorted((data / "eval").glob("bfcl_*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            calls = []
            for truth in row.get("ground_truth") or ():
                for name, allowed in truth.items():
                    arguments = {
                        key: _first(values) for key, values in allowed.items() if values != [""]
                    }
                    calls.append(Call(name, {k: v for k, v in arguments.items() if v != ""}))
            if calls:
                rows.append((row["functions"], calls))
    return rows


def _first(values: Any) -> Any:
    """The first allowed value, nested objects too."""
    value = values[0] if isinstance(values, list) and values else values
    if isinstance(value, dict):
        return {k: _first(v) if isinstance(v, list) else v for k, v in value.items()}
    return value


def _xml(call: Call) -> str:
    lines = [f"<function={call.name}>"]
    for key, value in call.arguments.items():
        written = value if isinstance(value, str) else json.dumps(value)
        lines.append(f"<parameter={key}>\n{written}\n</parameter>")
    return "\n".join([*lines, "</function>"])


def test_bfcl_ground_truth_comes_back_from_all_six_formats(data: Path) -> None:
    rows = _bfcl(data)
    assert len(rows) > 300
    for tools, calls in rows:
        body = [json.dumps({"name": c.name, "arguments": c.arguments}) for c in calls]
        written = {
            "tags": "\n".join(render_call(c.name, c.arguments) for c in calls),
            "json_fence": "\n".join(f"```json\n{b}\n```" for b in body),
            "bare_json": "\n".join(body),
            "tools_tag": "\n".join(f"<tools>\n{b}\n</tools>" for b in body),
        }
        for name, text in written.items():
            found = parse(text, tools)
            assert (found.calls, found.format) == (calls, name), text
            assert found.strict == (name == "tags")
            assert found.problems == []
        blocks = [_xml(call) for call in calls]
        for name, text, problems in (
            ("xml", "\n".join(f"<tool_call>\n{b}\n</tool_call>" for b in blocks), []),
            ("broken_xml", "\n".join(f"{b}\n</tool_call>" for b in blocks), ["no_open_tag"]),
        ):
            found = parse(text, tools)
            assert (found.calls, found.format, found.problems) == (calls, name, problems), text
