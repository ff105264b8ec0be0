"""Admission webhooks: what other servers say of a request."""
