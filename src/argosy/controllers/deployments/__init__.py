"""Deployments: ReplicaSets of one template after another, with a rollout in between."""
