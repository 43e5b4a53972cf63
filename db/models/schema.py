"""The whole schema, which migrations are compared with: importing a table's module adds it."""

from db.models import acts, curation, datasets, evaluations, interactions, runs
from db.models.base import METADATA

__all__ = ["METADATA", "acts", "curation", "datasets", "evaluations", "interactions", "runs"]
