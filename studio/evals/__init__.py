"""Evaluation: arms on suites, outcomes, and what a difference between two arms is worth."""
