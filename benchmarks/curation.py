"""Near-duplicates and token counts: seconds, recall and precision beside other libraries.

Near means `rapidfuzz.fuzz.ratio` at or above 90. A planted copy counts when it is still that near
to its source. Ours verifies and clusters; datasketch and rensa, where they can be imported, only
name candidates (128 permutations of word pairs in 32 bands of 4), which is the part they have.
"""

from __future__ import annotations

import importlib
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice, pairwise
from pathlib import Path
from typing import Any

import click
from rapidfuzz import fuzz, process

from benchmarks.planted_texts import Planted, planted_texts
from exports.near_duplicates import find_clusters
from exports.tokens import PROVEN, TokenCounter
from studio.cli.frame import note, percent, say, table

THRESHOLD = 90.0
PERMUTATIONS, BANDS = 128, 32
SAMPLED = 2000  # pairs, or clustered texts, that are verified to tell the precision
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Result:
    """What one library did.

    `near` is its precision by a sample: the share of the named pairs that are near, for clusters
    the share of texts that have a near one in theirs.
    """

    name: str
    wall: float
    cpu: float
    recall: float
    near: float
    pairs: int


def truth_of(planted: Planted) -> list[Pair]:
    """The planted copies that are near to their source."""
    texts = planted.texts
    return [
        (source, copy)
        for source, copy, _ in planted.copies
        if fuzz.ratio(texts[source], texts[copy], score_cutoff=THRESHOLD)
    ]


def clusters(texts: Sequence[str], truth: Sequence[Pair], seed: int) -> tuple[Result, list[int]]:
    """Ours: verified clusters; a pair is found when both stand in one."""
    find_clusters(texts[:200], threshold=THRESHOLD, every_pair=False)  # compiles
    wall, cpu = time.perf_counter(), time.process_time()
    labels = find_clusters(texts, threshold=THRESHOLD, every_pair=False).labels.tolist()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    found = sum(labels[a] == labels[b] != -1 for a, b in truth)
    members: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        if label >= 0:
            members[label].append(index)
    clustered = sorted(index for group in members.values() for index in group)
    drawn = random.Random(seed).sample(clustered, min(SAMPLED, len(clustered)))
    near = sum(_has_neighbour(texts, one, members[labels[one]]) for one in drawn)
    pairs = sum(len(group) * (len(group) - 1) // 2 for group in members.values())
    result = Result(
        "ours, verified and clustered", wall, cpu, found / len(truth), near / max(1, len(drawn)),
        pairs,
    )  # fmt: skip
    return result, labels


def _has_neighbour(texts: Sequence[str], one: int, group: Sequence[int]) -> bool:
    """Whether another text of its cluster is near, which single-link closure promises."""
    return any(
        fuzz.ratio(texts[one], texts[other], score_cutoff=THRESHOLD)
        for other in group
        if other != one
    )


def word_pairs(text: str) -> list[str]:
    """The shingles that the libraries are given."""
    words = re.findall(r"\w+", text)
    return [f"{a} {b}" for a, b in pairwise(words)] or words


def datasketch_candidates(texts: Sequence[str]) -> Iterator[Pair]:
    """The pairs that datasketch's LSH index names."""
    library = importlib.import_module("datasketch")
    index = library.MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, PERMUTATIONS // BANDS))
    for number, text in enumerate(texts):
        sketch = library.MinHash(num_perm=PERMUTATIONS, seed=1)
        sketch.update_batch([pair.encode() for pair in word_pairs(text)])
        for other in index.query(sketch):
            yield other, number
        index.insert(number, sketch)


def rensa_candidates(texts: Sequence[str]) -> Iterator[Pair]:
    """The pairs that rensa's LSH index names."""
    library = importlib.import_module("rensa")
    index = library.RMinHashLSH(threshold=0.5, num_perm=PERMUTATIONS, num_bands=BANDS)
    for number, text in enumerate(texts):
        sketch = library.RMinHash(num_perm=PERMUTATIONS, seed=1)
        sketch.update(word_pairs(text))
        for other in index.query(sketch):
            yield other, number
        index.insert(number, sketch)


OTHERS: dict[str, Callable[[Sequence[str]], Iterator[Pair]]] = {
    "datasketch": datasketch_candidates,
    "rensa": rensa_candidates,
}


def candidates(name: str, texts: Sequence[str], truth: Sequence[Pair], seed: int) -> Result | None:
    """What another library names; None where it cannot be imported."""
    try:
        importlib.import_module(name)
    except ImportError:
        return None
    wall, cpu = time.perf_counter(), time.process_time()
    pairs = list(OTHERS[name](texts))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    named = set(pairs)
    drawn = random.Random(seed).sample(pairs, min(SAMPLED, len(pairs)))
    near = sum(fuzz.ratio(texts[a], texts[b]) >= THRESHOLD for a, b in drawn)
    found = sum(pair in named for pair in truth)
    return Result(
        f"{name}, candidates only", wall, cpu, found / len(truth), near / max(1, len(drawn)),
        len(pairs),
    )  # fmt: skip


def unseen_recall(
    texts: Sequence[str], labels: Sequence[int], count: int, seed: int
) -> tuple[int, int]:
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


@click.command()
@click.option("--documents", default=70_000, show_default=True, help="Texts, a fifth copies.")
@click.option("--brute", default=30, show_default=True, help="Texts compared with all others.")
@click.option("--tokenizer", type=click.Path(path_type=Path), help="A tokenizer.json for counts.")
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def main(documents: int, brute: int, tokenizer: Path | None, seed: int, as_json: bool) -> None:
    """Measure near-duplicates and token counts on planted documents."""
    planted = planted_texts(documents, seed)
    texts, truth = planted.texts, truth_of(planted)
    note(
        f"{documents:,} documents, {sum(map(len, texts)) / 1e6:.0f} MB, {len(truth):,} near copies"
    )
    ours, labels = clusters(texts, truth, seed)
    others = {name: candidates(name, texts, truth, seed) for name in OTHERS}
    results = [ours, *(result for result in others.values() if result is not None)]
    absent = [name for name, result in others.items() if result is None]
    found, total = unseen_recall(texts, labels, brute, seed)
    counted = token_counts(texts[:20_000], tokenizer)
    if as_json:
        value = {
            "documents": documents,
            "results": [asdict(result) for result in results],
            "absent": absent,
            "brute": [found, total],
            "token_counts": counted,
        }
        click.echo(json.dumps(value))
        return
    headers = ("library", "wall s", "CPU s", "recall", "near", "pairs", "time to ours")
    table(
        headers,
        [
            (r.name, f"{r.wall:.1f}", f"{r.cpu:.1f}", percent(r.recall), percent(r.near), r.pairs,
             f"{r.wall / ours.wall:.1f}x") for r in results
        ],
        right=" ".join(headers[1:]),
    )  # fmt: skip
    for name in absent:
        say(f"{name} is not installed, so it was not measured (pip install {name})")
    say(f"against brute force, {brute} texts with all others: {found} of {total} near pairs found")
    _say_tokens(counted)


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
