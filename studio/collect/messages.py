"""Messages in the one form that the store keeps, built up turn by turn.

A message is `{"role", "content", "tool_calls"?, "tool_call_id"?, "name"?, "reasoning_content"?,
"is_error"?}` in this order; `content` is always a string and `arguments` always an object. What
had to be bent to fit is told in `problems`, parts that are no text are kept in `parts`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from db.interactions import Message, dumps
from studio.collect.decoding import Damaged, decode
from studio.collect.log import Unusable
from studio.collect.values import name as text_or_none

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
PROBLEMS_MAX = 20
_MARKERS = {
    "image_url": "image",
    "input_image": "image",
    "input_audio": "audio",
    "input_file": "file",
    "document": "file",
}


class Conversation:
    """The messages so far. Calls without an id get `call_1`, `call_2`, …; results find theirs."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.problems: list[str] = []
        self.parts: list[dict[str, Any]] = []
        self._calls = 0
        self._made: set[str] = set()
        self._unanswered: dict[str, str] = {}

    def say(
        self,
        role: str,
        content: object,
        *,
        calls: list[dict[str, Any]] | None = None,
        name: object = None,
        reasoning: object = None,
    ) -> Message:
        """Append a system, user or assistant message."""
        message: Message = {"role": role, "content": self.text(content)}
        if calls:
            message["tool_calls"] = calls
        if text_or_none(name):
            message["name"] = name
        if text_or_none(reasoning):
            message["reasoning_content"] = reasoning
        self.messages.append(message)
        return message

    def answer(
        self, content: object, call_id: object = None, name: object = None, is_error: object = None
    ) -> None:
        """Append a tool's result. Without an id it answers the oldest open call, of that name."""
        found = call_id if isinstance(call_id, str) and call_id else self._open_call(name)
        if found not in self._made:
            self.problem("a tool result answers no call")
        self._unanswered.pop(found, None)
        message: Message = {"role": "tool", "content": self.text(content), "tool_call_id": found}
        if text_or_none(name):
            message["name"] = name
        if is_error is True:
            message["is_error"] = True
        self.messages.append(message)

    def call(self, name: object, arguments: object, call_id: object = None) -> dict[str, Any]:
        """A tool call in the OpenAI form. Raises Unusable when it names no function."""
        if not isinstance(name, str) or not name:
            raise Unusable("a tool call names no function")
        self._calls += 1
        identity = call_id if isinstance(call_id, str) and call_id else f"call_{self._calls}"
        self._unanswered[identity] = name
        self._made.add(identity)
        function = {"name": name, "arguments": self._arguments(name, arguments)}
        return {"id": identity, "type": "function", "function": function}

    def open_calls(self) -> dict[str, str]:
        """The calls that have no result yet: id, name of the tool."""
        return dict(self._unanswered)

    def problem(self, text: str) -> None:
        """Note something that had to be bent, once."""
        if text not in self.problems and len(self.problems) < PROBLEMS_MAX:
            self.problems.append(text)

    def text(self, content: object, number: int | None = None) -> str:
        """Content as one text: parts joined by line ends, `[image]` in place of what is none.

        `number` is the message it is of, when that is not the next one.
        """
        if content is None:
            return ""
        if isinstance(content, str):
            return content
        if isinstance(content, list):
            return "\n".join(text for part in content if (text := self._part(part, number)))
        if isinstance(content, dict):
            return self._part(content, number)
        self.problem("content that was no text is kept as JSON")
        return dumps(content)

    def raw(self) -> dict[str, Any]:
        """What there is to tell beside the messages."""
        told = {"problems": self.problems, "parts": self.parts}
        return {key: value for key, value in told.items() if value}

    def _part(self, part: object, number: int | None) -> str:
        if isinstance(part, str):
            return part
        if not isinstance(part, dict):
            return dumps(part)
        for key in ("text", "refusal"):
            if isinstance(part.get(key), str):
                return str(part[key])
        kind = part.get("type")
        kind = kind if isinstance(kind, str) and kind else _medium(part)
        place = len(self.messages) if number is None else number
        self.parts.append({"message": place, "part": part})
        return f"[{_MARKERS.get(kind, kind)}]"

    def _arguments(self, name: str, value: object) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        if value is None or value == "":
            return {}
        if isinstance(value, str):
            try:
                decoded = decode(value.encode())
            except Damaged as error:
                self.problem(f"arguments of {name}: {error}")
                return {"_raw": value}
            if isinstance(decoded, dict):
                return decoded
        self.problem(f"arguments of {name}: not an object")
        return {"_raw": value}

    def _open_call(self, name: object) -> str:
        for identity, called in self._unanswered.items():
            if not isinstance(name, str) or name in ("", called):
                return identity
        return ""


def _medium(part: dict[str, Any]) -> str:
    """What a part of Gemini's holds: `{"inlineData": {"mimeType": "image/png", …}}`."""
    for key in ("inlineData", "inline_data", "fileData", "file_data"):
        data = part.get(key)
        if isinstance(data, dict):
            mime = str(data.get("mimeType") or data.get("mime_type") or "")
            kind = mime.partition("/")[0]
            return kind if kind in ("image", "audio", "video") else "file"
    return "part"


def add_openai(conversation: Conversation, message: object) -> None:
    """Append one message of the chat completions form. Raises Unusable."""
    if not isinstance(message, dict):
        raise Unusable(f"message {len(conversation.messages) + 1} is not an object")
    role = message.get("role")
    known = ROLES.get(role) if isinstance(role, str) else None
    if known is None:
        where = f"message {len(conversation.messages) + 1}"
        raise Unusable(f"{where} has no role" if role is None else f"{where}: unknown role {role}")
    content = message.get("content")
    if known == "tool":
        conversation.answer(
            content, message.get("tool_call_id"), message.get("name"), message.get("is_error")
        )
        return
    if not content and isinstance(message.get("refusal"), str):
        content = message["refusal"]
    calls = [_openai_call(conversation, call) for call in _called(message)]
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    content, thoughts = _without_thoughts(content)
    for key in ("reasoning_details", "thinking_blocks"):
        reasoning = reasoning or thoughts or _without_thoughts(message.get(key))[1]
    conversation.say(known, content, calls=calls, name=message.get("name"), reasoning=reasoning)


def _without_thoughts(content: object) -> tuple[object, str]:
    """Content without the parts that are thoughts (Mistral, OpenRouter), and their text."""
    if not isinstance(content, list):
        return content, ""
    kept, thoughts = [], []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or not kind.startswith(("thinking", "reasoning")):
            kept.append(part)
            continue
        told = next((part[key] for key in ("thinking", "text", "summary") if part.get(key)), "")
        inner = told if isinstance(told, list) else [told]
        texts = [one.get("text") if isinstance(one, dict) else one for one in inner]
        thoughts += [text for text in texts if isinstance(text, str)]
    return kept, "\n".join(thoughts)


def openai_conversation(messages: object) -> Conversation:
    """A conversation of the chat completions form. Raises Unusable."""
    if not isinstance(messages, list) or not messages:
        raise Unusable("no messages")
    conversation = Conversation()
    for message in messages:
        add_openai(conversation, message)
    return conversation


def openai_tools(value: object) -> list[dict[str, Any]] | None:
    """Tool definitions of any common form, in the OpenAI form; None when there are none.

    A JSON string is decoded. A tool that names no function (a server's own) is left out.
    """
    if isinstance(value, str):
        try:
            value = decode(value.encode())
        except Damaged:
            return None
    listed: Iterable[object] = value if isinstance(value, list) else [value]
    return [tool for one in listed if (tool := _tool(one))] or None


def _tool(value: object) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    function = value.get("function")
    function = function if isinstance(function, dict) else value
    name = function.get("name")
    if not isinstance(name, str) or not name:
        return None
    parameters = function.get("parameters", function.get("input_schema"))
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": text_or_none(function.get("description")) or "",
            "parameters": parameters if isinstance(parameters, dict) else {},
        },
    }


def _called(message: dict[str, Any]) -> list[object]:
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        return calls
    return [{"function": message["function_call"]}] if message.get("function_call") else []


def _openai_call(conversation: Conversation, call: object) -> dict[str, Any]:
    if not isinstance(call, dict):
        raise Unusable("a tool call is not an object")
    custom = call.get("custom")
    if isinstance(custom, dict):  # its input is text, no JSON
        given: object = {"input": custom.get("input")}
        return conversation.call(custom.get("name"), given, call.get("id"))
    function = call.get("function")
    function = function if isinstance(function, dict) else call
    return conversation.call(function.get("name"), function.get("arguments"), call.get("id"))
