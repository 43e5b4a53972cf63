"""What the story of a first day begins with: logs, a recipe of two steps, a suite of nine items."""

from __future__ import annotations

import json
import shutil
from itertools import groupby
from pathlib import Path

from studio.nano import SAMPLE, SUITE
from tests.studio.training.conftest import write_recipe


def write_story_files(folder: Path) -> None:
    """Write `logs/`, `quick.yaml` and `few.jsonl` to where the user stands."""
    (folder / "logs").mkdir()
    shutil.copy(SAMPLE, folder / "logs")
    write_recipe(folder, steps=2, evaluate_every=2, score_items=1, batch_size=2)
    items = [json.loads(line) for line in SUITE.read_text("utf-8").splitlines()]
    few = [
        item
        for _, same in groupby(items, key=lambda item: item["category"])
        for item in list(same)[:3]
    ]
    lines = (json.dumps(item) + "\n" for item in few)
    (folder / "few.jsonl").write_text("".join(lines), encoding="utf-8")
