"""The job controller: what is to do is decided by pure functions, one concern a file."""
