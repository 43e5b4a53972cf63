"""Near-duplicate texts: clusters of them, and which stored texts a new one is near to.

Near means `rapidfuzz.fuzz.ratio` of the raw texts at or above a threshold. numba is imported only
when a function runs.
"""

from exports.near_duplicates.clusters import Clusters, find_clusters, similarity
from exports.near_duplicates.index import Index, Matches, find_against
from exports.near_duplicates.layout import SIGNATURE_VERSION
from exports.near_duplicates.signature import signatures

__all__ = [
    "SIGNATURE_VERSION",
    "Clusters",
    "Index",
    "Matches",
    "find_against",
    "find_clusters",
    "signatures",
    "similarity",
]
