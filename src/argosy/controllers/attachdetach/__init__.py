"""Which volumes of storage drivers are at which node."""
