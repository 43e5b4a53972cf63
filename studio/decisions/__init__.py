"""Decisions: what follows from the differences between arms, by rules that show their evidence."""
