"""The screens of the app. Thin: they ask the workbench, draw, and post messages."""
