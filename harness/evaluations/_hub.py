"""Rows of a dataset on the Hugging Face hub, at a revision that is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from harness.errors import UserMistake


@dataclass(frozen=True)
class Place:
    """A split of a dataset."""

    repository: str
    configuration: str
    split: str

    def of(self, split: str) -> Place:
        """Another split of the same configuration."""
        return replace(self, split=split)


def place(text: str, lang: str) -> Place:
    """The place that "repository, configuration, split" names in a language.

    >>> place("openai/gsm8k, main, test", "en")
    Place(repository='openai/gsm8k', configuration='main', split='test')
    """
    repository, configuration, split = (part.strip() for part in text.format(lang=lang).split(","))
    return Place(repository, configuration, split)


def resolved(where: Place, revision: str, gated: bool) -> str:
    """The commit that a revision (the newest, where it is empty) stands for now. Raises UserMistake."""
    import huggingface_hub
    from huggingface_hub import errors

    repository = where.repository
    try:
        return huggingface_hub.HfApi().dataset_info(repository, revision=revision or None).sha
    except errors.GatedRepoError as error:
        raise UserMistake(_no_access(repository)) from error
    except errors.RevisionNotFoundError as error:
        raise UserMistake(f"{repository} has no revision '{revision}'") from error
    except errors.RepositoryNotFoundError as error:  # what it answers, too, to one who may not see it
        raise UserMistake(_no_access(repository) if gated else f"the hub has no dataset {repository}") from error
    except Exception as error:  # of its HTTP client, which is another one from version to version
        raise UserMistake(f"cannot reach the hub for {repository} ({_short(error)}); give a file instead") from error


def rows(where: Place, revision: str) -> list[dict[str, Any]]:
    """Every row of a split at a commit. Raises UserMistake."""
    import datasets  # slow to import, so only when rows are wanted

    configuration = where.configuration or None
    try:
        return datasets.load_dataset(
            where.repository, configuration, split=where.split, revision=revision
        ).to_list()  # fmt: skip
    except datasets.exceptions.DatasetNotFoundError as error:
        raise UserMistake(_no_access(where.repository)) from error
    except (ValueError, RuntimeError, OSError, datasets.exceptions.DatasetGenerationError) as error:
        raise UserMistake(
            f"{where.repository} ({configuration or 'its only configuration'}, {where.split}) cannot be read: "
            f"{_short(error)}; download its file and give that"
        ) from error


def _no_access(repository: str) -> str:
    return (f"the hub shows {repository} to those who asked for access: ask on its page with your own account, then "
            "`hf auth login` or set HF_TOKEN")  # fmt: skip


def _short(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
