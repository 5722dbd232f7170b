"""Telling the dead from the living, and putting right what the dead have left."""
