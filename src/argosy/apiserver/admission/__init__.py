"""Admission: rules that see more than the object itself, one a file, in the order of `chain`."""
