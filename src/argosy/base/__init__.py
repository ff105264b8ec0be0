"""The floor of the house: pure helpers that know nothing of kinds, servers or clients."""
