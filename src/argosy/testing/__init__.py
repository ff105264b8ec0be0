"""The test kit: a cluster in the test's own process, and a clock that obeys."""
