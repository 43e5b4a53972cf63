"""build, render, preflight, export, parse: from interactions to files that train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from db.counted import counted
from db.errors import BadInput
from studio.cli.frame import answer, note, opened, output_options, say, store_options, table
from studio.cli.jsonl import json_rows, write_jsonl
from studio.cli.progress import bar

_path = click.Path(path_type=Path)
_FORMATS = ("trl", "openai", "sharegpt", "alpaca", "mlx", "text")


@click.command("build")
@click.argument("name")
@click.option("--strategy", type=click.Choice(("deep", "diverse", "all")), default="all")
@click.option("--solutions", default=5, show_default=True, help="Solutions a problem (diverse).")
@click.option("--budget", type=int, help="At most so many examples of interactions.")
@click.option("--where", default="", help="Only interactions that this filter holds for.")
@click.option("--split", default="80/10/10", show_default=True, help="train/valid/test shares.")
@click.option("--seed", default=0, show_default=True)
@click.option("--avoid", multiple=True, help="Suites that nothing may be shared with.")
@click.option("--overlap", type=click.Choice(("drop", "strike")), default="drop",
              help="What --avoid finds is dropped here, or struck from the suite's verdict on "
              "what is trained on this. [default: drop]")  # fmt: skip
@click.option("--replay", default=0.0, help="Share of general examples against forgetting.")
@click.option("--replay-from", type=_path, help="JSONL of them, else those of the base.")
@click.option("--template", type=click.Choice(("tool_call", "legacy")), default="tool_call")
@click.option("--mix", type=click.Choice(("as_is", "planned", "balanced")), default="as_is",
              help="Agents as they come, as agents.yaml plans them, or as many of each; without "
              "--budget the scarcest agent decides how many.")  # fmt: skip
@click.option("--quality", default="usual", show_default=True,
              help="Filters with commas between: truncated, unreadable_call (these are the usual "
              "ones), refusal, short_answer, broken_code, repetitive; or all, none.")  # fmt: skip
@click.option("--tools", metavar="inferred|FILE",
              help="Tool definitions for logs that hold none (Claude Code, Codex): read off the "
              "calls, or from a JSON list.")  # fmt: skip
@click.option("--max-tokens", type=int, help="Leave out what is longer.")
@click.option("--base", default="nano", show_default=True,
              help="The base that it is for: its tokens are counted, and preflight and train take "
              "it unless another is named.")  # fmt: skip
@click.option("--draft", is_flag=True, help="Only say what would come out; freeze nothing.")
@store_options
def build_command(
    name: str,
    strategy: str,
    solutions: int,
    budget: int | None,
    where: str,
    split: str,
    seed: int,
    avoid: tuple[str, ...],
    overlap: str,
    replay: float,
    replay_from: Path | None,
    template: str,
    mix: str,
    quality: str,
    tools: str | None,
    max_tokens: int | None,
    base: str,
    draft: bool,
    location: str,
    as_json: bool,
) -> None:
    """Build a dataset: frozen, hashed, split so that nothing straddles."""
    from exports.dataset import BuildRecipe
    from exports.quality import parse_filters
    from studio.curation.building import build_dataset

    recipe = BuildRecipe(
        name=name,
        strategy=strategy,
        solutions=solutions,
        budget=budget,
        where=where,
        split=split,
        seed=seed,
        avoid=avoid,
        overlap=overlap,
        replay=replay,
        replay_from=str(replay_from) if replay_from else None,
        template=template,
        mix=mix,
        quality=parse_filters(quality),
        tools=tools,
        max_tokens=max_tokens,
    )
    with opened(location) as store, bar("building") as show:
        value = build_dataset(
            store, recipe, base=base, only_draft=draft, tell=lambda what: show(0, 0, what)
        )
    if why := value["tokens_counted"]["reason"]:
        note(f"tokens were counted by the slower tokenizer itself: {why}")
    if tools is None and (n := value["dropped"].get("tool_not_offered")):
        note(f"{n:,} call tools that their log does not define: --tools inferred|FILE defines them")
    answer(value, as_json, lambda: _print_build(value))


def _print_build(value: dict[str, Any]) -> None:
    counts = ", ".join(f"{n:,} {name}" for name, n in value["examples"].items())
    name = value["dataset"] or "a draft"
    say(f"{name}: {counts}; {counted(value['problems'], 'problem')}, {value['replay']:,} replay")
    if value["converted"]:
        said = ", ".join(f"{name} {n}" for name, n in value["converted"].items())
        say(f"calls turned into the template: {said}")
    if value["dropped"]:
        table(
            ("left out because", "n"),
            [(name.replace("_", " "), n) for name, n in value["dropped"].items()],
            right="n",
        )
    for wall in value["overlap"]["suites"]:
        _print_wall(wall, value["overlap"]["choice"])
    if value["mix"]:
        say(f"agents: {', '.join(f'{name} {n:,}' for name, n in value['by_agent'].items())}")
    tokens = counted(value["tokens"] or 0, "token")
    if value["dataset"] is None:
        say(f"{tokens}; nothing was frozen")
        return
    say(f"{tokens} · sha256 {value['sha256'][:16]}")
    say(f"Next: studio preflight {value['dataset']}")


def _print_wall(wall: dict[str, Any], choice: str) -> None:
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in wall["examples"].items())
    if not kinds:
        say(f"nothing shared with {wall['suite']}")
    elif choice == "strike":
        say(
            f"! {len(wall['struck']):,} of {counted(wall['items'], 'item')} of "
            f"{wall['suite']} are struck "
            f"from verdicts on what is trained on this: examples share them ({kinds})"
        )
    else:
        say(f"left out because {wall['suite']} asks the same: {kinds}")


@click.command("render")
@click.argument("dataset")
@click.option("--base", help="The base, else the one that it was built for.")
@click.option("--split", type=click.Choice(("train", "valid", "test")))
@click.option("--example", "only", multiple=True, type=int, help="Only the example of that id.")
@click.option("--limit", default=10, type=click.IntRange(min=1), show_default=True)
@store_options
def render_command(
    dataset: str,
    base: str | None,
    split: str | None,
    only: tuple[int, ...],
    limit: int,
    location: str,
    as_json: bool,
) -> None:
    """Show examples as the base will read them, the trained tokens marked.

    Secrets are dots; `--json` has every token as it is.
    """
    from exports.frozen import examples_of, find_dataset
    from exports.rendering import load_template, tokens_of
    from studio.training.bases import base_for

    with opened(location) as store:
        frozen = find_dataset(store, dataset)
        found = base_for(frozen, base)
        examples = examples_of(
            store, frozen.id, split=split, only=only, limit=None if only else limit
        )
    template = load_template(found.folder)
    rendered = [(e, template.render(e.messages, e.tools)) for e in examples]
    value = {
        "dataset": frozen.label,
        "base": found.name,
        "examples": [
            {"id": e.id, "split": e.split, "text": r.text, "tokens": tokens_of(r)}
            for e, r in rendered
        ],
    }
    answer(value, as_json, lambda: _print_rendered(value))


def _print_rendered(value: dict[str, Any]) -> None:
    from exports.rendering import without_secrets

    for example in value["examples"]:
        say(f"── example {example['id']} ({example['split']}); trained text stands in ⟦ ⟧")
        text, inside = "", False
        for token in without_secrets(example["tokens"]):
            if token["trained"] != inside:
                text += "⟦" if token["trained"] else "⟧"
                inside = token["trained"]
            text += token["text"]
        say(text + ("⟧" if inside else ""))


@click.command("preflight")
@click.argument("dataset")
@click.option("--recipe", help="The recipe that it would be trained with.")
@click.option("--base", help="The base, else the recipe's, else the one that it was built for.")
@click.option("--suite", "suites", multiple=True, help="Nothing may be shared with it.")
@store_options
def preflight_command(
    dataset: str,
    recipe: str | None,
    base: str | None,
    suites: tuple[str, ...],
    location: str,
    as_json: bool,
) -> int:
    """Check everything that can be checked before a run costs anything."""
    from studio.training.preflight import preflight

    with opened(location) as store, bar("preflight") as show:
        value = preflight(store, dataset, recipe=recipe, base=base, suites=suites, progress=show)
    answer(value, as_json, lambda: print_preflight(value))
    return 0 if value["ok"] else 1


def print_preflight(value: dict[str, Any]) -> None:
    """The checks as a list: state, name, what was seen, and what to do about it."""
    words = {"pass": "pass ", "warn": "WARN ", "block": "BLOCK"}
    for check in value["checks"]:
        say(f"{words[check['status']]} {check['id']:<15} {check['detail']}")
        if check["remedy"] and check["status"] != "pass":
            say(f"{'':<21} → {check['remedy']}")
    say("ready to train" if value["ok"] else "blocked: nothing was trained")


@click.command("export")
@click.argument("dataset")
@click.option("--format", "format_name", required=True, type=click.Choice(_FORMATS))
@click.option("--out", required=True, type=_path, help="The folder to write.")
@click.option("--base", help="Whose chat template writes the format text, else its own base.")
@click.option("--licence", "licences", multiple=True, metavar="[GLOB=]SPDX",
              help="The licence of the sources, or of those that the pattern fits.")  # fmt: skip
@click.option("--allow-secrets", is_flag=True, help="Write keys and tokens that were found.")
@click.option("--push", "repo", metavar="REPO", help="Also upload it to the Hub, as private.")
@store_options
def export_command(
    dataset: str,
    format_name: str,
    out: Path,
    base: str | None,
    licences: tuple[str, ...],
    allow_secrets: bool,
    repo: str | None,
    location: str,
    as_json: bool,
) -> None:
    """Write a dataset for another program: files, manifest and card."""
    from exports.export import export
    from exports.frozen import find_dataset
    from exports.hub import check_login, push
    from exports.rendering import load_template
    from studio.training.bases import base_for

    if repo is not None:
        check_login(repo)
    with opened(location) as store:
        frozen = find_dataset(store, dataset)
        template = None
        if base or format_name == "text":
            template = load_template(base_for(frozen, base).folder)
        done = export(
            store,
            frozen,
            format_name,
            out,
            template=template,
            licences=dict(_licence(text) for text in licences),
            allow_secrets=allow_secrets,
            published=repo is not None,
        )
    pushed = push(out, repo, done.names) if repo is not None else None
    value = {"files": done.files, "left_out": done.left_out, "pushed": pushed}
    answer(value, as_json, lambda: _print_export(value))


def _licence(text: str) -> tuple[str, str]:
    """`GLOB=SPDX` as a pair; a licence alone is that of every source."""
    pattern, sign, licence = text.rpartition("=")
    return (pattern if sign else "*"), licence


def _print_export(value: dict[str, Any]) -> None:
    _print_files(value["files"])
    if not any(file["path"].endswith("valid.jsonl") for file in value["files"]):
        say("there is no validation split, which mlx-lm and early stopping need")
    if value["left_out"]:
        said = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in value["left_out"].items())
        say(f"left out, since the format cannot say them: {said}")
    if value["pushed"]:
        say(f"uploaded to {value['pushed']}")


def _print_files(files: list[dict[str, Any]]) -> None:
    table(
        ("file", "rows", "sha256"),
        [(file["path"], file["rows"], file["sha256"][:16]) for file in files],
        right="rows",
    )


@click.command("parse")
@click.option("--file", "path_in", required=True, type=_path, help="{id, text, tools?} rows.")
@click.option("--out", "path_out", required=True, type=_path, help="Where the answers go.")
@output_options
def parse_command(path_in: Path, path_out: Path, as_json: bool) -> None:
    """Read the tool calls out of texts that models wrote."""
    from exports.tool_calls import parse

    formats: dict[str, int] = {}
    rows = []
    for number, row in json_rows(path_in):
        text, tools = row.get("text"), row.get("tools")
        if "id" not in row or not isinstance(text, str):
            raise BadInput(f"{path_in}:{number}: a row needs an id and a text")
        if tools is not None and not isinstance(tools, list):
            raise BadInput(f"{path_in}:{number}: tools is a list of tools")
        found = parse(text, tools)
        formats[found.format or "none"] = formats.get(found.format or "none", 0) + 1
        rows.append(
            {
                "id": row["id"],
                "calls": [{"name": c.name, "arguments": c.arguments} for c in found.calls],
                "format": found.format,
                "strict": found.strict,
                "problems": found.problems,
                "legacy": [{"name": c.name, "arguments": c.arguments} for c in found.legacy],
                "text": found.text,
            }
        )
    write_jsonl(path_out, rows)
    value = {"parsed": len(rows), "formats": formats, "out": str(path_out)}
    answer(
        value,
        as_json,
        lambda: say(f"{counted(len(rows), 'text')} → {path_out} {json.dumps(formats)}"),
    )
