"""Adapter Studio: the app, its commands, and the workbench behind both."""
