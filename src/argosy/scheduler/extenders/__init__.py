"""Servers that are asked beside the plugins, as kube-scheduler's extenders (webhooks)."""
