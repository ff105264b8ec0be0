"""The scheduler's part in volumes: where a pod's claims can be had, and who gets which volume."""
