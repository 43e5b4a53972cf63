"""Base models: by the name of `bases.yaml`, by folder, or by their name on the Hub."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path
from pydantic import Field

from db.errors import BadInput
from exports.atomic import atomic
from exports.frozen import Frozen
from studio.nano import MODEL, REPLAY
from studio.settings import Settings, config_path, read_yaml

_BLOB = re.compile(r"[0-9a-f]{64}")


class BaseSettings(Settings):
    """One base of `bases.yaml`; `learning_rate` is the range that is known to work."""

    model: str
    kind: Literal["code", "general"] = "general"
    learning_rate: tuple[float, float] = (1e-5, 4e-4)
    why: str = "LoRA is commonly trained at about 1e-4 (TRL and Axolotl docs)"
    enough_rows: int = Field(default=1000, ge=1)
    replay: str | None = None


class Bases(Settings):
    """`bases.yaml`."""

    bases: dict[str, BaseSettings]


@dataclass(frozen=True, slots=True)
class Base:
    """A base model on this machine."""

    name: str
    folder: Path
    settings: BaseSettings

    @property
    def replay(self) -> Path | None:
        """General examples that go with this base, when it has any."""
        if self.settings.replay:
            return Path(self.settings.replay)
        return REPLAY if self.folder == MODEL else None


@lru_cache
def known_bases() -> dict[str, BaseSettings]:
    """The bases of `bases.yaml` by name."""
    return read_yaml(config_path("bases.yaml"), Bases).bases


def find_base(name: str) -> Base:
    """The base of that name, folder or Hub name, fetched from the Hub when it must be.

    Raises BadInput with what to do when it cannot be had.
    """
    known = known_bases().get(name)
    if known is not None and known.model == "embedded":
        return Base(name, MODEL, known)
    model = known.model if known else name
    if Path(model).is_dir():
        if not (Path(model) / "config.json").is_file():
            raise BadInput(f"{model} holds no model: it has no config.json")
        return Base(name, Path(model).resolve(), known or BaseSettings(model=model))
    if known is None and not re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        raise BadInput(
            f"no base {name!r}: give a folder, a Hub name (owner/model) or one of "
            f"{', '.join(known_bases())}"
        )
    return Base(name, _fetch(model), known or BaseSettings(model=model))


def lasting_name(base: Base) -> str:
    """What finds the base again from another folder: its name, or its whole path."""
    is_folder = base.name not in known_bases() and Path(base.name).is_dir()
    return str(base.folder) if is_folder else base.name


def base_for(dataset: Frozen, *named: str | None) -> Base:
    """The first base that is named, else the one that the dataset was built for, else nano."""
    return find_base(next((name for name in (*named, dataset.base) if name), "nano"))


def _fetch(model: str) -> Path:
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.safetensors", "*.jinja", "*.txt"]
    try:
        return Path(snapshot_download(model, allow_patterns=wanted))
    except Exception as error:  # the hub's errors share no base
        raise BadInput(
            f"{model} cannot be had from the Hub ({type(error).__name__}); download it and give "
            "its folder instead"
        ) from error


def base_digest(folder: Path) -> str:
    """A digest of all that an adapter depends on: weights, tokenizer and chat template."""
    digest = hashlib.sha256(weights_digest(folder).encode())
    for name in ("tokenizer.json", "chat_template.jinja"):
        path = folder / name
        digest.update(f"{name}:{_file_digest(path) if path.is_file() else None}\n".encode())
    return digest.hexdigest()


def weights_digest(folder: Path) -> str:
    """A digest of the weights and configuration in a model or adapter folder.

    Large files are hashed once: the result is remembered by path, size and time of change.
    """
    digest = hashlib.sha256()
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix in (".safetensors", ".bin") or path.name.endswith("config.json")
    )
    if not any(path.suffix in (".safetensors", ".bin") for path in files):
        raise BadInput(f"{folder} holds no weights (*.safetensors)")
    for path in files:
        digest.update(f"{path.name}:{_file_digest(path)}\n".encode())
    return digest.hexdigest()


def _file_digest(path: Path) -> str:
    real = path.resolve()
    if _BLOB.fullmatch(real.name):  # the Hub's cache names large files by their hash
        return real.name
    stat = real.stat()
    if stat.st_size < 64 * 1024 * 1024:
        return hashlib.sha256(real.read_bytes()).hexdigest()
    memory = user_cache_path("adapter-studio", ensure_exists=True) / "digests.json"
    known = json.loads(memory.read_text()) if memory.is_file() else {}
    key = f"{real}:{stat.st_size}:{stat.st_mtime_ns}"
    if key not in known:
        with real.open("rb") as file:
            known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        with atomic(memory) as out:
            out.write(json.dumps(known))
    return str(known[key])
