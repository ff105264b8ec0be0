"""Rules of admission that users write: what policies and webhooks share, and the policies."""
