"""How we start a program so that nothing it started outlives it."""
