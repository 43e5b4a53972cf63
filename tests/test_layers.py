"""Who may import whom, and what the terminal process never loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT

HEAVY = (
    "torch", "transformers", "datasets", "peft", "trl", "sklearn", "numba", "pyarrow", "alembic",
)  # fmt: skip


def test_db_exports_studio_import_only_downwards() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports_command; "
         "sys.exit(lint_imports_command())"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    "module", ["studio.__main__", "studio.cli", "studio.app", "db.store", "db.filters"]
)
def test_what_the_terminal_imports_is_light(module: str) -> None:
    code = f"import {module}, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_the_first_frame_waits_for_no_database_layer() -> None:
    late = ("sqlalchemy", "sqlmodel", "pydantic", "yaml", "msgspec", "pygments.lexers", "click")
    modules = "studio.__main__, studio.app, studio.screens.browse, sys"
    code = f"import {modules}; print([m for m in {late!r} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_near_duplicates_load_their_compiler_only_when_they_run() -> None:
    code = "import exports.near_duplicates, studio.curation.duplicates, sys; "
    found = subprocess.run(
        [sys.executable, "-c", code + "print('numba' in sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == "False"
