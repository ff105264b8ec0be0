"""Why a pod is pending and what would help: in words, with fixes that were tried."""
