"""DaemonSets: the same pod on every node that takes it."""
