"""Kubernetes' Pod Security Standards: what a pod may ask for at a level, as of a version."""
