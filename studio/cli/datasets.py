"""build, render, preflight, export, parse: from interactions to files that train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from db.errors import BadInput
from studio.cli.frame import answer, opened, output_options, say, store_options, table
from studio.cli.jsonl import json_rows, write_jsonl
from studio.cli.progress import bar

_path = click.Path(path_type=Path)


@click.command("build")
@click.argument("name")
@click.option("--strategy", type=click.Choice(("deep", "diverse", "all")), default="all")
@click.option("--solutions", default=5, show_default=True, help="Solutions a problem (diverse).")
@click.option("--budget", type=int, help="At most so many examples of interactions.")
@click.option("--where", default="", help="Only interactions that this filter holds for.")
@click.option("--split", default="80/10/10", show_default=True, help="train/valid/test shares.")
@click.option("--seed", default=0, show_default=True)
@click.option("--avoid", multiple=True, help="Suites that nothing may be shared with.")
@click.option("--replay", default=0.0, help="Share of general examples against forgetting.")
@click.option("--replay-from", type=_path, help="JSONL of them, else those of the base.")
@click.option("--template", type=click.Choice(("tool_call", "legacy")), default="tool_call")
@click.option("--base", default="nano", show_default=True, help="Whose tokens are counted.")
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
    replay: float,
    replay_from: Path | None,
    template: str,
    base: str,
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Build a dataset: frozen, hashed, split so that nothing straddles."""
    from exports.dataset import BuildRecipe
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
        replay=replay,
        replay_from=str(replay_from) if replay_from else None,
        template=template,
    )
    with opened(location) as store:
        value = build_dataset(store, recipe, base=base)
    answer(value, as_json, lambda: _print_build(value))


def _print_build(value: dict[str, Any]) -> None:
    counts = ", ".join(f"{n:,} {name}" for name, n in value["examples"].items())
    say(f"{value['dataset']}: {counts}; {value['problems']:,} problems, {value['replay']:,} replay")
    if value["converted"]:
        said = ", ".join(f"{name} {n}" for name, n in value["converted"].items())
        say(f"calls turned into the template: {said}")
    if value["dropped"]:
        table(
            ("left out because", "n"),
            [(name.replace("_", " "), n) for name, n in value["dropped"].items()],
            right="n",
        )
    say(f"{value['tokens'] or 0:,} tokens · sha256 {value['sha256'][:16]}")
    say(f"Next: studio preflight {value['dataset']}")


@click.command("render")
@click.argument("dataset")
@click.option("--base", default="nano", show_default=True)
@click.option("--split", type=click.Choice(("train", "valid", "test")))
@click.option("--limit", default=10, type=click.IntRange(min=1), show_default=True)
@store_options
def render_command(
    dataset: str,
    base: str,
    split: str | None,
    limit: int,
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Show examples as the base will read them, the trained tokens marked."""
    from exports.frozen import examples_of, find_dataset
    from exports.rendering import load_template, tokens_of
    from studio.training.bases import find_base

    with opened(location) as store:
        frozen = find_dataset(store, dataset)
        examples = examples_of(store, frozen.id, split=split, limit=limit)
    template = load_template(find_base(base).folder)
    rendered = [(e, template.render(e.messages, e.tools)) for e in examples]
    value = {
        "dataset": frozen.label,
        "base": base,
        "examples": [
            {"id": e.id, "split": e.split, "text": r.text, "tokens": tokens_of(r)}
            for e, r in rendered
        ],
    }
    answer(value, as_json, lambda: _print_rendered(value))


def _print_rendered(value: dict[str, Any]) -> None:
    for example in value["examples"]:
        say(f"── example {example['id']} ({example['split']}); trained text stands in ⟦ ⟧")
        text, inside = "", False
        for token in example["tokens"]:
            if token["trained"] != inside:
                text += "⟦" if token["trained"] else "⟧"
                inside = token["trained"]
            text += token["text"]
        say(text + ("⟧" if inside else ""))


@click.command("preflight")
@click.argument("dataset")
@click.option("--recipe", help="The recipe that it would be trained with.")
@click.option("--base", help="The base, else the recipe's.")
@click.option("--suite", "suites", multiple=True, help="Nothing may be shared with it.")
@store_options
def preflight_command(
    dataset: str,
    recipe: str | None,
    base: str | None,
    suites: tuple[str, ...],
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
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
@click.option("--format", "format_name", required=True, type=click.Choice(("trl", "openai")))
@click.option("--out", required=True, type=_path, help="The folder to write.")
@click.option("--allow-secrets", is_flag=True, help="Write keys and tokens that were found.")
@store_options
def export_command(
    dataset: str,
    format_name: str,
    out: Path,
    allow_secrets: bool,
    location: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Write a dataset for another program: files, manifest and card."""
    from exports.export import export
    from exports.frozen import find_dataset

    with opened(location) as store:
        frozen = find_dataset(store, dataset)
        files = export(store, frozen, format_name, out, allow_secrets=allow_secrets)
    answer({"files": files}, as_json, lambda: _print_files(files))


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
def parse_command(
    path_in: Path,
    path_out: Path,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
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
    answer(value, as_json, lambda: say(f"{len(rows):,} texts → {path_out} {json.dumps(formats)}"))
