"""Endpoints and EndpointSlices: what stands behind services."""
