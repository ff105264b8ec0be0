"""Who owns which field: server-side apply and `metadata.managedFields`. Pure."""
