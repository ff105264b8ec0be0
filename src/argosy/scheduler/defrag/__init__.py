"""Plans moves of pods that free whole GPUs and nodes; nothing is evicted here."""
