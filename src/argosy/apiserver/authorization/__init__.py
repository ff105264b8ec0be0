"""Who may do what: what a request asks for, in Kubernetes' terms, and who says yes or no."""
