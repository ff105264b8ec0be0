"""Where pods that need GPUs go so that few GPUs are stranded, and how that is compared."""
