"""What every controller stands on: informer, work queue, reconcile loop, commit, manager."""
