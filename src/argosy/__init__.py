"""Argosy: an AI-native Kubernetes in one Python package."""

__version__ = "0.1.0"
