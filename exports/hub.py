"""Put an exported dataset on the Hugging Face Hub, as a private dataset unless it is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from db.errors import BadInput
from exports.splits import SPLITS


def check_login(repo: str) -> None:
    """Raises BadInput where nobody is logged in or `repo` is no name of a repository."""
    try:
        from huggingface_hub import get_token
    except ImportError as error:
        raise BadInput("--push needs huggingface_hub: pip install huggingface_hub") from error
    if not re.fullmatch(r"([\w.-]+/)?[\w.-]+", repo):
        raise BadInput(f"--push {repo!r}: a repository is NAME or OWNER/NAME, such as me/tools")
    if get_token() is None:
        raise BadInput(
            f"--push {repo}: not logged in to the Hugging Face Hub; run `hf auth login` or set "
            "HF_TOKEN to a token that may write"
        )


def push(folder: Path, repo: str, names: Sequence[str]) -> str:
    """Upload the named files of a folder in one commit; returns the dataset's address.

    Splits that an earlier upload had and this one has not are removed. Raises BadInput with the
    Hub's answer where it refuses or cannot be reached.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        address = api.create_repo(repo, repo_type="dataset", private=True, exist_ok=True)
        api.upload_folder(
            repo_id=address.repo_id,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=list(names),
            delete_patterns=[f"{split}.jsonl" for split in SPLITS],
            commit_message=f"Upload {folder.name}",
        )
    except Exception as error:  # the hub's errors share no base
        said = next(iter(str(error).strip().splitlines()), "")
        raise BadInput(
            f"--push {repo}: the files lie in {folder}, and the upload failed: "
            f"{type(error).__name__}: {said}"
        ) from error
    return str(address)
