"""Who asks: one file for each way of saying so, and `authenticator`, which knows their order."""
