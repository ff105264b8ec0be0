"""Plugins that others have written: found by their entry points, watched while they run."""
