"""Models to and from files and other libraries."""
