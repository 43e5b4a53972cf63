"""An upload says what is missing, and sends what was written and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT


class Hub(ThreadingHTTPServer):
    """As much of the Hub's interface as an upload asks for, on this machine."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[tuple[str, bytes]] = []


class Answer(BaseHTTPRequestHandler):
    """One request, kept and answered."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        assert isinstance(self.server, Hub)
        self.server.asked.append((self.path, body))
        host = f"http://127.0.0.1:{self.server.server_port}/datasets/me/tools"
        value: Any = {}
        if self.path == "/api/repos/create":
            value = {"url": host}
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            value = {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                               for f in files]}  # fmt: skip
        elif "/commit/" in self.path:
            value = {"commitUrl": f"{host}/commit/1", "commitOid": "1", "pullRequestUrl": None}
        elif "/tree/" in self.path:
            value = [{"type": "file", "path": "test.jsonl", "oid": "1", "size": 3}]
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def upload(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`check_login` and `push` in a process of their own: the Hub's address is read at import."""
    code = (
        "import sys; from pathlib import Path; from exports.hub import check_login, push\n"
        "check_login('me/tools')\n"
        "print(push(Path(sys.argv[1]), 'me/tools', ['README.md', 'train.jsonl']))"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True,
        check=False, env={**clean, "HF_HOME": str(folder / "home"), **environment},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("README.md", "train.jsonl", "private-notes.txt"):
        (tmp_path / name).write_text(f"{name}\n")
    return tmp_path


def test_without_a_login_nothing_is_asked(folder: Path, hub: Hub) -> None:
    done = upload(folder, HF_ENDPOINT=f"http://127.0.0.1:{hub.server_port}")
    assert "BadInput" in done.stderr
    assert "hf auth login" in done.stderr
    assert hub.asked == []


def test_what_was_written_goes_up_in_one_commit_into_a_private_dataset(
    folder: Path, hub: Hub
) -> None:
    done = upload(folder, HF_ENDPOINT=f"http://127.0.0.1:{hub.server_port}", HF_TOKEN="hf_x")
    assert done.stdout.strip().endswith("/datasets/me/tools"), done.stderr
    created = next(json.loads(body) for path, body in hub.asked if path == "/api/repos/create")
    assert (created["type"], created["visibility"]) == ("dataset", "private")
    (commit,) = [body for path, body in hub.asked if "/commit/" in path]
    lines = [json.loads(line) for line in commit.splitlines()]
    assert sorted(line["value"]["path"] for line in lines if line["key"] == "file") == [
        "README.md", "train.jsonl",
    ]  # fmt: skip
    assert [line["value"]["path"] for line in lines if line["key"] == "deletedFile"] == [
        "test.jsonl"
    ]


def test_a_hub_that_cannot_be_reached_is_said_in_a_line(folder: Path) -> None:
    done = upload(folder, HF_ENDPOINT="http://127.0.0.1:9", HF_TOKEN="hf_x")
    assert "BadInput: --push me/tools: the files lie in" in done.stderr.splitlines()[-1]
