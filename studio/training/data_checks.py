"""Preflight checks of the data and the recipe: enough, mixed, unseen by the suites, sane."""

from __future__ import annotations

import re
from collections import Counter

from db.counted import counted
from exports.code_blocks import python_code
from exports.frozen import StoredExample
from exports.leakage import (
    Overlap,
    overlaps,
    requests_of,
    shared,
    struck_items,
    suite_requests,
    texts_of,
)
from exports.solutions import shape
from studio.training.bases import weights_digest
from studio.training.checks import Check, Flight, where

MIN_PER_AGENT = 20
ONE_SIDED = 0.8
_COUNTER = re.compile(r"\((?:request|example|task|item|case)\s*#?\d+\)", re.IGNORECASE)


def leakage(flight: Flight) -> Check:
    """9: nothing is shared between splits, or with a suite."""
    sides = {
        name: [example for example in flight.examples if example.split == name]
        for name in ("train", "valid", "test")
    }
    texts = {
        name: [requests_of(example.messages) for example in side] for name, side in sides.items()
    }
    for one, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
        if found := overlaps(texts[one], texts[other]):
            return _leak(sides[one], found, f"the {other} split")
    training = sides["train"] + sides["valid"]
    struck = []
    for suite in flight.suites:
        said = [texts_of(example.messages) for example in training]
        overlap, items = shared(texts["train"] + texts["valid"], suite_requests(suite), said)
        chosen = struck_items(flight.dataset.report, suite)
        if not {suite.items[number].id for number in items} <= chosen:
            return _leak(training, overlap, f"the suite {suite.name}")
        if chosen:
            struck.append(f"{len(chosen)} of {len(suite.items)} items of {suite.name}")
    if struck:
        detail = f"struck from the verdict, as the build was told: {', '.join(struck)}"
        remedy = "build with --overlap drop to keep the whole suite instead"
        return Check("leakage", "warn", detail, remedy=remedy)
    detail = "nothing shared between the splits"
    if flight.suites:
        detail += ", nor with " + ", ".join(f"suite {suite.name}" for suite in flight.suites)
    else:
        detail += "; no suite was named to check against"
    return Check("leakage", "pass", detail)


_WORDS = {"exact": "request", "near": "near-identical request", "contained": "long passage"}


def _leak(side: list[StoredExample], found: list[Overlap], other: str) -> Check:
    first = side[found[0].index]
    asked = (requests_of(first.messages) or [""])[0][:120]
    return Check(
        "leakage",
        "block",
        f"{len(found)} of {len(side)} examples of the {first.split} side share a "
        f"{_WORDS[found[0].kind]} with {other}; first: {asked!r}",
        where(first, seen=asked),
        "build again with --avoid SUITE: what overlaps leaves the training side, or with "
        "--overlap strike the suite's verdict",
    )


def size(flight: Flight) -> Check:
    """10: enough rows, answers that differ, no counters that make copies look distinct."""
    training = [example for example in flight.examples if example.split == "train"]
    enough = flight.base.settings.enough_rows
    answers = {shape(_answer(example)) for example in training}
    complaints = []
    if len(training) < enough:
        complaints.append(
            f"{counted(len(training), 'training row')} where this base wants {enough} or more"
        )
    if training and len(answers) < len(training) / 2:
        complaints.append(
            f"only {counted(len(answers), 'distinct answer')} in {counted(len(training), 'row')}"
        )
    counters = [e for e in training if any(_COUNTER.search(r) for r in requests_of(e.messages))]
    if counters:
        complaints.append(
            f"{counted(len(counters), 'request carries', 'requests carry')} a "
            "counter, as padded copies do"
        )
    if complaints:
        remedy = "collect more, or ask a teacher for more solutions; more epochs do not replace it"
        return Check("size", "warn", "; ".join(complaints), remedy=remedy)
    detail = f"{len(training)} training rows, {len(answers)} distinct answers"
    return Check("size", "pass", detail)


def mix(flight: Flight) -> Check:
    """11: not one kind alone without general examples, and fit for the kind of base."""
    training = [example for example in flight.examples if example.split == "train"]
    kinds = Counter(_kind(example) for example in training)
    replay = sum(example.origin == "replay" for example in training)
    total = len(training) or 1
    shares = ", ".join(f"{name} {n / total:.0%}" for name, n in kinds.most_common())
    complaints = []
    if training and kinds.most_common(1)[0][1] / total > ONE_SIDED and not replay:
        complaints.append("one kind alone and no general examples: expect forgetting")
    agents = Counter(e.agent for e in training if e.agent)
    coding = agents["coder"] / (agents.total() or 1)
    if agents and flight.base.settings.kind == "code" and coding <= 0.6:
        complaints.append(f"{1 - coding:.0%} of it is not the coder's, and the base is for code")
    if complaints:
        remedy = "build with --replay 0.3 or more, or choose a general base"
        return Check("mix", "warn", f"{'; '.join(complaints)} ({shares})", remedy=remedy)
    return Check("mix", "pass", f"{shares}; {replay / total:.0%} general examples")


def small_agents(flight: Flight) -> Check:
    """12: agents with fewer rows than can be evaluated."""
    agents = Counter(example.agent for example in flight.examples if example.agent)
    few = {name: n for name, n in agents.items() if n < MIN_PER_AGENT}
    if few:
        listed = ", ".join(f"{name} {n}" for name, n in few.items())
        detail = f"under {MIN_PER_AGENT} rows: {listed}; nothing can be said about them"
        return Check("small_agents", "warn", detail, remedy="collect more, or leave them out")
    return Check("small_agents", "pass", f"every agent has {MIN_PER_AGENT} rows or more")


def learning_rate(flight: Flight) -> Check:
    """13: the learning rate against the base's own range; epochs; alpha over r."""
    recipe = flight.recipe
    if recipe is None:
        return Check("learning_rate", "pass", "no recipe was given: nothing to check")
    low, high = flight.base.settings.learning_rate
    rows = sum(example.split == "train" for example in flight.examples) or 1
    batch = recipe.batch_size * recipe.accumulate
    epochs = recipe.epochs if recipe.epochs else (recipe.steps or 0) * batch / rows
    complaints = []
    if not low <= recipe.learning_rate <= high:
        complaints.append(
            f"{recipe.learning_rate:g} lies outside of {low:g} to {high:g} "
            f"({flight.base.settings.why}; the advice of 1e-6 is for full fine-tuning)"
        )
    if epochs > 5:
        complaints.append(f"{epochs:.1f} epochs: more than 5 learn the examples by heart")
    if recipe.lora.alpha / recipe.lora.r < 1:
        complaints.append(f"alpha/r is {recipe.lora.alpha / recipe.lora.r:g}, under 1")
    if complaints:
        remedy = "change the recipe, or let the scores at the checkpoints decide"
        return Check("learning_rate", "warn", "; ".join(complaints), remedy=remedy)
    return Check("learning_rate", "pass", f"{recipe.learning_rate:g}, {epochs:.1f} epochs")


def hashes(flight: Flight) -> Check:
    """18: base, tokenizer and template by their digests, which the run keeps."""
    if flight.no_weights:
        return Check("hashes", "block", flight.no_weights, remedy="download the base's weights")
    base = weights_digest(flight.base.folder)
    detail = (
        f"base {base[:12]}, tokenizer {flight.template.tokenizer_digest[:12]}, "
        f"template {flight.template.template_digest[:12]}, dataset {flight.dataset.sha256[:12]}"
    )
    if other := _built_for_another(flight):
        remedy = "build for this base (studio build --base), or train on that one"
        return Check("hashes", "warn", f"{other}; {detail}", remedy=remedy)
    return Check("hashes", "pass", detail)


def _built_for_another(flight: Flight) -> str | None:
    """What differs from the base that the dataset was built and its tokens counted for."""
    built = flight.dataset.report.get("base")
    if not built:
        return None
    now = {
        "tokenizer": flight.template.tokenizer_digest,
        "template": flight.template.template_digest,
    }
    other = [name for name, digest in now.items() if digest != built[name]]
    if not other and built["name"] in (flight.base.name, str(flight.base.folder)):
        return None
    same = "with the same tokenizer and template" if not other else f"another {' and '.join(other)}"
    return f"built for {built['name']}, and this is {flight.base.name}: {same}"


def _answer(example: StoredExample) -> str:
    last = example.messages[-1]
    return str(last.get("content") or last.get("tool_calls") or "")


def _kind(example: StoredExample) -> str:
    if any(message.get("tool_calls") for message in example.messages):
        return "tool_call"
    return "code" if python_code(_answer(example)) else "text"
