"""More solutions from a teacher: k answers to each problem, kept as they arrive, then verified.

Only the main thread writes; a few threads ask. Ctrl+C, a kill or an endpoint that fails leaves
what came, and the same call goes on there.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, text

from db.counted import counted
from db.errors import BadInput
from db.interactions import bodies, loads, output_of
from db.store import Store
from exports.quality import CUT_OFF
from exports.solutions import Answer, distinct
from studio.chat import ChatClient, EndpointError, Reply, RequestRefused
from studio.curation.questions import Question, Questions
from studio.curation.sampled import Order, keep, stored_answers
from studio.curation.verify import verify
from studio.endpoints import EndpointSettings
from studio.interruptible import interrupts_noted, taken
from studio.sandbox import SandboxUnavailable

DEFAULTS = {"temperature": 0.8}
MAX_TOKENS = 2048
CHARS_PER_TOKEN = 4  # of English and code, about: for what is only a forecast
_PAID = ("tokens", "prompt_tokens", "completion_tokens", "tokens_untold")
Tell = Callable[[int, int, str], None]  # answers so far, of how many, in words


@dataclass(frozen=True, slots=True)
class Task:
    """One request: a question, and how many answers it asks for."""

    question: Question
    count: int


def order_of(
    name: str,
    endpoint: EndpointSettings,
    n: int,
    *,
    temperature: float | None = None,
    max_tokens: int | None = None,
) -> Order:
    """The order: what is said here counts more than the endpoint's own `parameters`.

    A parameter that the endpoint sets to null is not sent.
    """
    if n < 1:
        raise BadInput("--n is a number of answers from 1")
    said = {"temperature": temperature, endpoint.limit: max_tokens}
    parameters = {
        **DEFAULTS, endpoint.limit: MAX_TOKENS, **endpoint.parameters,
        **{key: value for key, value in said.items() if value is not None},
    }  # fmt: skip
    sent = {key: value for key, value in parameters.items() if value is not None}
    if "n" in sent or "messages" in sent or sent.get("stream"):
        raise BadInput(f"endpoint {name}: n, messages and stream are no parameters of one's own")
    return Order(name, endpoint.url, endpoint.model, sent, n)


def forecast(
    store: Store, order: Order, questions: Questions, endpoint: EndpointSettings
) -> dict[str, Any]:
    """What would be asked now: `{requests, answers, prompt_tokens, completion_tokens}`.

    Prompt tokens by characters, so about; completion tokens at most, None where nothing limits it.
    """
    missing = _missing(store, order, questions)
    requests = len(missing) if endpoint.several else sum(task.count for task in missing)
    times = [1 if endpoint.several else task.count for task in missing]
    chars = sum(task.question.chars * n for task, n in zip(missing, times, strict=True))
    limit = order.parameters.get(endpoint.limit)
    answers = sum(task.count for task in missing)
    return {
        "requests": requests,
        "answers": answers,
        "prompt_tokens": chars // CHARS_PER_TOKEN,
        "completion_tokens": answers * limit if isinstance(limit, int) else None,
    }


def sample(
    store: Store,
    order: Order,
    questions: Questions,
    client: ChatClient,
    *,
    workers: int = 4,
    tell: Tell = lambda _done, _total, _what: None,
) -> dict[str, Any]:
    """Ask for what is missing, then verify and count the order's answers.

    `asked` (answers) and `tokens` are of this call; `answers`, `verified` and `distinct` of all
    that is there to the order. Raises EndpointError when the endpoint fails; what came is kept.
    """
    asking = _Asking(store, order, client, tell, _missing(store, order, questions))
    try:
        interrupted = asking.run(workers)
    except EndpointError as error:
        came = counted(asking.came, "answer came and is kept", "answers came and are kept")
        raise EndpointError(f"{error} ({came}; the same command goes on there)") from error
    finally:
        client.close()
    ids = stored_answers(store, order, [question.problem for question in questions.asked])
    judged = {} if interrupted else judge(store, ids, workers=min(workers, 2), tell=tell)
    value = {**asking.report(), **summary(store, ids), "not_verified": None, **judged}
    return {**value, "interrupted": interrupted or value.get("interrupted", False)}


def nothing_asked(store: Store, order: Order, questions: Questions) -> dict[str, Any]:
    """The answer of `sample` where nothing was asked: what is there."""
    ids = stored_answers(store, order, [question.problem for question in questions.asked])
    counts = dict.fromkeys(("asked", "requests", *_PAID), 0)
    more: dict[str, Any] = {"refused": [], "not_verified": None, "interrupted": False}
    return {**counts, **summary(store, ids), **more}


def judge(
    store: Store, ids: Mapping[int, Sequence[int]], *, workers: int, tell: Tell
) -> dict[str, Any]:
    """Run the answers against the tests of their problems; says why where that cannot be done."""
    wanted = [identity for group in ids.values() for identity in group]
    try:
        found = verify(
            store,
            only=wanted,
            workers=workers,
            progress=lambda seen, total, _ran: tell(seen, total, f"verifying {seen:,}/{total:,}"),
        )
    except SandboxUnavailable as error:
        return {"not_verified": str(error)}
    keys = ("verified", "failed", "without_tests", "interrupted")
    return {key: found[key] for key in keys}


def summary(store: Store, ids: Mapping[int, Sequence[int]]) -> dict[str, Any]:
    """The answers that are there: how many, verified, failed, cut off, and distinct ones.

    Distinct by their code's syntax tree, else their text; an empty answer is no solution.
    """
    counts = Counter(dict.fromkeys(("answers", "verified", "failed", "truncated", "distinct"), 0))
    for group in ids.values():
        with store.read() as connection:
            texts = bodies(connection, group)
            rows = connection.execute(_VERDICTS, {"ids": list(group)}).all()
        for row in rows:
            counts["verified"] += row.verified == "passed"
            counts["failed"] += row.verified not in (None, "passed")
            counts["truncated"] += (row.stop_reason or "").casefold() in CUT_OFF
        answers = [Answer(i, output_of(loads(texts[i][1]))) for i in group if i in texts]
        counts["answers"] += len(answers)
        counts["distinct"] += len(distinct([a for a in answers if a.text.strip()]))
    return dict(counts)


_VERDICTS = text("SELECT verified, stop_reason FROM interaction WHERE id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)


def _missing(store: Store, order: Order, questions: Questions) -> list[Task]:
    there = stored_answers(store, order, [question.problem for question in questions.asked])
    return [
        Task(question, order.n - len(there[question.problem]))
        for question in questions.asked
        if len(there[question.problem]) < order.n
    ]


@dataclass
class _Asking:
    """The requests of one call: handed out by the main thread, asked by a few others."""

    store: Store
    order: Order
    client: ChatClient
    tell: Tell
    missing: Sequence[Task]
    waiting: deque[Task] = field(default_factory=deque)
    counts: Counter[str] = field(default_factory=Counter)
    refused: dict[int, str] = field(default_factory=dict)
    error: EndpointError | None = None

    def __post_init__(self) -> None:
        self.waiting.extend(self.missing)
        self.wanted = sum(task.count for task in self.missing)
        self.several = self.client.endpoint.several

    @property
    def came(self) -> int:
        """Answers that were committed by this call."""
        return self.counts["came"]

    def run(self, workers: int) -> bool:
        """Ask until nothing is missing; True when Ctrl+C ended it. Raises EndpointError."""
        todo: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        done: queue.SimpleQueue[tuple[Task, Reply | BaseException]] = queue.SimpleQueue()
        for _ in range(workers):
            threading.Thread(target=self._work, args=(todo, done), daemon=True).start()
        under_way = 0
        try:
            with interrupts_noted():
                while True:
                    while under_way < workers and (task := self._next()) is not None:
                        todo.put(task)
                        under_way += 1
                    if not under_way:
                        break
                    self._take(*taken(done))
                    under_way -= 1
        except KeyboardInterrupt:
            return True
        finally:
            for _ in range(workers):
                todo.put(None)
        if self.error is not None:
            raise self.error
        return False

    def report(self) -> dict[str, Any]:
        """What this call asked, got and paid."""
        counts = self.counts
        return {
            "asked": counts["asked"],
            "requests": counts["requests"],
            "tokens": counts["prompt_tokens"] + counts["completion_tokens"],
            "prompt_tokens": counts["prompt_tokens"],
            "completion_tokens": counts["completion_tokens"],
            "tokens_untold": counts["tokens_untold"],
            "refused": [{"problem": p, "reason": why} for p, why in self.refused.items()],
        }

    def _next(self) -> Task | None:
        """The next request; one for several answers is cut up where the server cannot do that."""
        while self.waiting and self.error is None:
            task = self.waiting.popleft()
            if task.question.problem in self.refused:
                continue
            if task.count > 1 and not self.several:
                one = Task(task.question, 1)
                self.waiting.extendleft([one] * (task.count - 1))
                return one
            return task
        return None

    def _work(
        self,
        todo: queue.SimpleQueue[Task | None],
        done: queue.SimpleQueue[tuple[Task, Reply | BaseException]],
    ) -> None:
        while (task := todo.get()) is not None:
            try:
                done.put((task, self.client.ask(self._body(task))))
            except BaseException as error:  # noqa: BLE001  raised again in the main thread
                done.put((task, error))

    def _body(self, task: Task) -> dict[str, Any]:
        question = task.question
        body: dict[str, Any] = {
            "model": self.order.model, "messages": question.messages, **self.order.parameters,
        }  # fmt: skip
        if question.tools:
            body["tools"] = question.tools
        return body | ({"n": task.count} if task.count > 1 else {})

    def _take(self, task: Task, outcome: Reply | BaseException) -> None:
        """Commit a reply; sort out what else may have come."""
        self.counts["requests"] += 1
        if isinstance(outcome, RequestRefused):
            if task.count > 1:  # perhaps only of so many at once
                self.several = False
                self.waiting.appendleft(task)
            else:
                self.counts["asked"] += 1
                self.refused[task.question.problem] = str(outcome)
        elif isinstance(outcome, EndpointError):
            self.client.hurry()
            self.error = self.error or outcome
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            self._keep(task, outcome)

    def _keep(self, task: Task, reply: Reply) -> None:
        came = len(keep(self.store, self.order, task.question, reply))
        self.counts["came"] += came
        self.counts["asked"] += came
        if (left := task.count - len(reply.choices)) > 0:
            self.several = False
            self.waiting.appendleft(Task(task.question, left))
        told = [reply.prompt_tokens, reply.completion_tokens]
        self.counts["prompt_tokens"] += told[0] or 0
        self.counts["completion_tokens"] += told[1] or 0
        self.counts["tokens_untold"] += None in told
        spent = self.counts["prompt_tokens"] + self.counts["completion_tokens"]
        what = f"{self.came:,} of {self.wanted:,} answers, {spent:,} tokens"
        self.tell(self.came, self.wanted, what)
