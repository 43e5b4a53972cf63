"""A YAML file of the user's, as plain values."""

from __future__ import annotations

from pathlib import Path

from db.errors import BadInput


def read_plain(path: Path) -> object:
    """What a YAML file says. Raises BadInput with the file and the cause."""
    import yaml  # the first frame does not wait for it

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise BadInput(f"{path}: not YAML: {error}") from error
