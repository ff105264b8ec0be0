"""Models as content: what a version is made of, named by its digest."""
