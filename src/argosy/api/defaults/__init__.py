"""Defaults: what an object says where its writer said nothing; `table` is all there is."""
