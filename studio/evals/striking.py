"""Items of a suite that do not count for an arm: its training side, or its examples, share them.

The choice was made when the dataset was built (`--overlap strike`) and is kept in its report.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from db.interactions import loads
from db.models.base import table
from db.models.datasets import Dataset
from db.models.runs import Checkpoint, Run
from db.store import Store
from exports.frozen import find_dataset
from exports.leakage import struck_items
from exports.suites import Suite
from studio.evals.arms import Arm


def struck_for(store: Store, arm: Arm, suite: Suite) -> frozenset[str]:
    """The ids of the items that are struck from the verdict on this arm."""
    struck: frozenset[str] = frozenset()
    if arm.adapter is not None:
        struck |= _of_adapter(store, arm.adapter, suite)
    if arm.shots is not None:
        struck |= struck_items(find_dataset(store, arm.shots.dataset).report, suite)
    return struck


def _of_adapter(store: Store, folder: Path, suite: Suite) -> frozenset[str]:
    """By the dataset of the run that saved it; nothing is known of an adapter from elsewhere."""
    runs, checkpoints, datasets = table(Run), table(Checkpoint), table(Dataset)
    statement = (
        select(datasets.c.report_json)
        .join_from(checkpoints, runs, checkpoints.c.run_id == runs.c.id)
        .join(datasets, runs.c.dataset_id == datasets.c.id)
        .where(checkpoints.c.path.in_({str(folder), str(folder.resolve())}))
    )
    with store.read() as connection:
        reports = connection.execute(statement).scalars().all()
    return frozenset(item for report in reports for item in struck_items(loads(report), suite))
