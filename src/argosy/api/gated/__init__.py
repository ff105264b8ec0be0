"""Fields that a closed feature gate keeps out of the store."""
