"""Configuration as data: YAML only, read by `studio.settings`."""
