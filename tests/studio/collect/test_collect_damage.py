"""Damaged files, odd encodings and odd folders: told with path, line and reason, the rest kept."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from db.errors import BadInput
from db.store import Store
from studio.collect import splitting
from studio.collect.importing import Summary, import_paths


def row(number: int, text: str = "hello") -> str:
    messages = [{"role": "user", "content": f"{text} {number}"}]
    return json.dumps({"messages": messages}, ensure_ascii=False)


def alpaca(count: int) -> list[dict[str, Any]]:
    return [{"instruction": f"i{n}", "input": "", "output": f"o{n}"} for n in range(count)]


def imported(store: Store, path: Path, data: bytes, **options: Any) -> Summary:
    path.write_bytes(data)
    return import_paths(store, [path], **options)


def tasks(store: Store) -> list[str]:
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT task FROM interaction_body ORDER BY id")
        return [str(row[0]) for row in rows]


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (row(2)[:-5].encode(), "not JSON: Unterminated string starting at column"),
        (b'{"messages": [}', "not JSON: Expecting value at column 15"),
        (row(2, "caf\xe9").encode("cp1252"), "not UTF-8: byte 0xe9 at byte offset 46"),
        (row(2).encode().replace(b"hello", b"he\0lo"), "not JSON: NUL byte at column 46"),
        (b"\0" * 40, "not JSON: "),
        (b'{"messages": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested deeper than 200 levels"),
        (b'{"messages": ' + b"[" * 5000, "nested deeper than 200 levels"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not usable JSON: Exceeds the limit"),
        (b"prose", "not JSON: Expecting value at column 1"),
        (b"42", "not an object but a number"),
        (b"null", "not an object but null"),
        (b'{"messages": "x"}', "neither a chat completion with its request nor a list"),
        (b'{"messages": [1]}', "message 1 is not an object"),
        (b'{"messages": [{"content": "x"}]}', "message 1 has no role"),
        (b'{"messages": [{"role": "bot"}]}', "message 1: unknown role bot"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_one_bad_line(
    store: Store, tmp_path: Path, damaged: bytes, reason: str, end: bytes
) -> None:
    path = tmp_path / "log"
    lines = [row(1).encode(), damaged, b"", row(4).encode()]
    summary = imported(store, path, end.join(lines) + end)
    assert summary.imported == 2
    (rejected,) = summary.rejected
    assert (rejected.path, rejected.line) == (str(path), 2)
    assert rejected.reason.startswith(reason)
    assert tasks(store) == ["hello 1", "hello 4"]
    with store.read() as connection:
        kept = connection.exec_driver_sql("SELECT line, reason FROM rejection").all()
    assert [tuple(one) for one in kept] == [(2, rejected.reason)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"cut \\ud83d here"', "cut \ufffd here"),
        ('"pair \\ud83d\\ude00"', "pair 😀"),
        ('"nul \\u0000 here"', "nul \ufffd here"),
        ('"a", "content": "the last of two keys"', "the last of two keys"),
        ('"x", "score": NaN, "other": -Infinity', "x"),
        ('"x", "score": 1e999', "x"),
        ('"x", "big": 123456789012345678901234567890', "x"),
    ],
)
def test_odd_but_usable_json_is_kept(
    store: Store, tmp_path: Path, text: str, expected: str
) -> None:
    line = f'{{"messages": [{{"role": "user", "content": {text}}}]}}'
    summary = imported(store, tmp_path / "log", line.encode())
    assert (summary.imported, summary.rejected) == (1, [])
    assert tasks(store) == [expected]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("layout", ["lines", "array"])
def test_encodings(store: Store, tmp_path: Path, encoding: str, layout: str) -> None:
    rows = [row(n, "Grüße, 世界 😀") for n in range(3)]
    text = "\n".join(rows) if layout == "lines" else "[" + ",\n".join(rows) + "]"
    summary = imported(store, tmp_path / "log", text.encode(encoding))
    assert (summary.imported, summary.rejected) == (3, [])
    assert tasks(store) == [f"Grüße, 世界 😀 {n}" for n in range(3)]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_that_is_cut_anywhere(store: Store, tmp_path: Path, indent: int | None) -> None:
    """Every whole element before the cut is kept, and the cut is told with its line."""
    data = json.dumps(alpaca(6), indent=indent).encode()
    for cut in range(data.index(b"o0"), len(data) - 1, 7):
        whole = data[:cut].count(b"}")
        path = tmp_path / f"cut{cut}"
        summary = imported(store, path, data[:cut])
        assert summary.imported + summary.already_present == whole
        (rejected,) = summary.rejected
        assert rejected.line == data[:cut].rstrip().count(b"\n") + 1
        assert rejected.reason.startswith("cut off: the file ends inside")


def test_a_single_line_or_object_that_is_cut_is_still_recognised(
    store: Store, tmp_path: Path
) -> None:
    for indent in (None, 1):
        text = json.dumps({"messages": [{"role": "user", "content": "x" * 50}]}, indent=indent)
        summary = imported(store, tmp_path / f"{indent}", text[:-20].encode())
        assert summary.unknown == []
        (rejected,) = summary.rejected
        assert rejected.line == text[:-20].count("\n") + 1
        assert rejected.reason == ("cut off: the file ends inside the value that begins in line 1")


def test_bad_elements_of_an_array(store: Store, tmp_path: Path) -> None:
    good = [json.dumps(one).encode() for one in alpaca(3)]
    bad = [b'{"instruction": "x", }', b'{"instruction": "caf\xe9", "output": "x"}', b"{oops}"]
    path = tmp_path / "array"
    summary = imported(store, path, b"[\n" + b",\n".join([good[0], *bad, *good[1:]]) + b"\n]")
    assert summary.imported == 3
    assert [one.line for one in summary.rejected] == [3, 4, 5]
    assert "not UTF-8: byte 0xe9" in summary.rejected[1].reason


def test_bad_elements_that_share_a_line_are_all_told(store: Store, tmp_path: Path) -> None:
    summary = imported(store, tmp_path / "a", b'[{"instruction": "i", "output": "o"},{a},{b}]')
    assert [one.line for one in summary.rejected] == [1, 1]
    with store.read() as connection:
        (kept,) = connection.exec_driver_sql("SELECT reason FROM rejection").scalars()
    assert kept == "; ".join(one.reason for one in summary.rejected)


def test_a_stray_bracket_does_not_hide_what_follows(store: Store, tmp_path: Path) -> None:
    rows = [json.dumps(one).encode() for one in alpaca(3)]
    summary = imported(store, tmp_path / "a", b"[" + rows[0] + b"}," + b",".join(rows[1:]) + b"]")
    assert summary.imported == 3
    assert len(summary.rejected) == 1


@pytest.mark.parametrize("layout", ["lines", "array"])
def test_a_value_over_the_limit_is_passed_over_and_never_held(tmp_path: Path, layout: str) -> None:
    """In a process of its own, so that its memory can be read: 100 MB are not in it."""
    path = tmp_path / "log"
    long = b'{"messages": [{"role": "user", "content": "' + b"x" * 100_000_000 + b'"}]}'
    lines = [row(1).encode(), long, row(3).encode()]
    with path.open("wb") as file:
        file.write(b"\n".join(lines) if layout == "lines" else b"[" + b",\n".join(lines) + b"]")
    script = (
        "import sys, resource; from pathlib import Path\n"
        "from db.store import open_store\n"
        "from studio.collect.importing import import_paths\n"
        "base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "s = import_paths(open_store(sys.argv[1], create=True), [Path(sys.argv[2])])\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(s.imported, [(r.line, r.reason) for r in s.rejected], (peak - base) // 1024)\n"
    )
    store = tmp_path / "s.db"
    done = subprocess.run(
        [sys.executable, "-c", script, str(store), str(path)], capture_output=True, text=True
    )
    assert done.stderr == ""
    told, megabytes = done.stdout.rsplit(" ", 1)
    assert told == f"2 [(2, 'longer than {splitting.PIECE_LIMIT >> 20} MiB')]"
    limit = splitting.PIECE_LIMIT >> 20
    assert int(megabytes) < 2 * limit + 32, f"{megabytes} MB more than before the import"
    assert resource.getpagesize()  # ru_maxrss is in KiB only where this module is


def test_a_missing_path_imports_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "good").write_text(row(1))
    with pytest.raises(BadInput, match="nowhere does not exist"):
        import_paths(store, [tmp_path / "good", tmp_path / "nowhere"])
    with pytest.raises(BadInput, match="unknown format 'nothing'; known are"):
        import_paths(store, [tmp_path / "good"], format="nothing")
    assert tasks(store) == []


def test_a_folder_of_everything(store: Store, tmp_path: Path) -> None:
    """Links, loops, pipes, sockets, unreadable and broken things; each told once, none fatal."""
    folder = tmp_path / "logs"
    (folder / "b" / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git" / "hidden").write_text(row(0))
    (folder / "b" / "deep" / "one").write_text(row(1))
    (tmp_path / "elsewhere").write_text(row(2))
    (folder / "a_link").symlink_to(tmp_path / "elsewhere")
    (folder / "b" / "loop").symlink_to(folder)
    (folder / "broken").symlink_to(tmp_path / "gone")
    (folder / "self").symlink_to(folder / "self")
    (folder / "notes.md").write_text("# Notes")
    (folder / "empty").touch()
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
        summary = import_paths(store, [folder, folder, Path("/dev/null")])
    assert summary.imported == 2
    assert [Path(name).name for name in summary.unknown] == ["empty", "notes.md"]
    told = {Path(one.path).name: one.reason for one in summary.rejected}
    assert told == {
        "loop": f"this folder was already read as {folder}",
        "logs": f"this folder was already read as {folder}",
        "broken": "cannot be read: No such file or directory",
        "self": "cannot be read: Too many levels of symbolic links",
        "pipe": "not a file (a pipe, socket or device)",
        "socket": "not a file (a pipe, socket or device)",
        "null": "not a file (a pipe, socket or device)",
    }
    assert all(one.line == 0 for one in summary.rejected)
    assert tasks(store) == ["hello 2", "hello 1"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_and_folders(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(row(1))
    (tmp_path / "file").chmod(0)
    (tmp_path / "folder").mkdir(mode=0)
    (tmp_path / "good").write_text(row(2))
    summary = import_paths(store, [tmp_path])
    assert summary.imported == 1
    assert [one.reason for one in summary.rejected] == ["cannot be read: Permission denied"] * 2


def test_a_file_that_fails_while_it_is_read(store: Store, tmp_path: Path) -> None:
    """/proc/self/mem is a regular file that cannot be read from its start."""
    (tmp_path / "good").write_text(row(1))
    (tmp_path / "bad").symlink_to("/proc/self/mem")
    summary = import_paths(store, [tmp_path])
    assert summary.imported == 1
    assert summary.rejected == [] or summary.rejected[0].reason.startswith("cannot be read")


def test_the_stores_own_files_are_left_out(store: Store) -> None:
    assert store.path is not None
    (store.path.parent / "log").write_text(row(1))
    (store.path.parent / f"{store.path.name}.backup-0001-7").write_text(row(2))
    summary = import_paths(store, [store.path.parent])
    assert (summary.imported, summary.unknown, summary.rejected) == (1, [], [])


def test_names_that_are_no_text(store: Store, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    summary = imported(store, path, row(1).encode() + b"\nprose\n")
    assert summary.imported == 1
    assert summary.rejected[0].path == f"{tmp_path}/caf\ufffd"


def test_a_forced_format_tells_why_a_file_is_not_of_it(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert imported(store, path, b"prose\nmore prose\n").unknown == [str(path)]
    summary = imported(store, path, b"prose\nmore prose\n", format="alpaca")
    assert [one.line for one in summary.rejected] == [1, 2]
    assert summary.by_format == {"alpaca": 0}


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("prose.jsonl", b"prose\nmore prose\n", "not JSON: Expecting value at column 1"),
        ("binary.json", bytes(range(256)), "not JSON: NUL byte at column 1"),
        ("cut.ndjson", b'{"messages": "' + b"x" * 2000, "cut off: the file ends inside"),
    ],
)
def test_a_file_that_promises_json_and_holds_none_is_told_with_the_reason(
    store: Store, tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    summary = imported(store, tmp_path / name, data)
    assert summary.unknown == []
    (rejected,) = summary.rejected
    assert (rejected.path, rejected.line) == (str(tmp_path / name), 1)
    assert rejected.reason.startswith(reason)
