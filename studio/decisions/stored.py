"""Decide from what is stored: no model is loaded, nothing is evaluated."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from db import evaluations
from db.errors import BadInput
from db.evaluations import StoredEvaluation
from db.reader import read_only
from studio.decisions.decide import decide
from studio.decisions.rules import Evidence, Rules, read_rules
from studio.evals import stored
from studio.evals.compare import Verdict, compare
from studio.evals.stored import Board


def decide_board(
    path: Path, board: Board, against: StoredEvaluation, rules: Rules | None = None
) -> dict[str, Any]:
    """The decision between the arm to beat and all that was made of the same base.

    `decide`'s answer with `against`, `suite`, `n`, `margin` and the `evaluations` it rests on.
    Raises BadInput when there is no other arm.
    """
    rules = rules or read_rules(None)
    candidates = [arm for arm in board.arms if arm.id != against.id and _of_base(arm, against)]
    if not candidates:
        raise BadInput(
            f"nothing on {against.base or 'the base'} was evaluated on {board.suite} beside "
            f"{board.label(against)}: evaluate a run, or base+random4"
        )
    with contextlib.closing(read_only(path)) as connection:
        forced = evaluations.forced_folders(connection)
        to_beat = stored.verdicts(connection, against.id)
        verdicts = {arm.id: stored.verdicts(connection, arm.id) for arm in candidates}
    evidence = [
        _evidence(board, arm, against, verdicts[arm.id], to_beat, forced, rules)
        for arm in sorted(candidates, key=lambda arm: arm.id)
    ]
    return {
        "against": board.label(against),
        "suite": board.suite,
        "n": board.n,
        "margin": rules.margin,
        "evaluations": {board.label(arm): arm.id for arm in board.arms},
        **decide(rules, evidence, board.label(against)),
    }


def _of_base(arm: StoredEvaluation, against: StoredEvaluation) -> bool:
    """Whether an arm is an adapter or a prompt on the same base; another base is no candidate."""
    return arm.base == against.base and (arm.adapter is not None or "+" in arm.spec)


def _evidence(
    board: Board,
    arm: StoredEvaluation,
    against: StoredEvaluation,
    own: list[Verdict],
    to_beat: list[Verdict],
    forced: set[str],
    rules: Rules,
) -> Evidence:
    return Evidence(
        spec=board.label(arm),
        trained=arm.adapter is not None,
        forced=arm.adapter is not None and str(Path(arm.adapter).parent) in forced,
        rate=sum(verdict.passed for verdict in own) / len(own),
        seconds_per_answer=arm.seconds_per_answer,
        delta=compare(to_beat, own, margin=rules.margin),
        seconds_to_beat=against.seconds_per_answer,
    )
