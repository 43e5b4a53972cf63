"""Token counts are the tokenizer's own, whoever counts, and a fallback is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from exports.tokens import TokenCounter
from tests.exports.bases import CORPUS, SPLIT, make_base

LLAMA_SPLIT = SPLIT.replace(r"\p{N}|", r"\p{N}{1,3}|")
PROSE = [
    *CORPUS,
    "naïve café Ångström 1234567 x = [1, 22, 333]\n\n\t\tdon't WE'LL 日本語 🙂 e\u0301",
] * 3


def qwen(folder: Path) -> Tokenizer:
    """NFC, one expression, single digits; tags are added tokens that are looked for once normal."""
    base = PreTrainedTokenizerFast.from_pretrained(str(make_base(folder, "x")))
    tokenizer: Tokenizer = base.backend_tokenizer
    return tokenizer


def gpt2(_: Path) -> Tokenizer:
    """The ByteLevel pre-tokenizer cuts by itself, nothing is normalized."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return trained(tokenizer, ["<|endoftext|>"])


def llama(_: Path) -> Tokenizer:
    """Words of the vocabulary are taken whole, digits by threes, a BOS that is not to be added."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    control = ["<|begin_of_text|>", "<|eot_id|>", *(f"<|reserved_{n}|>" for n in range(20))]
    trained(tokenizer, control)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin_of_text|> $A",
        special_tokens=[("<|begin_of_text|>", tokenizer.token_to_id("<|begin_of_text|>"))],
    )
    return tokenizer


def trained(tokenizer: Tokenizer, control: list[str]) -> Tokenizer:
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=control,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(PROSE, trainer)
    return tokenizer


Make = Callable[[Path], Tokenizer]
FAMILIES: dict[str, Make] = {"qwen": qwen, "gpt2": gpt2, "llama": llama}
PIECES = [
    " ", "  ", "\n", "\r\n", "\t", "\xa0", "\u3000", "\u2028", "\x00", "1", "12345", "٣", "²", "a",
    "the", "Tests", "don't", "'S", "’ll", "é", "e\u0301", "\u0301", "\u212b", "ﬁ", "ſ", "日本",
    "ไทย", "🙂", "👩‍👩‍👧", "\u200d", "<|im_start|>", "<|im_end|>", "<|im_", "<|endoftext|>",
    "<|eot_id|>", "<|reserved_1|>", "<|reserved_1", "<tool_call>", "</tool_call>", "<tool_", "{",
    '"}', "...", "--", "_",
]  # fmt: skip


@pytest.fixture(scope="module", params=FAMILIES)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TokenCounter, Tokenizer]:
    tokenizer = FAMILIES[request.param](tmp_path_factory.mktemp(request.param))
    return TokenCounter(tokenizer), tokenizer


def own(tokenizer: Tokenizer, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join) | st.text(max_size=40))
def test_ids_are_those_of_the_tokenizer(pair: tuple[TokenCounter, Tokenizer], text: str) -> None:
    counter, tokenizer = pair
    assert counter.reason is None
    assert counter.ids(text) == own(tokenizer, text)
    assert counter.count(text) == len(own(tokenizer, text))


def test_counts_stay_exact_behind_the_proof(pair: tuple[TokenCounter, Tokenizer]) -> None:
    _, tokenizer = pair
    counter = TokenCounter(tokenizer)
    texts = [f"{a}{b} {a}" for a in PIECES for b in PIECES]
    assert [counter.count(text) for text in texts] == [len(own(tokenizer, t)) for t in texts]
    assert counter.reason is None


def test_real_logs_and_evaluation_sets_have_the_same_ids(
    pair: tuple[TokenCounter, Tokenizer], data: Path
) -> None:
    counter, tokenizer = pair
    read = 0
    for path in sorted(data.rglob("*.jsonl")):
        text = path.read_text(encoding="utf-8", errors="replace")[:20_000]
        assert counter.ids(text) == own(tokenizer, text), path.name
        read += len(text)
    assert read > 500_000


def test_of_two_added_tokens_the_longer_one_counts(tmp_path: Path) -> None:
    tokenizer = qwen(tmp_path)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in ('": ', '": "', '"')])
    counter = TokenCounter(tokenizer)
    assert counter.reason is None
    for text in ('{"a": "b", "c": 1}', '": ": "": "'):
        assert counter.ids(text) == own(tokenizer, text)


def test_what_the_tokenizer_would_cut_off_is_counted(tmp_path: Path) -> None:
    tokenizer = qwen(tmp_path)
    tokenizer.enable_truncation(4)
    assert TokenCounter(tokenizer).count("1 2 3 4 5 6 7 8 9") > 8


def wordpiece(_: Path) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def lowered(folder: Path) -> Tokenizer:
    tokenizer = gpt2(folder)
    tokenizer.normalizer = normalizers.Lowercase()
    return tokenizer


def stripping(folder: Path) -> Tokenizer:
    tokenizer = gpt2(folder)
    tokenizer.add_tokens([AddedToken("<mask>", lstrip=True)])
    return tokenizer


def in_steps(folder: Path) -> Tokenizer:
    tokenizer = gpt2(folder)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    return tokenizer


def unreached(_: Path) -> Tokenizer:
    letters = {letter: n for n, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    model = models.BPE(letters | {"abc": 256}, [], ignore_merges=True)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (wordpiece, "no BPE but WordPiece"),
        (lowered, "normalizer is Lowercase"),
        (stripping, "blanks beside it"),
        (in_steps, "cuts words in steps: Digits, ByteLevel"),
        (unreached, "made by no merge"),
    ],
)
def test_what_tiktoken_cannot_do_the_tokenizer_does(make: Make, says: str, tmp_path: Path) -> None:
    tokenizer = make(tmp_path)
    counter = TokenCounter(tokenizer)
    assert says in str(counter.reason)
    for text in ("a <mask> ABC abc 12", "12 a"):
        assert counter.count(text) == len(own(tokenizer, text))
        assert counter.ids(text) == own(tokenizer, text)


def test_a_difference_that_a_text_brings_to_light_ends_it() -> None:
    """A tokenizer whose merges cannot make the token that stands in its vocabulary."""
    letters = {letter: n for n, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    merges = [("z", "q"), ("v", "z"), ("vz", "q")]
    model = models.BPE(letters | {"zq": 256, "vz": 257, "vzq": 258}, merges)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    counter = TokenCounter(tokenizer)
    assert counter.reason is None
    assert counter.count("some text") == 9
    assert counter.count("vzq") == len(own(tokenizer, "vzq")) == 2
    assert "other tokens than the tokenizer for 'vzq'" in str(counter.reason)
