"""The server tower: the Kubernetes API over a store, from the request to its answer."""
