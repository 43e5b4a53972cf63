"""The items of OpenAI's Responses, which Codex logs as well, as messages.

A turn of the model is a run of items: reasoning, texts and calls. They become one assistant
message, up to the next result or turn of the user. Tools that the server runs itself (web search,
code interpreter, MCP) are calls with results too; a result that is not told is empty.
"""

from __future__ import annotations

from typing import Any

from db.interactions import Message
from studio.collect.decoding import Damaged, decode
from studio.collect.log import Unusable
from studio.collect.messages import ROLES, Conversation
from studio.collect.values import name

_ARGUMENTS = ("arguments", "parameters", "input", "action", "operation", "queries", "code")
_CLIENT_RUNS = ("function", "custom_tool", "local_shell", "shell", "computer", "apply_patch")
_RESULTS = ("output", "outputs", "results", "error")


class Items:
    """Items in, conversation out."""

    def __init__(self) -> None:
        self.conversation = Conversation()
        self._turn: Message | None = None  # the assistant message that is being written

    def add(self, item: object) -> None:
        """The next item. Raises Unusable when it is none that can be kept."""
        if not isinstance(item, dict):
            raise Unusable("an item is not an object")
        kind = name(item.get("type")) or ("message" if "role" in item else "")
        if kind == "message":
            self.message(item.get("role"), item.get("content"))
        elif kind == "reasoning":
            self._reasoning(item)
        elif kind.endswith("_call"):
            self._call(kind.removesuffix("_call"), item)
        elif kind.endswith("_call_output"):
            self.result(item.get("output"), item.get("call_id"))
        elif kind:
            place = len(self.conversation.messages)
            self.conversation.parts.append({"message": place, "part": item})
        else:
            raise Unusable("an item has no type")

    def message(self, role: object, content: object) -> None:
        """A text of any role; the model's joins what it said since its turn began."""
        known = ROLES.get(role) if isinstance(role, str) else None
        if known in (None, "tool"):
            raise Unusable(f"a message has no role of {', '.join(sorted({*ROLES.values()}))}")
        if known != "assistant":
            self.end_turn()
            self.conversation.say(str(known), content)
            return
        number = len(self.conversation.messages) - (self._turn is not None)
        _extend(self.turn(), "content", self.conversation.text(content, number))

    def result(self, content: object, call_id: object, *, is_error: bool = False) -> Message:
        """What a tool answered; its text is taken out of `{"output", "metadata"}` in a string."""
        self.end_turn()
        text, failed = _output(content)
        self.conversation.answer(text, call_id, is_error=is_error or failed)
        return self.conversation.messages[-1]

    def turn(self) -> Message:
        """The assistant message that is being written."""
        if self._turn is None:
            self._turn = self.conversation.say("assistant", "")
        return self._turn

    def end_turn(self) -> None:
        """What the model says next is a new message."""
        self._turn = None

    def _reasoning(self, item: dict[str, Any]) -> None:
        for key in ("summary", "content"):
            listed = item.get(key)
            for part in listed if isinstance(listed, list) else []:
                text = part.get("text") if isinstance(part, dict) else None
                if isinstance(text, str) and text:
                    _extend(self.turn(), "reasoning_content", text)

    def _call(self, kind: str, item: dict[str, Any]) -> None:
        called = name(item.get("name")) or (None if kind in ("function", "custom_tool") else kind)
        given = next((item[key] for key in _ARGUMENTS if item.get(key) is not None), None)
        if isinstance(given, dict) and "sources" in given:  # found by the search: no arguments
            place = len(self.conversation.messages)
            self.conversation.parts.append({"message": place, "part": given["sources"]})
            given = {key: value for key, value in given.items() if key != "sources"}
        if kind == "custom_tool" or not isinstance(given, dict | str | None):
            given = {"input": given}
        elif kind == "code_interpreter":
            given = {"code": given}
        call = self.conversation.call(called, given, item.get("call_id") or item.get("id"))
        self.turn().setdefault("tool_calls", []).append(call)
        if kind not in _CLIENT_RUNS:
            told = next((item[key] for key in _RESULTS if item.get(key) is not None), None)
            self.result(_logs(told), call["id"], is_error=bool(item.get("error")))


def _output(content: object) -> tuple[object, bool]:
    """The text of an output, and whether the command that wrote it failed."""
    told = content
    if isinstance(content, str) and content.startswith("{"):
        try:
            told = decode(content.encode())
        except Damaged:
            return content, False
        if not isinstance(told, dict) or not {"output", "metadata"} <= told.keys():
            return content, False  # it is what the tool said
    if not isinstance(told, dict) or not {"output", "content"} & told.keys():
        return told, False
    about = told.get("metadata")
    code = about.get("exit_code") if isinstance(about, dict) else None
    failed = told.get("success") is False or (isinstance(code, int) and code != 0)
    return told.get("output", told.get("content")), failed


def _logs(told: object) -> object:
    """What the code interpreter printed, where that is what is told."""
    if isinstance(told, list) and all(isinstance(one, dict) and "logs" in one for one in told):
        return "\n".join(str(one["logs"]) for one in told)
    return told


def _extend(message: Message, key: str, text: str) -> None:
    if text:
        message[key] = f"{message[key]}\n{text}" if message.get(key) else text
