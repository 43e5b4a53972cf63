"""The tables, a module for each station of the loop; `schema` knows all of them.

Times are integer milliseconds since 1970 UTC, durations integer milliseconds. Text columns whose
name says `_json` (and `messages`, `tools`, `tags`, `raw`) hold JSON. A count that the source
did not tell is NULL, never 0.
"""
