"""Gangs that must be close together, and groups of them: which domain has room for the whole."""
