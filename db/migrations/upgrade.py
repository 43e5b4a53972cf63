"""Run the migrations of this folder on a store. Imported only when a store is not up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

FOLDER = Path(__file__).parent


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def known_revisions() -> set[str]:
    """Every revision that this program can upgrade from."""
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Upgrade to a revision in one transaction, which an error takes back as a whole.

    Two programs that open the same new store take turns.
    """
    config = _config()
    with engine.connect() as connection:
        connection = connection.execution_options(studio_write="FULL")
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
