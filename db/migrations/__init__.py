"""The schema's history; `upgrade.py` brings a store to the newest one."""

HEAD = "0006"  # the newest migration; a test holds it equal to the folder
