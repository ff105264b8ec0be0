"""Kinds that users define: what a CustomResourceDefinition says, and what follows from it."""
