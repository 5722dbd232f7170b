"""What becomes of delivered work: landed, requested or discarded."""
