"""The table of Kubernetes' own resources: one file a family of groups, `table` has them all."""
