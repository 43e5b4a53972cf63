"""What runs inside of the walls, started as a process of its own; only the standard library."""
