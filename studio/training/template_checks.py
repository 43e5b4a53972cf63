"""Preflight checks of the template: what is trained is what the evaluation's parser will read."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from db.counted import counted
from exports.conversation import calls_of
from exports.frozen import StoredExample
from exports.tool_calls import parse
from studio.training.checks import Check, Flight, turns, verdict, where

CONTROL_STRINGS = ("<tool_call>", "</tool_call>", "<|im_start|>", "<|im_end|>", "<|endoftext|>")
Found = list[tuple[StoredExample, str]]


def render_prefix(flight: Flight) -> Check:
    """1: every row renders, and what inference gives the base is a prefix of what is trained."""
    found: Found = []
    for example, rendered in flight.rendered:
        for number, message in enumerate(example.messages):
            if message["role"] != "assistant":
                continue
            prompt = flight.template.prompt(example.messages[:number], example.tools)
            if not rendered.text.startswith(prompt):
                found.append((example, f"the prompt of turn {number + 1} is rendered differently"))
                break
    found = [*flight.unrenderable, *found]
    return verdict(
        "render_prefix",
        found,
        len(flight.examples),
        good=f"{counted(len(flight.examples), 'example renders', 'examples render')}, each "
        "prompt a prefix of its training text",
        bad="cannot be rendered as the base will be prompted",
        remedy="use a base whose chat template keeps earlier turns as they are",
    )


def round_trip(flight: Flight) -> Check:
    """2: each call, rendered and read by the evaluation's own parser, is the same call."""
    found: Found = []
    calls = 0
    for example, rendered in flight.rendered:
        for number, text in turns(example, rendered):
            meant = calls_of(example.messages[number])
            calls += len(meant)
            read = parse(_as_generated(flight, text), example.tools or None)
            if meant and (read.calls != meant or not read.strict):
                seen = f"{meant[0].name} is read back as {read.format or 'nothing'}"
                found.append((example, seen + _problems(read.problems)))
                break
            if not meant and (read.calls or read.legacy or read.problems):
                form = "keys of the old template" if read.legacy else read.format or "prose"
                seen = f"a call written as text ({form})" + _problems(read.problems)
                found.append((example, seen))
                break
    return verdict(
        "round_trip",
        found,
        len(flight.examples),
        good=f"{calls} tool calls are read back equal and strict",
        bad="their calls are not what the evaluation's parser reads",
        remedy="build with --template tool_call, which writes <tool_call> tags and the key name",
    )


def _as_generated(flight: Flight, text: str) -> str:
    """An assistant turn as the evaluation will see it: up to the end-of-turn token."""
    end = str(flight.template.tokenizer.eos_token or "")
    return (text.split(end, 1)[0] if end else text).strip("\n")


def _problems(problems: list[str]) -> str:
    return f" ({', '.join(problems)})" if problems else ""


def schema(flight: Flight) -> Check:
    """3: the called tool is offered, and the arguments fit its JSON schema."""
    found: Found = []
    for example in flight.examples:
        schemas = {
            tool.get("function", tool).get("name"): tool.get("function", tool).get("parameters")
            for tool in example.tools
        }
        seen = next((s for m in example.messages for s in _misfits(m, schemas)), None)
        if seen:
            found.append((example, seen))
    return verdict(
        "schema",
        found,
        len(flight.examples),
        good="every called tool is offered and its arguments fit the schema",
        bad="calls that do not fit the offered tools",
        remedy="drop these interactions, or correct their tools or arguments",
    )


def _misfits(message: dict[str, Any], schemas: dict[Any, Any]) -> list[str]:
    seen = []
    for call in calls_of(message):
        if call.name not in schemas:
            seen.append(f"{call.name} is not among the offered tools")
            continue
        try:
            jsonschema.validate(call.arguments, schemas[call.name] or {})
        except jsonschema.ValidationError as error:
            place = ".".join(str(part) for part in error.absolute_path) or "arguments"
            seen.append(f"{call.name}: {place}: {error.message[:200]}")
        except jsonschema.SchemaError as error:
            seen.append(f"{call.name}: its schema is no JSON schema: {error.message[:200]}")
    return seen


def arguments(flight: Flight) -> Check:
    """4: arguments are objects without null padding, and come out of a Dataset as they went in."""
    found: Found = []
    for example in flight.examples:
        for message in example.messages:
            for call in message.get("tool_calls") or ():
                value = call["function"]["arguments"]
                if not isinstance(value, dict):
                    found.append((example, f"arguments are a {type(value).__name__}, no object"))
                elif None in value.values() and not _null_allowed(example, call["function"]):
                    found.append((example, "an argument is null where the schema allows none"))
    found += [(flight.examples[index], seen) for index, seen in _dataset_changes(flight)]
    return verdict(
        "arguments",
        found,
        len(flight.examples),
        good="arguments are objects and equal after a trip through datasets.Dataset",
        bad="arguments that the trainer would not see as they are",
        remedy="decode string arguments and leave out arguments that were not given",
    )


def _null_allowed(example: StoredExample, function: dict[str, Any]) -> bool:
    nulls = [key for key, value in function["arguments"].items() if value is None]
    for tool in example.tools:
        described = tool.get("function", tool)
        if described.get("name") == function["name"]:
            properties = (described.get("parameters") or {}).get("properties") or {}
            return all("null" in str(properties.get(key)) for key in nulls)
    return False


def _dataset_changes(flight: Flight) -> list[tuple[int, str]]:
    from datasets import Dataset

    rows = [{"messages": e.messages, "tools": e.tools} for e in flight.examples]
    if not rows:
        return []
    loaded = Dataset.from_list(rows, on_mixed_types="use_json")
    changes = []
    for index, (row, back) in enumerate(zip(rows, loaded, strict=True)):
        example = flight.examples[index]
        if flight.template.prompt(_present(back["messages"]), _present(back["tools"] or [])) != (
            flight.template.prompt(row["messages"], example.tools)
        ):
            changes.append((index, "its text differs after a trip through datasets.Dataset"))
    return changes


def _present(value: Any) -> Any:
    """Arrow's rows without the keys that it padded at the level of messages."""
    if isinstance(value, list):
        return [
            {key: inner for key, inner in row.items() if inner is not None}
            if isinstance(row, dict)
            else row
            for row in value
        ]
    return value


def mask(flight: Flight) -> Check:
    """5: something is trained, only what the assistant wrote, and the end of its turn too."""
    found: Found = []
    eos = flight.template.tokenizer.eos_token_id
    trained_tokens = total_tokens = 0
    for example, rendered in flight.rendered:
        trained_tokens += sum(rendered.trained)
        total_tokens += len(rendered.ids)
        said = sum(message["role"] == "assistant" for message in example.messages)
        ends = sum(t and i == eos for i, t in zip(rendered.ids, rendered.trained, strict=True))
        if not any(rendered.trained):
            found.append((example, "no token is trained"))
        elif len(rendered.spans) != said:
            found.append(
                (
                    example,
                    f"{counted(len(rendered.spans), 'span')} for {counted(said, 'assistant turn')}",
                )
            )
        elif ends < said:
            found.append((example, "the end-of-turn token is not trained: it would never stop"))
        elif seen := _foreign(example, rendered.text, rendered.spans):
            found.append((example, seen))
    share = trained_tokens / total_tokens if total_tokens else 0
    return verdict(
        "mask",
        found,
        len(flight.examples),
        good=f"{trained_tokens:,} of {total_tokens:,} tokens are trained ({share:.0%}), all of "
        "them the assistant's, each turn's end among them",
        bad="the mask is wrong",
        remedy="use a base whose chat template is known, or one with {% generation %} marks",
    )


def _foreign(example: StoredExample, text: str, spans: list[tuple[int, int]]) -> str | None:
    """A message of somebody else that stands inside of a trained span."""
    said = "\n".join(str(m) for m in example.messages if m["role"] == "assistant")
    trained = "\n".join(text[start:end] for start, end in spans)
    for message in example.messages:
        content = str(message["content"] or "")
        if message["role"] == "assistant" or len(content) < 40:
            continue
        if content in trained and content not in said:
            return f"a {message['role']} message is trained"
    return None


def stop_tokens(flight: Flight) -> Check:
    """6: padding is not the end; the end is the template's; stop strings cut no answer."""
    tokenizer = flight.template.tokenizer
    eos, pad = tokenizer.eos_token, tokenizer.pad_token
    if eos is None:
        return Check("stop_tokens", "block", "the tokenizer has no end-of-turn token")
    if pad is None or pad == eos:
        detail = f"padding is {pad!r}, the end of a turn {eos!r}: ends would be masked away"
        return Check("stop_tokens", "block", detail, remedy="give the tokenizer another pad token")
    found: Found = []
    for example, rendered in flight.rendered:
        for _, text in turns(example, rendered):
            if not text.rstrip().endswith(eos):
                found.append((example, f"a turn ends with {text.rstrip()[-12:]!r}, not {eos!r}"))
            cut = [stop for stop in _stops(flight) if stop in text.rstrip().removesuffix(eos)]
            if cut:
                found.append((example, f"the stop string {cut[0]!r} stands inside of an answer"))
    ordinary = [stop for stop in _stops(flight) if stop not in tokenizer.all_special_tokens]
    if ordinary and not found:
        named = ", ".join(map(repr, ordinary))
        detail = f"{named}: ordinary text, at which an answer would be cut, even at its beginning"
        return Check("stop_tokens", "warn", detail, remedy=_OWN_STOPS)
    return verdict(
        "stop_tokens",
        found,
        len(flight.examples),
        good=f"turns end with {eos!r}, padding is {pad!r}, no stop string cuts an answer",
        bad="generation would not stop where the examples end",
        remedy=_OWN_STOPS,
    )


_OWN_STOPS = "stop on the base's own tokens only: remove the recipe's stop strings"


def _stops(flight: Flight) -> list[str]:
    return flight.recipe.stop if flight.recipe else []


def truncation(flight: Flight) -> Check:
    """7: no row is cut at max_length, with the lengths that there are."""
    lengths = sorted(len(rendered.ids) for _, rendered in flight.rendered)
    if not lengths:
        return Check("truncation", "block", "nothing renders, so there is nothing to measure")
    limit = flight.max_length
    found: Found = [
        (example, f"{len(rendered.ids)} tokens")
        for example, rendered in flight.rendered
        if len(rendered.ids) > limit
    ]
    marks = {name: lengths[int(share * (len(lengths) - 1))] for name, share in _QUANTILES}
    curve = ", ".join(f"{name} {value:,}" for name, value in marks.items())
    return verdict(
        "truncation",
        found,
        len(flight.examples),
        good=f"no example is longer than {limit:,} tokens ({curve})",
        bad=f"would be cut at {limit:,} tokens, in the middle of an answer ({curve})",
        remedy="raise max_length in the recipe, or build with a filter such as output:<4000",
    )


_QUANTILES = (("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("longest", 1.0))


def control_tokens(flight: Flight) -> Check:
    """8: the template's control strings are single tokens, and no text smuggles them in."""
    tokenizer = flight.template.tokenizer
    used = [mark for mark in CONTROL_STRINGS if mark in flight.template.text]
    used += [str(token) for token in {tokenizer.eos_token} if token and token not in used]
    split = [mark for mark in used if len(flight.template.encode(mark)) != 1]
    if split:
        detail = f"{split[0]!r} is {len(flight.template.encode(split[0]))} tokens in this tokenizer"
        return Check("control_tokens", "block", detail, remedy="use the base's own tokenizer")
    special = {*used, *map(str, tokenizer.all_special_tokens)}
    turn_marks = sorted(mark for mark in special if mark.startswith("<|"))
    for example in flight.examples:
        parts = [(f"the {message['role']}'s message", message) for message in example.messages]
        for name, part in [*parts, *(("a tool's description", tool) for tool in example.tools)]:
            text = json.dumps(part, ensure_ascii=False)
            smuggled = [mark for mark in turn_marks if mark in text]
            if smuggled:
                seen = f"{name} holds {smuggled[0]!r}"
                return Check(
                    "control_tokens", "block", seen, where(example, seen=seen),
                    "drop this interaction: its text would end the turn",
                )  # fmt: skip
    return Check("control_tokens", "pass", f"{len(used)} control strings are single tokens")
