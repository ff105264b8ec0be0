"""Groups of the API that other servers serve, as APIServices say."""
