"""Near-duplicates and token counts: seconds, recall and precision beside other libraries.

Near means `rapidfuzz.fuzz.ratio` at or above 90. A planted copy counts when it is still that near
to its source. Ours verifies and clusters; datasketch and rensa only name candidates, which is the
part they have: 128 permutations in 32 bands of 4, over pairs of words as their guides have it, and
rensa also over triples of characters, with which it finds copies that differ by characters. They
run one after the other with ours, in an environment of their own (`--peers .../bin/python`).
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import click
import psutil
from rapidfuzz import fuzz, process

from benchmarks.curation_peers import PEERS
from benchmarks.planted_texts import Planted, planted_texts
from exports.near_duplicates import MEASURES, RATIO, find_against, find_clusters, form, signatures
from exports.tokens import PROVEN, TokenCounter
from studio.cli.frame import note, percent, say, table

THRESHOLD = 90.0
NEW = 1000  # texts of a day, which are compared with all others
SAMPLED = 2000  # pairs, or clustered texts, that are verified to tell the precision
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Result:
    """What one library did.

    `near` is its precision by a sample: the share of the named pairs that are near, for clusters
    the share of texts that have a near one in theirs. `memory_mb` is beyond the texts.
    """

    name: str
    wall: float
    cpu: float
    memory_mb: float
    recall: float
    near: float
    pairs: int


def truth_of(planted: Planted, measure: str = RATIO) -> dict[Pair, str]:
    """The planted copies that are near to their source, with their kind."""
    texts = planted.texts
    return {
        (source, copy): kind
        for source, copy, kind in planted.copies
        if fuzz.ratio(
            form(texts[source], measure), form(texts[copy], measure), score_cutoff=THRESHOLD
        )
    }


@contextmanager
def peak_memory() -> Iterator[Callable[[], float]]:
    """Tells how many MB the resident memory rose at most, seen every 20 ms."""
    own = psutil.Process()
    before = peak = own.memory_info().rss
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.02):
            peak = max(peak, own.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: (peak - before) / 1e6
    finally:
        over.set()
        thread.join()


def clusters(
    texts: Sequence[str], truth: Sequence[Pair], seed: int, measure: str
) -> tuple[Result, list[int]]:
    """Ours: verified clusters; a pair is found when both stand in one."""
    wall, cpu = time.perf_counter(), time.process_time()
    with peak_memory() as rose:
        found = find_clusters(texts, threshold=THRESHOLD, measure=measure, every_pair=False)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    labels = found.labels.tolist()
    together = sum(labels[a] == labels[b] != -1 for a, b in truth)
    members: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        if label >= 0:
            members[label].append(index)
    clustered = sorted(index for group in members.values() for index in group)
    drawn = random.Random(seed).sample(clustered, min(SAMPLED, len(clustered)))
    near = sum(_has_neighbour(texts, one, members[labels[one]], measure) for one in drawn)
    pairs = sum(len(group) * (len(group) - 1) // 2 for group in members.values())
    result = Result(
        f"ours by {measure}, verified", wall, cpu, rose(), together / max(1, len(truth)),
        near / max(1, len(drawn)), pairs,
    )  # fmt: skip
    return result, labels


def _has_neighbour(texts: Sequence[str], one: int, group: Sequence[int], measure: str) -> bool:
    """Whether another text of its cluster is near, which single-link closure promises."""
    asked = form(texts[one], measure)
    return any(
        fuzz.ratio(asked, form(texts[other], measure), score_cutoff=THRESHOLD)
        for other in group
        if other != one
    )


def candidates(
    name: str, python: str, path: Path, texts: Sequence[str], truth: int
) -> Result | None:
    """What another library names; None where it is not installed."""
    done = subprocess.run(
        [python, "-m", "benchmarks.curation_peers", name, str(path)],
        cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 3:
        return None
    if done.returncode:
        raise click.ClickException(f"{name}: {done.stderr.strip().splitlines()[-1]}")
    answer = json.loads(done.stdout)
    near = sum(fuzz.ratio(texts[a], texts[b]) >= THRESHOLD for a, b in answer["sample"])
    return Result(
        f"{name}, candidates", answer["wall"], answer["cpu"], answer["memory_mb"],
        answer["found"] / max(1, truth), near / max(1, len(answer["sample"])), answer["pairs"],
    )  # fmt: skip


def unseen(texts: Sequence[str], labels: Sequence[int], count: int, seed: int) -> tuple[int, int]:
    """(found, all) near pairs of texts drawn by chance, each compared with every text."""
    drawn = random.Random(seed).sample(range(len(texts)), min(count, len(texts)))
    found = total = 0
    for one in drawn:
        near = process.extract(
            texts[one], texts, scorer=fuzz.ratio, processor=None, limit=None,
            score_cutoff=THRESHOLD,
        )  # fmt: skip
        others = [index for _, _, index in near if index != one]
        total += len(others)
        found += sum(labels[one] == labels[other] != -1 for other in others)
    return found, total


def of_a_day(planted: Planted) -> dict[str, Any]:
    """The last texts as a day's new ones, against the stored signatures of all others.

    `seconds` are for signing the new ones, comparing and verifying; `recall` is of the planted
    copies of which one is new and the other stored.
    """
    texts, first = planted.texts, max(0, len(planted.texts) - NEW)
    stored = signatures(texts[:first], threshold=THRESHOLD)
    found = find_against(stored, texts.__getitem__, texts[first:], threshold=THRESHOLD)
    wanted = {pair for pair in truth_of(planted) if min(pair) < first <= max(pair)}
    got = set(zip(found.stored.tolist(), (found.new + first).tolist(), strict=True))
    return {
        "stored": first,
        "new": len(texts) - first,
        "seconds": found.seconds,
        "wanted": len(wanted),
        "found": sum((min(pair), max(pair)) in got for pair in wanted),
    }


def by_kind(planted: Planted, labels: dict[str, Sequence[int]]) -> list[dict[str, Any]]:
    """For each kind of copy and each measure: how many are near by it, how many were found."""
    planted_of = Counter(kind for _, _, kind in planted.copies)
    rows: list[dict[str, Any]] = [{"kind": k, "planted": n} for k, n in sorted(planted_of.items())]
    for measure, own in labels.items():
        truth = truth_of(planted, measure)
        near = Counter(truth.values())
        found = Counter(kind for (a, b), kind in truth.items() if own[a] == own[b] != -1)
        for row in rows:
            row[measure] = {"near": near[row["kind"]], "found": found[row["kind"]]}
    return rows


def token_counts(texts: Sequence[str], tokenizer_file: Path | None) -> dict[str, Any]:
    """Ours beside the tokenizer, on one thread, over the same texts."""
    from tokenizers import Tokenizer

    own = Tokenizer.from_file(str(tokenizer_file)) if tokenizer_file else _trained(texts)
    own.no_truncation()
    counter = TokenCounter(own)
    for text in islice(cycle(texts), PROVEN):  # the proof, which a build makes once
        counter.count(text)
    begin = time.process_time()
    fast = [counter.count(text) for text in texts]
    middle = time.process_time()
    slow = [len(own.encode(text, add_special_tokens=False).ids) for text in texts]
    end = time.process_time()
    return {
        "equal": fast == slow,
        "reason": counter.reason,
        "tokens": sum(slow),
        "seconds": (middle - begin, end - middle),
    }


def _trained(texts: Sequence[str]) -> Any:
    """A tokenizer of Qwen2.5's make with 20,000 tokens, trained on some of the texts."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=20_000,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts[:3000], trainer)
    return tokenizer


def measured(
    planted: Planted, python: str, peers: Sequence[str], rounds: int, seed: int
) -> tuple[list[Result], dict[str, Sequence[int]], list[str]]:
    """Everyone's best of some interleaved rounds; our labels by measure; who is not installed."""
    texts, truth = planted.texts, list(truth_of(planted))
    best: dict[str, Result] = {}
    labels: dict[str, Sequence[int]] = {}
    absent: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.json"
        path.write_text(json.dumps({"texts": texts, "truth": truth}), encoding="utf-8")
        for _ in range(rounds):
            results: list[Result | None] = []
            for measure in MEASURES:
                known = truth if measure == RATIO else list(truth_of(planted, measure))
                result, labels[measure] = clusters(texts, known, seed, measure)
                results.append(result)
            for name in peers:
                results.append(candidates(name, python, path, texts, len(truth)))
                if results[-1] is None:
                    absent.add(name.partition(",")[0])
            for each in results:
                if each is not None and (each.name not in best or each.cpu < best[each.name].cpu):
                    best[each.name] = each
    return list(best.values()), labels, sorted(absent)


@click.command()
@click.option("--documents", default=70_000, show_default=True, help="Texts, a fifth copies.")
@click.option("--brute", default=30, show_default=True, help="Texts compared with all others.")
@click.option("--peers", "python", default=sys.executable, help="The Python that has the others.")
@click.option("--alone", is_flag=True, help="Measure ours only.")
@click.option(
    "--rounds", default=1, show_default=True, help="Interleaved; the best of each counts."
)
@click.option("--tokenizer", type=click.Path(path_type=Path), help="A tokenizer.json for counts.")
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def main(
    documents: int, brute: int, python: str, alone: bool, rounds: int, tokenizer: Path | None,
    seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Measure near-duplicates and token counts on planted documents."""
    begin = time.perf_counter()
    some = ["compile the kernels", "compile the kernel"] * 9
    find_clusters(some, every_pair=False)
    find_against(signatures(some, threshold=THRESHOLD), some.__getitem__, some, threshold=THRESHOLD)
    compiled = time.perf_counter() - begin
    planted = planted_texts(documents, seed)
    note(f"{documents:,} documents, {sum(map(len, planted.texts)) / 1e6:.0f} MB")
    results, labels, absent = measured(planted, python, () if alone else tuple(PEERS), rounds, seed)
    found, total = unseen(planted.texts, labels[RATIO], brute, seed)
    value = {
        "documents": documents,
        "compile_seconds": compiled,
        "results": [asdict(result) for result in results],
        "absent": absent,
        "by_kind": by_kind(planted, labels),
        "brute": [found, total],
        "of_a_day": of_a_day(planted),
        "token_counts": token_counts(planted.texts[:20_000], tokenizer),
    }
    if as_json:
        click.echo(json.dumps(value))
    else:
        _print(value, results)


def _print(value: dict[str, Any], results: Sequence[Result]) -> None:
    ours = results[0]
    say(f"compiling or loading the kernels, not counted below: {value['compile_seconds']:.1f} s")
    headers = ("library", "wall s", "CPU s", "MB", "recall", "near", "pairs", "wall", "CPU")
    table(
        headers,
        [
            (r.name, f"{r.wall:.1f}", f"{r.cpu:.1f}", f"{r.memory_mb:,.0f}", percent(r.recall),
             percent(r.near), r.pairs, f"{r.wall / ours.wall:.1f}x", f"{r.cpu / ours.cpu:.1f}x")
            for r in results
        ],
        right=" ".join(headers[1:]),
    )  # fmt: skip
    for name in value["absent"]:
        say(f"{name} is not installed there, so it was not measured (pip install {name})")
    say("")
    table(
        ("kind of copy", "planted", *(f"{word} by {m}" for m in MEASURES for word in WORDS)),
        [
            (row["kind"], row["planted"], *(row[m][word] for m in MEASURES for word in WORDS))
            for row in value["by_kind"]
        ],
        right="planted",
    )
    found, total = value["brute"]
    say(f"\nagainst brute force, texts drawn by chance with all others: {found} of {total} found")
    day = value["of_a_day"]
    say(
        f"\n{day['new']:,} new against the signatures of {day['stored']:,}: "
        f"{day['seconds']:.2f} s; of {day['wanted']} planted copies {day['found']} found"
    )
    _say_tokens(value["token_counts"])


WORDS = ("near", "found")


def _say_tokens(counted: dict[str, Any]) -> None:
    fast, slow = counted["seconds"]
    by = f"tokenizer ({counted['reason']})" if counted["reason"] else "tiktoken"
    said = "equal" if counted["equal"] else "NOT equal"
    say(
        f"\ntoken counts by {by}: {counted['tokens'] / fast / 1e6:.2f}M tokens/s, the tokenizer "
        f"{counted['tokens'] / slow / 1e6:.2f}M on one thread: {slow / fast:.1f}x; counts {said}"
    )


if __name__ == "__main__":
    main()
