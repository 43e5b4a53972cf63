"""Make the embedded base anew: suite and replay set drawn, weights trained, accuracy measured.

Steps and seeds are fixed, so the same machine with the same pins gives the same weights.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from db.store import open_store
from studio.evals.workbench import evaluate_specs
from studio.nano import MODEL, card, corpus, suite
from studio.nano.pretrain import Plan, pretrain

Progress = Callable[[float, float, str], None]


def rebuild(progress: Progress) -> None:
    """Replace the shipped suite, replay set and model; takes 10 to 20 minutes on one core."""
    suite.main()
    corpus.main()
    pretrain(Plan(), MODEL, progress)
    measure(progress)


def measure(progress: Progress) -> None:
    """Evaluate the embedded base on its suite, as any arm is, and put the rates into its card."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "studio.db"), create=True)
        try:
            (report,) = evaluate_specs(store, ["base"], "nano", progress=progress)
        finally:
            store.close()
    rates: dict[str, Any] = report["by_category"]
    card.write(MODEL, card.read(MODEL) | {"accuracy": rates})
