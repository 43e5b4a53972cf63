"""Datasets: from interactions to training conversations that mean what the person meant."""
