"""The verbs, one file each: what a method on a resource's path does."""
