"""Nodes that are objects of the API and nothing else, and the pods that seem to run there."""
