"""The composition root: the only room that sees both towers, and puts them together."""
