"""Room for one gang that waits, and what may be done with it meanwhile."""
