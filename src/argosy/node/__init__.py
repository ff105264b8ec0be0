"""The node: runs this machine's pods. It sees nothing of the cluster but the client."""
