"""Making room: pods of lower priority that go so that one of higher priority, or a gang, fits."""
