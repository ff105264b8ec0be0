"""Where objects live: a port (`interface`) and its implementations (`memory`, `sqlite`)."""
