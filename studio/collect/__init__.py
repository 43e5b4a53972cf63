"""Collecting interactions: log files of any known format become rows of the store."""
