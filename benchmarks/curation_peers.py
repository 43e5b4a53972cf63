"""What other libraries name as near-duplicates: run apart, in an environment that has them.

`python -m benchmarks.curation_peers NAME FILE` reads `{texts, truth: [[earlier, later]]}` and
answers with one JSON document: seconds, memory, how many pairs the library names and of the truth
how many, and a sample of them. Needs nothing but that library, and Linux to tell the memory.
"""

from __future__ import annotations

import importlib
import json
import random
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

PERMUTATIONS, BANDS = 128, 32
SAMPLED = 2000  # named pairs, for the precision
Named = Iterator[Sequence[int]]  # for each text the earlier ones that it is said to be near to
Shingles = Callable[[str], list[str]]


def word_pairs(text: str) -> list[str]:
    """The shingles that suit texts whose copies differ by words."""
    words = re.findall(r"\w+", text)
    return [f"{a} {b}" for a, b in pairwise(words)] or words


def character_triples(text: str) -> list[str]:
    """The shingles with which MinHash finds copies that differ by single characters."""
    return list({text[at : at + 3] for at in range(max(1, len(text) - 2))})


def datasketch_candidates(texts: Sequence[str], shingles: Shingles) -> Named:
    """The pairs that datasketch's LSH index names."""
    library = importlib.import_module("datasketch")
    index = library.MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, PERMUTATIONS // BANDS))
    for number, text in enumerate(texts):
        sketch = library.MinHash(num_perm=PERMUTATIONS, seed=1)
        sketch.update_batch([shingle.encode() for shingle in shingles(text)])
        yield index.query(sketch)
        index.insert(number, sketch)


def rensa_candidates(texts: Sequence[str], shingles: Shingles) -> Named:
    """The pairs that rensa's LSH index names; R-MinHash, its full-quality sketch."""
    library = importlib.import_module("rensa")
    index = library.RMinHashLSH(threshold=0.5, num_perm=PERMUTATIONS, num_bands=BANDS)
    for number, text in enumerate(texts):
        sketch = library.RMinHash(num_perm=PERMUTATIONS, seed=1)
        sketch.update(shingles(text))
        yield index.query(sketch)
        index.insert(number, sketch)


PEERS: dict[str, tuple[Callable[[Sequence[str], Shingles], Named], Shingles]] = {
    "datasketch, word pairs": (datasketch_candidates, word_pairs),
    "rensa, word pairs": (rensa_candidates, word_pairs),
    "rensa, character triples": (rensa_candidates, character_triples),
}


def main() -> None:
    """Answer for one peer; exit 3 when it is not installed."""
    name, path = sys.argv[1:]
    try:
        importlib.import_module(name.partition(",")[0])
    except ImportError:
        sys.exit(3)
    given = json.loads(Path(path).read_text(encoding="utf-8"))
    sources: dict[int, list[int]] = {}
    for source, copy in given["truth"]:
        sources.setdefault(copy, []).append(source)
    find, shingles = PEERS[name]
    before, draw = resident_mb(), random.Random(1)
    pairs, found, sample = 0, 0, []
    wall, cpu = time.perf_counter(), time.process_time()
    for number, others in enumerate(find(given["texts"], shingles)):
        pairs += len(others)
        found += sum(source in others for source in sources.get(number, ()))
        if others:
            sample.append((len(others), draw.choice(others), number))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resident_mb() - before
    weights = [count for count, _, _ in sample]
    drawn = draw.choices(sample, weights, k=SAMPLED) if sample else []
    answer = {
        "wall": wall, "cpu": cpu, "memory_mb": memory, "pairs": pairs, "found": found,
        "sample": [(other, number) for _, other, number in drawn],
    }  # fmt: skip
    json.dump(answer, sys.stdout)


def resident_mb() -> float:
    """Memory of this process that is not paged out."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
