"""What came of a dispatch, told: to models and to people in the same words."""
