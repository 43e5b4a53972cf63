"""Curation: what people and programs decide about interactions before they train anything."""
