"""Kinds that users define, as the server serves them."""
