"""Evaluate arms on a suite: answers from the cache or the model, verdicts, one report an arm.

Every answer is committed as it is made, so that a second adapter generates nothing for the base
and an interrupted evaluation goes on where it stopped.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xxhash
from sqlalchemy import func, insert, select

from db.interactions import dumps, loads
from db.models.base import table
from db.models.evaluations import Arm as ArmRow
from db.models.evaluations import Evaluation, Generation, Outcome
from db.store import Store, now_ms
from exports.suites import Item, Suite
from studio.evals.arms import MAX_NEW_TOKENS, Arm
from studio.evals.compare import Verdict, rate, rates_by
from studio.evals.score import Score, score_text, truncated
from studio.evals.striking import struck_for
from studio.sandbox import SandboxUnavailable, Task, probe, run_tasks

if TYPE_CHECKING:
    from studio.evals.generate import Answer, Model

ARMS, EVALUATIONS = table(ArmRow), table(Evaluation)
OUTCOMES, GENERATIONS = table(Outcome), table(Generation)
Progress = Callable[[float, float, str], None]


@dataclass(frozen=True, slots=True)
class Scored:
    """One item's answer and verdict."""

    item: Item
    answer: Answer
    key: str
    score: Score
    cached: bool


def drawn_items(suite: Suite, limit: int | None) -> list[Item]:
    """`limit` items drawn evenly from the categories, always the same ones; all without a limit."""
    if limit is None or limit >= len(suite.items):
        return suite.items
    rank: Counter[str] = Counter()
    drawn: list[tuple[int, str, Item]] = []
    for item in sorted(suite.items, key=lambda i: xxhash.xxh3_64_intdigest(i.id.encode())):
        drawn.append((rank[item.category], item.category, item))
        rank[item.category] += 1
    chosen = {item.id for _, _, item in sorted(drawn, key=lambda d: d[:2])[:limit]}
    return [item for item in suite.items if item.id in chosen]


def evaluate(
    store: Store,
    arms: Sequence[Arm],
    suite: Suite,
    *,
    limit: int | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """The report of every arm, in the order given. Bases are loaded once each."""
    from studio.evals.generate import Model

    items = drawn_items(suite, limit)
    if any(item.scorer["kind"] == "code" for item in items):
        _require_sandbox()
    models: dict[str, Model] = {}
    reports = []
    for number, arm in enumerate(arms):
        model = models.get(str(arm.base.folder))
        if model is None:
            model = models[str(arm.base.folder)] = Model(arm.base)

        def show(done: float, total: float, arm: Arm = arm, number: int = number) -> None:
            if progress is not None:
                progress(
                    number * total + done, len(arms) * total, f"{arm.spec} {done:.0f}/{total:.0f}"
                )

        scored = _run(store, model, arm, items, workers, show)
        reports.append(_record(store, model, arm, suite, scored))
    return reports


def _require_sandbox() -> None:
    """Raises SandboxUnavailable before anything is generated that could not be judged."""
    report = probe()
    if report.tier == "C":
        raise SandboxUnavailable(report.explanation())


def stored_verdicts(store: Store, arm: Arm, suite: Suite, n: int) -> list[Verdict] | None:
    """The verdicts of the newest evaluation of this arm on these items; None when there is none."""
    with store.read() as connection:
        newest = connection.execute(
            select(func.max(EVALUATIONS.c.id))
            .join_from(EVALUATIONS, ARMS, EVALUATIONS.c.arm_id == ARMS.c.id)
            .where(ARMS.c.digest == arm.digest, EVALUATIONS.c.suite_sha256 == suite.sha256)
            .where(EVALUATIONS.c.n == n)
        ).scalar()
        if newest is None:
            return None
        rows = connection.execute(select(OUTCOMES).where(OUTCOMES.c.evaluation_id == newest)).all()
    struck = struck_for(store, arm, suite)
    return [
        Verdict(row.item, row.verdict, row.category, row.agent or "", row.item in struck)
        for row in rows
    ]


def newest_rate(store: Store, arm: Arm, suites: Sequence[Suite]) -> tuple[int, int, str] | None:
    """(passed, n, suite) of the newest evaluation of this arm, on one of the suites if given."""
    statement = (
        select(EVALUATIONS.c.suite, EVALUATIONS.c.report_json)
        .join_from(EVALUATIONS, ARMS, EVALUATIONS.c.arm_id == ARMS.c.id)
        .where(ARMS.c.digest == arm.digest)
        .order_by(EVALUATIONS.c.id.desc())
    )
    if suites:
        statement = statement.where(EVALUATIONS.c.suite_sha256.in_([s.sha256 for s in suites]))
    with store.read() as connection:
        row = connection.execute(statement.limit(1)).first()
    if row is None:
        return None
    report = loads(row.report_json)
    return report["passed"], report["n"], row.suite


def _run(
    store: Store,
    model: Model,
    arm: Arm,
    items: Sequence[Item],
    workers: int,
    show: Callable[[float, float], None],
) -> list[Scored]:
    from studio.evals.generate import Decoding, Request

    adapter = model.load_adapter(arm.adapter) if arm.adapter else None
    requests = []
    for item in items:
        messages, tools = arm.messages_for(item)
        decoding = Decoding(max_new_tokens=item.max_tokens or MAX_NEW_TOKENS)
        requests.append(Request(model.template.prompt(messages, tools), decoding))
    keys = [model.key(adapter, r, model.template.encode(r.prompt)) for r in requests]
    answers = _cached(store, keys)
    cached = set(answers)
    missing = [n for n, key in enumerate(keys) if key not in answers]
    show(len(items) - len(missing), len(items))
    for batch in model.generate([requests[n] for n in missing], adapter):
        fresh = {keys[missing[n]]: answer for n, answer in batch}
        _keep(store, fresh)
        answers.update(fresh)
        show(len(answers), len(items))
    return _score(items, keys, answers, cached, workers)


def _cached(store: Store, keys: Sequence[str]) -> dict[str, Answer]:
    from studio.evals.generate import Answer

    found: dict[str, Answer] = {}
    with store.read() as connection:
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            for row in connection.execute(select(GENERATIONS).where(GENERATIONS.c.key.in_(part))):
                found[row.key] = Answer(
                    row.text, row.prompt_tokens, row.completion_tokens, row.finish_reason,
                    row.seconds,
                )  # fmt: skip
    return found


def _keep(store: Store, fresh: dict[str, Answer]) -> None:
    rows = [
        {
            "key": key,
            "text": answer.text,
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "finish_reason": answer.finish_reason,
            "seconds": answer.seconds,
        }
        for key, answer in fresh.items()
    ]
    with store.write() as connection:
        connection.execute(insert(GENERATIONS).prefix_with("OR IGNORE"), rows)


def _score(
    items: Sequence[Item],
    keys: Sequence[str],
    answers: dict[str, Answer],
    cached: set[str],
    workers: int,
) -> list[Scored]:
    scores: dict[str, Score] = {}
    tasks: list[Task] = []
    for item, key in zip(items, keys, strict=True):
        result = score_text(item, answers[key].text, answers[key].finish_reason)
        if isinstance(result, Task):
            tasks.append(result)
        else:
            scores[item.id] = result
    reasons = {item.id: answers[key].finish_reason for item, key in zip(items, keys, strict=True)}
    for done in run_tasks(tasks, workers=workers) if tasks else ():
        scores[done.id] = truncated(Score(done.verdict, done.detail), reasons[done.id])
    return [
        Scored(item, answers[key], key, scores[item.id], key in cached)
        for item, key in zip(items, keys, strict=True)
    ]


def _record(
    store: Store, model: Model, arm: Arm, suite: Suite, scored: Sequence[Scored]
) -> dict[str, Any]:
    """Keep the outcomes and the report in one transaction; returns the report."""
    report = _report(model, arm, scored, struck_for(store, arm, suite))
    details = {"base": arm.base.name, "adapter": str(arm.adapter) if arm.adapter else None}
    with store.write() as connection:
        arm_id = (
            connection.execute(select(ARMS.c.id).where(ARMS.c.digest == arm.digest)).scalar()
            or connection.execute(
                insert(ARMS)
                .values(spec=arm.spec, digest=arm.digest, details_json=dumps(details))
                .returning(ARMS.c.id)
            ).scalar_one()
        )
        evaluation = connection.execute(
            insert(EVALUATIONS)
            .values(
                arm_id=arm_id,
                suite=suite.name,
                suite_sha256=suite.sha256,
                n=len(scored),
                created_ms=now_ms(),
                report_json=dumps(report),
            )
            .returning(EVALUATIONS.c.id)
        ).scalar_one()
        connection.execute(
            insert(OUTCOMES),
            [
                {
                    "evaluation_id": evaluation,
                    "item": s.item.id,
                    "category": s.item.category,
                    "agent": s.item.agent,
                    "verdict": s.score.verdict,
                    "strict": s.score.strict,
                    "detail": s.score.detail,
                    "generation_key": s.key,
                }
                for s in scored
            ],
        )
    return {"evaluation": evaluation, **report}


def _report(
    model: Model, arm: Arm, scored: Sequence[Scored], struck: Collection[str]
) -> dict[str, Any]:
    """Rates without the struck items, which are counted apart; cost with them."""
    every = [
        Verdict(
            s.item.id, s.score.verdict, s.item.category, s.item.agent or "", s.item.id in struck
        )
        for s in scored
    ]
    verdicts = [verdict for verdict in every if not verdict.struck]
    apart = [verdict for verdict in every if verdict.struck]
    fresh = [s for s in scored if not s.cached]
    seconds = sum(s.answer.seconds for s in scored)
    tokens = sum(s.answer.completion_tokens for s in scored)
    calls = [s for s in scored if s.item.scorer["kind"] == "tool_call" and s.item.id not in struck]
    strict = sum(s.score.verdict == "passed" and s.score.strict is True for s in calls)
    return {
        "arm": arm.spec,
        **rate(sum(v.passed for v in verdicts), len(verdicts)),
        "by_category": rates_by(verdicts, lambda v: v.category),
        "by_agent": rates_by(verdicts, lambda v: v.agent),
        "by_verdict": dict(Counter(v.verdict for v in verdicts).most_common()),
        "struck": {
            "n": len(apart),
            "passed": sum(verdict.passed for verdict in apart),
            "items": [verdict.item for verdict in apart],
        },
        "strict_calls": rate(strict, len(calls)),
        "prompt_tokens": sum(s.answer.prompt_tokens for s in scored),
        "completion_tokens": tokens,
        "tokens_per_second": tokens / seconds if seconds else None,
        "seconds_per_answer": seconds / len(scored) if scored else None,
        "at_token_limit": sum(s.answer.finish_reason == "length" for s in scored),
        "load_seconds": model.load_seconds,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "cached": len(scored) - len(fresh),
    }
