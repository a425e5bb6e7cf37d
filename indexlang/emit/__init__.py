"""Nest → readable Python source, and the store of sources and object code."""
