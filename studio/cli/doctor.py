"""doctor: what works on this machine."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from dataclasses import asdict
from typing import Any

import click

from db.counted import counted
from db.errors import StudioError
from studio.cli.frame import answer, opened, say, store_options

OPTIONAL = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "numba")


@click.command("doctor")
@store_options
def doctor_command(location: str, as_json: bool) -> None:
    """Say what works here: the store, the sandbox, torch and its device, optional packages."""
    from studio.sandbox import probe

    value = {
        "store": _store(location),
        "sandbox": asdict(probe()),
        "torch": _version("torch"),
        "device": _device(),
        "optional": {name: _version(name) for name in OPTIONAL},
        "cpus": os.cpu_count(),
    }
    answer(value, as_json, lambda: _print(value))


def _store(location: str) -> dict[str, Any]:
    try:
        with opened(location) as store, store.read() as connection:
            rows = connection.exec_driver_sql("SELECT count(*) FROM interaction").scalar()
            sound = connection.exec_driver_sql("PRAGMA quick_check").scalar()
            return {"location": location, "ok": sound == "ok", "interactions": rows}
    except StudioError as error:
        return {"location": location, "ok": False, "problem": str(error)}


def _version(name: str) -> str | None:
    if importlib.util.find_spec(name) is None:
        return None
    return importlib.metadata.version(name)


def _device() -> str | None:
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name(0)}"
    return f"cpu ({torch.get_num_threads()} threads)"


def _print(value: dict[str, Any]) -> None:
    store = value["store"]
    say(
        f"store    {store['location']}: "
        + (counted(store["interactions"], "interaction") if store["ok"] else store["problem"])
    )
    sandbox = value["sandbox"]
    say(f"sandbox  tier {sandbox['tier']}")
    for tier, why in sandbox["refused"].items():
        say(f"         not {tier}: {why}")
    for found in sandbox["probes"]:
        say(f"         {'held  ' if found['held'] else 'FAILED'} {found['name']}")
        if not found["held"]:
            say(f"                → {found['remedy']}")
    say(f"device   {value['device'] or 'none: torch is not installed'}")
    for name, version in value["optional"].items():
        say(f"{name:<13} {version or 'not installed: pip install adapter-studio[train]'}")
