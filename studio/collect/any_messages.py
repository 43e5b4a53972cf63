"""Messages as tracing tools record them: of whichever API the traced program spoke.

Known are the forms of OpenAI (chat and Responses), Anthropic, Gemini, LangChain, the Vercel SDK
and OpenTelemetry's `parts`; a call, a result and a thought mean the same in all of them.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from db.interactions import dumps
from studio.collect.decoding import Damaged, decode
from studio.collect.log import Unusable
from studio.collect.messages import ROLES, Conversation, openai_tools
from studio.collect.values import name

_MORE_ROLES = {"model": "assistant", "ai": "assistant", "human": "user"}
_SYSTEM = ("system", "system_instruction", "systemInstruction", "instructions")
_ASKED = ("messages", "contents", "input", "prompt", "args")
_ANSWERED = ("choices", "candidates", "generations", "output", "message", "messages", "response")
_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use", "tool_call", "tool-call", "function_call")
_RESULTS = ("tool_call_response", "tool-result", "function_call_output", "tool_response")
_THOUGHTS = ("thinking", "reasoning", "redacted_thinking")


class Piece(NamedTuple):
    """One part of a message: `what` is its text, its call (name, arguments, id) or its result
    (content, id, name, failed).
    """

    kind: Literal["text", "thought", "call", "result", "other"]
    what: Any


def decoded(value: object) -> Any:
    """The value inside JSON in a string, which some exports wrap twice; other text as it is."""
    for _ in range(3):
        if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "[", '"'):
            break
        try:
            value = decode(value.encode())
        except Damaged:
            break
    return None if value == "null" else value


class AnyMessages:
    """Requests and responses in, one conversation out."""

    def __init__(self) -> None:
        self.conversation = Conversation()
        self.tools: list[dict[str, Any]] = []
        self.stop_reason: str | None = None

    def request(self, value: object) -> None:
        """What was asked: a text, messages, or a request that holds them. Raises Unusable."""
        value = _known(value)
        if isinstance(value, str):
            self._say("user", [Piece("text", value)])
        elif isinstance(value, list):
            for one in value:
                self.request(one)
        elif isinstance(value, dict) and _is_message(value):
            self._message(value, "user")
        elif isinstance(value, dict):
            for key in _SYSTEM:
                if value.get(key):
                    self._message({"content": value[key]}, "system")
            self.tools += openai_tools(value.get("tools")) or []
            self.request(next((value[key] for key in _ASKED if value.get(key)), []))

    def response(self, value: object) -> None:
        """What came back, in any of the forms; the first of several choices. Raises Unusable."""
        self.stop_reason = None
        self._response(value)

    def _response(self, value: object) -> None:
        value = _known(value)
        if isinstance(value, str):
            self._say("assistant", [Piece("text", value)])
        elif isinstance(value, list):
            if any(isinstance(one, dict) and "message" in one for one in value):
                value = value[:1]
            for one in value:
                self._response(one)
        elif isinstance(value, dict):
            self.stop_reason = _reason(value) or self.stop_reason
            self.tools += openai_tools(value.get("tools")) or []  # Responses tells them again
            inner = next((value[key] for key in _ANSWERED if value.get(key)), None)
            if _is_message(value):
                self._message(value, "assistant")
            elif inner is not None:
                self._response(inner if isinstance(inner, list | dict | str) else dumps(inner))
            elif value.get("content") is not None:
                self._message({"role": "assistant", **_content(value)}, "assistant")
            elif value:
                self._say("assistant", [Piece("text", dumps(value))])

    def _message(self, message: dict[str, Any], default_role: str) -> None:
        message, role = _unwrapped(message, default_role)
        known = ROLES.get(role) or _MORE_ROLES.get(role)
        call_id = message.get("tool_call_id")
        if known is None and (call_id or role in self.conversation.open_calls().values()):
            known = "tool"  # LangGraph gives the tool's name as the role
        if known is None:
            raise Unusable(f"unknown role {role}")
        content = message.get("content", message.get("parts"))
        if known == "tool" and isinstance(content, dict) and "function" in content:
            self.tools += openai_tools(content) or []  # LangGraph lists what was offered so
            return
        pieces = [_piece(part) for part in content] if isinstance(content, list) else []
        if isinstance(content, str):
            pieces = [Piece("text", content)]
        elif isinstance(content, dict):
            pieces = [_piece(content)]
        if known == "tool" and all(piece.kind != "result" for piece in pieces):
            text = "\n".join(str(piece.what) for piece in pieces if piece.kind == "text")
            self.conversation.answer(text, call_id, message.get("name"), message.get("is_error"))
            return
        thought = name(message.get("reasoning_content")) or name(message.get("reasoning"))
        pieces = [Piece("thought", thought), *pieces] if thought else pieces
        self._say(known, [*pieces, *map(_called, _tool_calls(message))])
        self.stop_reason = name(message.get("finish_reason")) or self.stop_reason

    def _say(self, role: str, pieces: list[Piece]) -> None:
        """One message of these pieces; a result among them is a message between."""
        said: list[Piece] = []
        for piece in pieces:
            if piece.kind != "result":
                said.append(piece)
                continue
            self._flush(role, said)
            content, call_id, called, failed = piece.what
            self.conversation.answer(content, call_id, called, failed)
        self._flush(role, said)

    def _flush(self, role: str, said: list[Piece]) -> None:
        calls = [self.conversation.call(*piece.what) for piece in said if piece.kind == "call"]
        parts = [piece.what for piece in said if piece.kind in ("text", "other")]
        thoughts = "\n".join(piece.what for piece in said if piece.kind == "thought")
        text = self.conversation.text(parts)
        if text or calls or thoughts:
            role = "assistant" if calls else role
            self.conversation.say(role, text, calls=calls, reasoning=thoughts)
        said.clear()


def _known(value: object) -> Any:
    """What is in a string of JSON, when it is messages; a text that is JSON stays a text."""
    if not isinstance(value, str):
        return value
    inner = decoded(value)
    one = inner[0] if isinstance(inner, list) and inner else inner
    if isinstance(inner, str):
        return inner
    holds = isinstance(one, dict) and bool({*_SYSTEM, *_ASKED, *_ANSWERED, "content"} & one.keys())
    return inner if isinstance(one, dict) and (holds or _is_message(one)) else value


def _is_message(value: dict[str, Any]) -> bool:
    kind = name(value.get("type")) or ""
    if isinstance(value.get("role"), str) and ("message" not in value or "content" in value):
        return True
    if value.get("lc") or (kind in _MORE_ROLES and "content" in value):
        return True
    return kind in (*_CALLS, *_RESULTS, *_THOUGHTS, "message") or "toolCallId" in value


def _unwrapped(message: dict[str, Any], default_role: str) -> tuple[dict[str, Any], str]:
    """The message itself, and the role that it has or that its class tells."""
    path = message.get("id")
    if message.get("lc") and isinstance(message.get("kwargs"), dict):
        called = str(path[-1]) if isinstance(path, list) and path else ""
        role = called.removesuffix("Chunk").removesuffix("Message").lower()
        return message["kwargs"], role or default_role
    kind = message.get("type")
    role = name(message.get("role")) or (kind if kind in ("ai", "human", "tool", "system") else "")
    if not role and "content" not in message and "parts" not in message:
        return {"content": [message]}, "assistant"  # a bare call, result or thought
    return message, role or default_role


def _content(value: dict[str, Any]) -> dict[str, Any]:
    """Gemini's content is an object of parts."""
    content = value["content"]
    return content if isinstance(content, dict) and "parts" in content else {"content": content}


def _reason(value: dict[str, Any]) -> str | None:
    choices = value.get("choices") or value.get("candidates")
    first = choices[0] if isinstance(choices, list) and choices else value
    if not isinstance(first, dict):
        return None
    keys = ("finish_reason", "finishReason", "stop_reason", "stopReason")
    return next((told for key in keys if (told := name(first.get(key)))), None)


def _tool_calls(message: dict[str, Any]) -> list[Any]:
    more = message.get("additional_kwargs")
    more = more if isinstance(more, dict) else {}
    calls = message.get("tool_calls") or more.get("tool_calls")
    return calls if isinstance(calls, list) else []


def _called(call: object) -> Piece:
    if not isinstance(call, dict):
        raise Unusable("a tool call is not an object")
    function = call.get("function")
    function = function if isinstance(function, dict) else call
    given = function.get("arguments", function.get("args"))
    return Piece("call", (function.get("name"), given, call.get("id")))


def _piece(part: object) -> Piece:
    """A part of a message's content, whichever API wrote it."""
    if not isinstance(part, dict):
        return Piece("text", part if isinstance(part, str) else dumps(part))
    kind = str(part.get("type") or "")
    for key in ("functionCall", "function_call"):
        if isinstance(part.get(key), dict):
            call = part[key]
            return Piece("call", (call.get("name"), call.get("args"), call.get("id")))
    for key in ("functionResponse", "function_response"):
        if isinstance(part.get(key), dict):
            told = part[key]
            return Piece(
                "result", (_text(told.get("response")), told.get("id"), told.get("name"), 0)
            )
    if kind in _CALLS or ("toolCallId" in part and kind != "tool-result"):
        return _call_piece(part)
    if kind in _RESULTS or kind.endswith("tool_result"):
        return _result_piece(part)
    text = next((part[k] for k in ("text", "content", "thinking", "reasoning") if k in part), None)
    if kind in _THOUGHTS or "Reasoning" in kind or part.get("thought") is True:
        text = text.get("text") if isinstance(text, dict) else text
        return Piece("thought", text if isinstance(text, str) else "")
    if kind in ("", "text", "input_text", "output_text") and isinstance(text, str):
        return Piece("text", text)
    return Piece("other", part)


def _call_piece(part: dict[str, Any]) -> Piece:
    given = next((part[k] for k in ("input", "arguments", "args") if k in part), None)
    call_id = part.get("call_id") or part.get("toolCallId") or part.get("id")
    return Piece("call", (part.get("name") or part.get("toolName"), given, call_id))


def _result_piece(part: dict[str, Any]) -> Piece:
    told = next((part[k] for k in ("content", "output", "result", "response") if k in part), None)
    ids = ("tool_use_id", "call_id", "toolCallId", "id")
    call_id = next((part[key] for key in ids if part.get(key)), None)
    called = part.get("name") or part.get("toolName")
    return Piece("result", (_text(told), call_id, called, part.get("is_error")))


def _text(told: object) -> object:
    """A result as text: content blocks as they are, other values as JSON."""
    if isinstance(told, dict) and isinstance(told.get("value"), str):  # the Vercel SDK
        return told["value"]
    if isinstance(told, str | list | None):
        return told
    return dumps(told)
