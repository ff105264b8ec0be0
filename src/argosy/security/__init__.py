"""Pure decisions about safety: who may do what. Nothing here reads, writes or waits."""
