"""Near-duplicates: verified clusters, complete against brute force; new texts against stored."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz, process

from benchmarks.planted_texts import LETTERS, LICENCE, Writer, edited
from exports.near_duplicates import (
    Clusters,
    Index,
    find_against,
    find_clusters,
    join_clusters,
    signatures,
    similarity,
)

THRESHOLDS = (70.0, 75.0, 80.0, 82.5, 88.88, 90.0, 95.0, 99.0, 100.0)


def brute_force(
    texts: list[str], threshold: float, groups: list[int] | None = None
) -> tuple[list[int], set[tuple[int, int]]]:
    """Labels as `Clusters` numbers them, and every near pair, by comparing all with all."""
    scores = process.cdist(texts, texts, scorer=fuzz.ratio, dtype=np.float64)
    kin = groups or [0] * len(texts)
    pairs = {
        (i, j)
        for i, j in combinations(range(len(texts)), 2)
        if scores[i, j] >= threshold and kin[i] == kin[j]
    }
    return closure(len(texts), pairs), pairs


def closure(count: int, pairs: set[tuple[int, int]]) -> list[int]:
    """Single-link clusters of the pairs, numbered by first member; -1 alone."""
    cluster = list(range(count))
    for i, j in sorted(pairs):
        old, new = max(cluster[i], cluster[j]), min(cluster[i], cluster[j])
        cluster = [new if member == old else member for member in cluster]
    shared = sorted({c for c in cluster if cluster.count(c) > 1})
    return [shared.index(c) if c in shared else -1 for c in cluster]


def mutate(text: str, edits: int, letters: str, rng: random.Random) -> str:
    for _ in range(edits):
        at = rng.randint(0, len(text))
        text = text[:at] + rng.choice(("", rng.choice(letters))) + text[at + rng.randint(0, 1) :]
    return text


def family(seed: int, letters: str, longest: int, count: int) -> list[str]:
    """Random texts over few letters, with mutated and exact copies of one another."""
    rng = random.Random(seed)
    texts: list[str] = []
    for _ in range(count):
        if texts and rng.random() < 0.6:
            source = rng.choice(texts)
            texts.append(mutate(source, rng.randint(0, 1 + len(source) // 6), letters, rng))
        else:
            texts.append("".join(rng.choices(letters, k=rng.randint(0, longest))))
    return texts


def same_cluster(found: Clusters, a: int, b: int) -> bool:
    return bool(found.labels[a] == found.labels[b] != -1)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    letters=st.sampled_from(["ab", "abcd ", "0123456789", "日本語漢字 ", "aé€😀\n", LETTERS]),
    longest=st.sampled_from([6, 30, 90, 300, 700]),
    threshold=st.sampled_from(THRESHOLDS),
    grouped=st.booleans(),
)
def test_small_inputs_equal_brute_force(
    seed: int, letters: str, longest: int, threshold: float, grouped: bool
) -> None:
    texts = family(seed, letters, longest, 24)
    groups = [i * 7 % 3 for i in range(len(texts))] if grouped else None
    expected, _ = brute_force(texts, threshold, groups)
    # rapidfuzz calls two empty texts equal: so do we, and an empty one is near to nothing else
    found = find_clusters(texts, threshold=threshold, groups=groups)
    assert found.every_pair
    assert found.labels.tolist() == expected


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    letters=st.sampled_from(["ab", "abcd ", LETTERS]),
    longest=st.sampled_from([30, 300, 900]),
    threshold=st.sampled_from([70.0, 80.0, 90.0, 97.0]),
)
def test_sketches_never_put_together_what_is_not_near(
    seed: int, letters: str, longest: int, threshold: float
) -> None:
    texts = family(seed, letters, longest, 30)
    _, pairs = brute_force(texts, threshold)
    labels = find_clusters(texts, threshold=threshold, every_pair=False).labels
    inside = {(i, j) for i, j in pairs if labels[i] == labels[j] != -1}
    assert closure(len(texts), inside) == labels.tolist()


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    letters=st.sampled_from(["ab", "abcdefgh", "aé€😀", LETTERS]),
    length=st.sampled_from([1, 5, 63, 64, 65, 200, 1500, 6000]),
    threshold=st.one_of(st.sampled_from(THRESHOLDS), st.floats(50, 100)),
)
def test_a_pair_is_near_exactly_when_rapidfuzz_says_so(
    seed: int, letters: str, length: int, threshold: float
) -> None:
    rng = random.Random(seed)
    one = "".join(rng.choices(letters, k=length))
    other = mutate(one, rng.randint(0, length // 5 + 1), letters, rng)
    near = same_cluster(find_clusters([one, other], threshold=threshold, every_pair=True), 0, 1)
    assert near == (similarity(one, other) >= threshold)


def tasks(count: int, seed: int) -> list[str]:
    """Short tasks as people write them to agents, many of them a variant of another."""
    rng = random.Random(seed)
    writer = Writer(seed, phrases=3000, statements=10)
    acts = ("Write tests for", "Fix", "Refactor", "Add", "Review", "Explain", "Rename")
    texts: list[str] = []
    while len(texts) < count:
        words = " ".join(rng.choices(writer.phrases, k=rng.randint(1, 4)))
        text = f"{rng.choice(acts)} the {words}"[: rng.randint(20, 100)]
        texts.append(text)
        if rng.random() < 0.4:
            texts.append(edited(text, rng.choice((0.02, 0.05, 0.1)), rng))
    return texts[:count]


@pytest.mark.parametrize("threshold", [80.0, 90.0, 95.0])
def test_sketches_find_short_tasks_that_are_near(threshold: float) -> None:
    texts = tasks(1500, 5)
    expected, pairs = brute_force(texts, threshold)
    found = find_clusters(texts, threshold=threshold, every_pair=False)
    assert len(pairs) > 100
    assert sum(same_cluster(found, a, b) for a, b in pairs) >= 0.99 * len(pairs)
    assert find_clusters(texts, threshold=threshold).labels.tolist() == expected


def documents(count: int, seed: int) -> list[str]:
    """Prose and code of 20 to 3,000 characters, a third of it edited or rearranged copies."""
    rng = random.Random(seed)
    writer = Writer(seed, phrases=20_000, statements=3000)
    texts: list[str] = []
    while len(texts) < count:
        text = writer.document(450)[:3000]
        if text.startswith(LICENCE[:200]) and len(text) < 2 * len(LICENCE):
            continue  # hardly more than the licence: all of them would be one cluster
        texts.append(text)
        if rng.random() < 0.4:
            texts.append(edited(text, rng.choice((0.01, 0.05, 0.1, 0.15)), rng))
            lines = text.split(". ")
            texts.append(". ".join(lines[1:] + lines[:1]))
    return texts[:count]


def test_five_thousand_documents_against_brute_force() -> None:
    texts = documents(5000, 11)
    found = find_clusters(texts, every_pair=False)
    truth = find_clusters(texts, every_pair=True)
    assert not found.every_pair
    assert truth.clusters > 800
    kin = np.flatnonzero(truth.labels >= 0)
    expected = {
        (int(a), int(b))
        for label in range(truth.clusters)
        for a, b in combinations(kin[truth.labels[kin] == label], 2)
    }
    assert sum(same_cluster(found, a, b) for a, b in expected) >= 0.99 * len(expected)
    assert found.near_duplicates <= truth.near_duplicates  # never more than there are


def words_of(text: str) -> str:
    return " ".join(sorted(text.split()))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    letters=st.sampled_from(["ab \n", "abcd   \t", "aé€😀\n ", LETTERS]),
    longest=st.sampled_from([6, 30, 90, 300, 700]),
    threshold=st.sampled_from(THRESHOLDS),
)
def test_the_set_measure_is_the_ratio_of_sorted_words(
    seed: int, letters: str, longest: int, threshold: float
) -> None:
    texts = family(seed, letters, longest, 20)
    rng = random.Random(seed)
    texts += [" ".join(rng.sample(text.split(), len(text.split()))) for text in texts[:4]]
    expected, pairs = brute_force([words_of(text) for text in texts], threshold)
    found = find_clusters(texts, threshold=threshold, measure="set")
    assert found.labels.tolist() == expected
    assert found.exact_duplicates == len(texts) - len(set(texts))
    sketched = find_clusters(texts, threshold=max(threshold, 70), measure="set", every_pair=False)
    inside = {(i, j) for i, j in pairs if sketched.labels[i] == sketched.labels[j] != -1}
    assert closure(len(texts), inside) == sketched.labels.tolist()
    for a, b in pairwise(texts):
        assert similarity(a, b, "set") == fuzz.token_sort_ratio(a, b)


def test_the_set_measure_finds_reordered_and_reindented_copies() -> None:
    texts = documents(600, 21)[::3]
    rng = random.Random(21)
    turned = [". ".join(rng.sample(t.split(". "), t.count(". ") + 1)) for t in texts]
    deeper = ["\n".join("    " + line for line in t.split("\n")) for t in texts]
    found = find_clusters([*texts, *turned, *deeper], measure="set", every_pair=False)
    for one in range(len(texts)):
        assert same_cluster(found, one, one + 2 * len(texts)) or texts[one] == deeper[one]
    near = [i for i, t in enumerate(texts) if similarity(t, turned[i], "set") >= 90]
    assert len(near) > 100
    assert sum(same_cluster(found, i, i + len(texts)) for i in near) >= 0.99 * len(near)


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="measure must be one of ratio, set"):
        find_clusters(["a", "b"], measure="jaccard")


def test_stored_signatures_give_the_same_clusters_and_are_checked() -> None:
    texts = documents(300, 22)
    rows = signatures(texts)
    with_rows = find_clusters(texts, stored=rows, every_pair=False)
    assert np.array_equal(with_rows.labels, find_clusters(texts, every_pair=False).labels)
    with pytest.raises(ValueError, match="299 signatures for 300 texts"):
        find_clusters(texts, stored=rows[1:])
    with pytest.raises(ValueError, match="made for another threshold"):
        find_clusters(texts, stored=rows, threshold=80)


@pytest.mark.parametrize("sketched", [False, True])
def test_new_texts_join_the_clusters_of_stored_ones(
    sketched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sketched:
        monkeypatch.setattr("exports.near_duplicates.index.QUICK_SECONDS", -1.0)
    rng = random.Random(23)
    stored = documents(800, 23)
    new = documents(50, 24) + [edited(t, 0.04, rng) for t in rng.sample(stored, 60)]
    groups = np.array([i % 2 for i in range(len(new) + len(stored))], np.int32)
    groups[len(new) :: 7] = -1
    before = find_clusters(stored, groups=groups[len(new) :].tolist())
    roots = np.arange(len(new) + len(stored), dtype=np.int32)
    for label in range(before.clusters):
        members = len(new) + np.flatnonzero(before.labels == label)
        roots[members] = members[-1]
    was, one_with = join_clusters(
        new,
        signatures(new),
        signatures(stored),
        lambda numbers: [stored[n] for n in numbers],
        roots,
        groups,
    )
    names = np.arange(len(roots))
    names[was] = one_with
    joined = names[roots]
    near = [
        (i, j)
        for i, text in enumerate(new)
        for j, other in enumerate(stored, len(new))
        if groups[i] == groups[j] and similarity(text, other) >= 90
    ]
    assert len(near) > 20
    assert sum(joined[i] == joined[j] for i, j in near) >= 0.99 * len(near)
    for i in range(len(new)):  # nothing else was joined
        kin = [j for a, j in near if a == i]
        assert (joined == joined[i]).sum() == 1 or kin
    assert (joined[groups == -1] >= len(new)).all()


def test_every_pair_of_a_sample_is_what_rapidfuzz_finds() -> None:
    texts = documents(400, 12)
    expected, _ = brute_force(texts, 90.0)
    assert find_clusters(texts, every_pair=True).labels.tolist() == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("long", "".join(random.Random(1).choices(LETTERS, k=100_000))),
        ("one token", "x" * 4000 + "y" * 3000),
        ("base64", "".join(random.Random(2).choices("ABCDEFabcdef0123456789+/", k=2500))),
        ("chinese", "".join(map(chr, random.Random(3).choices(range(0x4E00, 0x5E00), k=900)))),
        ("minified", ";".join(f"a{i}=b[{i * 7 % 31}]||c({i % 5})" for i in range(300))),
        ("lone surrogate", "tab\ud800le " * 60),
        ("repeated line", "PASSED tests/test_store.py::test_open\n" * 90),
    ],
)
def test_unusual_texts_are_found(name: str, text: str) -> None:
    rng = random.Random(name)
    others = ["".join(rng.sample(text[: len(text) // 2], 20)) + name * 40, "", " "]
    copies = [edited(text, share, rng) for share in (0.01, 0.04)]
    for every_pair in (True, False):
        found = find_clusters([text, *others, *copies, text], every_pair=every_pair)
        assert found.labels.tolist() == [0, -1, -1, -1, 0, 0, 0]
        assert (found.exact_duplicates, found.near_duplicates) == (1, 2)


def test_what_the_answer_says() -> None:
    base = "Write tests for the LRU cache of the gateway"
    texts = ["alone", base, "", base + ".", "", base, "Deploy the new release to staging", base]
    found = find_clusters(texts)
    assert found.labels.tolist() == [-1, 0, 1, 0, 1, 0, -1, 0]
    assert found.exact.tolist() == [0, 1, 2, 3, 2, 1, 6, 1]
    assert (found.clusters, found.exact_duplicates, found.near_duplicates) == (2, 3, 1)


def test_only_texts_of_one_group_are_compared() -> None:
    texts = ["the same text"] * 3 + ["the same text!"]
    found = find_clusters(texts, groups=[10**12, -5, 10**12, -5])
    assert found.labels.tolist() == [0, 1, 0, 1]
    assert found.exact.tolist() == [0, 1, 0, 3]
    many = documents(600, 13)
    groups = [i % 7 for i in range(len(many))]
    sketched = find_clusters(many * 2, groups=groups * 2, every_pair=False)
    for i in np.flatnonzero(sketched.labels >= 0):
        first = np.flatnonzero(sketched.labels == sketched.labels[i])[0]
        assert (groups * 2)[i] == (groups * 2)[first]


def test_the_same_texts_give_the_same_clusters_on_any_number_of_workers() -> None:
    texts = documents(1200, 14)
    one, many = (find_clusters(texts, every_pair=False, workers=w) for w in (1, 5))
    assert np.array_equal(one.labels, many.labels)
    assert one.pairs_verified == many.pairs_verified


def test_one_huge_cluster_and_shared_boilerplate_cost_little() -> None:
    rng = random.Random(15)
    letter = "".join(rng.choices(LETTERS, k=900))
    near = [edited(letter, 0.02, rng) for _ in range(1500)]
    apart = [letter + "".join(rng.choices(LETTERS, k=900)) for _ in range(1500)]
    found = find_clusters(near + apart, every_pair=False)
    assert (found.labels[:1500] == 0).all()
    assert (found.labels[1500:] == -1).all()
    assert found.pairs_verified < 200_000  # of 4,500,000


def test_nothing_one_and_empty() -> None:
    assert find_clusters([]).labels.tolist() == []
    assert find_clusters(["one"]).labels.tolist() == [-1]
    assert find_clusters(["", ""]).labels.tolist() == [0, 0]


@pytest.mark.parametrize("threshold", [0, -1, 100.5, float("nan")])
def test_a_threshold_outside_the_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold must be over 0 and at most 100"):
        find_clusters(["a", "b"], threshold=threshold)


def test_a_low_threshold_over_too_much_text_is_refused_with_a_way_out() -> None:
    texts = [f"{i} " + "lorem ipsum " * 10_000 for i in range(3000)]
    with pytest.raises(ValueError, match="use 80 or more, fewer texts"):
        find_clusters(texts, threshold=60)
    with pytest.raises(ValueError, match="2 groups for 1 texts"):
        find_clusters(["a"], groups=[1, 2])


def test_progress_is_told_and_ends_at_one() -> None:
    told: list[tuple[str, float]] = []
    find_clusters(documents(300, 16), every_pair=False, progress=lambda *step: told.append(step))
    assert told[0] == ("reading", 0.0)
    assert told[-1] == ("comparing", 1.0)
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_signatures_are_the_same_alone_and_among_others() -> None:
    texts = [*documents(50, 17), "", "é" * 300, "x"]
    together = signatures(texts)
    assert np.array_equal(together, np.concatenate([signatures([text]) for text in texts]))
    assert np.array_equal(together, signatures(texts, workers=3))
    blobs = [row.tobytes() for row in together]
    assert np.array_equal(together, np.stack([np.frombuffer(blob, np.uint32) for blob in blobs]))


def test_new_texts_against_stored_ones() -> None:
    rng = random.Random(18)
    stored, other = documents(1500, 18), documents(200, 19)
    sources = rng.sample(range(len(stored)), 150)
    new = other + [edited(stored[i], 0.05, rng) for i in sources]
    found = find_against(signatures(stored), stored.__getitem__, new)
    scores = process.cdist(new, stored, scorer=fuzz.ratio, dtype=np.float64)
    expected = set(zip(*(axis.tolist() for axis in np.nonzero(scores >= 90)), strict=True))
    pairs = list(zip(found.new.tolist(), found.stored.tolist(), strict=True))
    assert set(pairs) <= expected
    assert len(pairs) == len(set(pairs)) >= 0.99 * len(expected)
    assert found.similarity.tolist() == [scores[pair] for pair in pairs]


def test_an_index_grows_and_fetches_only_what_it_verifies() -> None:
    stored = documents(900, 20)
    index, fetched = Index(), []

    def text_of(number: int) -> str:
        fetched.append(number)
        return stored[number]

    index.add(signatures(stored[:500]))
    assert 700 not in index.query([stored[700]], text_of).stored
    index.add(signatures(stored[500:]))
    found = index.query([stored[700], "nothing like it"], text_of)
    assert len(index) == 900
    assert 100.0 in found.similarity[(found.new == 0) & (found.stored == 700)]
    assert (found.new == 0).all()
    assert len(fetched) < 50
    assert len(index.query([], text_of).new) == 0


def test_an_index_refuses_signatures_for_another_threshold() -> None:
    with pytest.raises(ValueError, match="made for another threshold"):
        Index(threshold=80).add(signatures(["some text"], threshold=90))
    Index(threshold=97).add(signatures(["some text"], threshold=90))
    with pytest.raises(ValueError, match="from 80 up"):
        Index(threshold=60)


def test_importing_the_package_loads_no_numba() -> None:
    code = "import sys, exports.near_duplicates; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
