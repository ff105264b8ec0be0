"""HTTP/1.1 as messages and as a server. This room knows nothing of Kubernetes."""
