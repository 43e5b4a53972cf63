"""The commands. Each lives in the module of its area and is imported only when it is asked for."""

from __future__ import annotations

import importlib

import click

from studio.opening import in_terminal, open_app

# command -> module of this package; the order is the order of the help
COMMANDS = {
    "demo": "demo",
    "import": "collect",
    "list": "collect",
    "show": "collect",
    "stats": "collect",
    "history": "curate",
    "label": "curate",
    "accept": "curate",
    "drop": "curate",
    "reset": "curate",
    "tag": "curate",
    "note": "curate",
    "edit": "curate",
    "undo": "curate",
    "redo": "curate",
    "classify": "classify",
    "dedupe": "dedupe",
    "problems": "problems",
    "split": "curate",
    "merge": "curate",
    "verify": "problems",
    "advise": "problems",
    "sample": "sampling",
    "build": "datasets",
    "render": "datasets",
    "preflight": "datasets",
    "export": "datasets",
    "parse": "datasets",
    "train": "training",
    "runs": "training",
    "stop": "training",
    "resume": "training",
    "nano": "training",
    "evaluate": "evaluate",
    "compare": "evaluate",
    "decide": "evaluate",
    "sandbox": "evaluate",
    "doctor": "doctor",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used, so that `studio` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the table above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, from its module."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        found = getattr(
            importlib.import_module(f"studio.cli.{module}"), f"{cmd_name}_command", None
        )
        return found if isinstance(found, click.Command) else None


@click.group(
    cls=LazyGroup, invoke_without_command=True, context_settings={"max_content_width": 100}
)
@click.version_option(package_name="adapter-studio")
@click.option("--store", "location", help="Open the app on this store.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show where an error comes from.")
@click.pass_context
def studio(context: click.Context, location: str | None) -> int | None:
    """Turn your agents' logs into a LoRA adapter, and prove whether it beats the base model.

    Without a command: open the app on --store (else $STUDIO_STORE, else ./studio.db).
    """
    if context.invoked_subcommand is None:
        if not in_terminal():
            click.echo(context.get_help())
            raise click.UsageError("the app needs a terminal; give a command where there is none")
        return open_app(location)
    if location is not None:
        raise click.UsageError("--store stands behind the command: studio list --store PATH")
    return None
