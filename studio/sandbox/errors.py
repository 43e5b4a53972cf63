"""What can go wrong before a verdict exists: a `BadInput` of the store's tree, or one of these.

SandboxError
└── SandboxUnavailable   this machine cannot hold hostile code; says which probe failed, what to do
"""

from __future__ import annotations

from db.errors import BadInput, StudioError

__all__ = ["BadInput", "SandboxError", "SandboxUnavailable"]


class SandboxError(StudioError):
    """Base of the package's errors; the text is fit for a user."""


class SandboxUnavailable(SandboxError):
    """No tier of protection holds here."""
