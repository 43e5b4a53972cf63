"""Training: recipes, preflight, and runs that live in child processes."""
