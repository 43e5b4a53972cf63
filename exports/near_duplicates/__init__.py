"""Near-duplicate texts: clusters of them, and which stored texts a new one is near to.

Near means `rapidfuzz.fuzz.ratio` of the raw texts at or above a threshold, or another of
`MEASURES`. numba is imported only when a function runs.
"""

from exports.near_duplicates.clusters import Clusters, find_clusters
from exports.near_duplicates.index import Index, Matches, find_against, join_clusters
from exports.near_duplicates.layout import SIGNATURE_VERSION
from exports.near_duplicates.measures import MEASURES, RATIO, SET, form, similarity
from exports.near_duplicates.signature import signatures

__all__ = [
    "MEASURES",
    "RATIO",
    "SET",
    "SIGNATURE_VERSION",
    "Clusters",
    "Index",
    "Matches",
    "find_against",
    "find_clusters",
    "form",
    "join_clusters",
    "signatures",
    "similarity",
]
