"""The measurements run, and say what they are for."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.conftest import ROOT


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_without_a_name_they_are_listed_and_an_unknown_one_names_them() -> None:
    assert "parser" in bench().stdout
    unknown = bench("nothing")
    assert unknown.returncode == 2
    assert "curation" in unknown.stderr


def test_the_parsers_table_has_a_line_for_each_kind_of_text() -> None:
    done = bench("parser", "--texts", "300", "--megabytes", "0.02")
    assert done.returncode == 0, done.stderr
    assert "300 fuzzed texts" in done.stdout
    for kind in ("prose", "code", "calls in tags", "calls in XML", "bare JSON"):
        assert kind in done.stdout


def test_curation_finds_what_was_planted_and_counts_exactly() -> None:
    done = bench("curation", "--documents", "400", "--brute", "5", "--json")
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    ours = value["results"][0]
    assert (ours["recall"], ours["near"]) == (1.0, 1.0)
    assert value["brute"][0] == value["brute"][1]
    assert value["token_counts"]["equal"]
    assert value["token_counts"]["reason"] is None
