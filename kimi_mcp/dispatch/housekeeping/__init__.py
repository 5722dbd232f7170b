"""What earlier dispatches left, how much of it is needed, and what goes."""
