"""Who notices that a node is gone, says so, and lets its pods go elsewhere."""
