"""The input of a prompt or a form: what is typed fast is taken in its order."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class AnswerLine(Input):
    """An input that does what a key is bound to at once, here or on what is around it.

    Textual's own asks the whole screen first, and takes the letters typed meanwhile before it.
    """

    async def _on_key(self, event: events.Key) -> None:
        if not event.is_printable:
            for node in self.ancestors_with_self:
                for binding in node._bindings.key_to_bindings.get(event.key, ()):
                    if await self.app.run_action(binding.action, node):
                        event.stop()
                        event.prevent_default()
                        return
                if node is self.screen:
                    break
        await super()._on_key(event)
