"""One async client for any Kubernetes API, over any transport."""
