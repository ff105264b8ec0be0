"""Serving: what turns a model version into answers. `server` is what runs inside of its pods."""
