"""Role-based access control: rules, who is bound to them, what covers what, and the defaults."""
