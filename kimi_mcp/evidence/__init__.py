"""What test output and changed test files tell, for whoever must decide whether to believe them."""
