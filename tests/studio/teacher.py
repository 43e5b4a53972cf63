"""An OpenAI-compatible endpoint on this machine that answers, fails and counts as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """An answer that is none: a status, headers, a body as it goes over the wire."""

    status: int
    body: str = '{"error": {"message": "no"}}'
    headers: dict[str, str] = field(default_factory=dict)


def completion(
    *texts: str | None, finish: str = "stop", tokens: int | None = 7, **message: Any
) -> Body:
    """A chat completion with a choice for each text."""
    usage = None if tokens is None else {"prompt_tokens": 20, "completion_tokens": tokens}
    return {
        "id": "chatcmpl-1",
        "model": "teacher-2026",
        "choices": [
            {
                "index": number,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, **message},
            }
            for number, text in enumerate(texts)
        ],
        **({"usage": usage} if usage else {}),
    }


@dataclass(frozen=True)
class Asked:
    """One request: its body, and how many came before it."""

    body: Body
    number: int


Answer = Callable[[Asked], "Body | Failure"]


class Teacher:
    """The server. `answer` is called for each request."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[Body] = []
        self.keys: list[str | None] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()
        teacher = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                teacher._serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        """What stands in endpoints.yaml."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        with self._lock:
            number = len(self.requests)
            self.requests.append(body)
            self.keys.append(handler.headers.get("Authorization"))
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            found = self.answer(Asked(body, number))
        finally:
            with self._lock:
                self._now -= 1
        failed = isinstance(found, Failure)
        handler.send_response(found.status if isinstance(found, Failure) else 200)
        for name, value in (found.headers if isinstance(found, Failure) else {}).items():
            handler.send_header(name, value)
        text = found.body if isinstance(found, Failure) else json.dumps(found)
        data = text.encode()
        handler.send_header("Content-Type", "application/json" if not failed else "text/plain")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)


@contextmanager
def teaching(answer: Answer) -> Iterator[Teacher]:
    """A teacher that answers until the block ends."""
    teacher = Teacher(answer)
    thread = threading.Thread(target=teacher.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield teacher
    finally:
        teacher.server.shutdown()
        teacher.server.server_close()
