"""The store: tables, acts, filters and search. Knows nothing of terminals, models or YAML."""
