"""Keys that a plugin keeps: the KMS v2 protocol, and the envelopes that it makes possible."""
