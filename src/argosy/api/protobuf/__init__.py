"""Kubernetes' protobuf for built-in kinds: bytes on one side, JSON's dicts and lists on the other.

`codec` is what servers call. It stands on `decoder` and `encoder`, which make one function for
each message out of `table` (the numbers, in `fields.txt`), with the values' two forms in `scalars`
and `special`, and bytes and varints in `wire`.
"""
