"""Kubernetes' own controllers, as far as the embedded cluster has them."""
