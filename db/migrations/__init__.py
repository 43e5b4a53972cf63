"""The schema's history; `upgrade.py` brings a store to the newest one."""
