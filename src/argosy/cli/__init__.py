"""The command line: stdout is data, everything else is stderr, an error ends with `hint:`."""
