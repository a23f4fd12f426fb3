"""The administration's pages of this app, split by capability; importing them registers them."""

from teaching.classes import admin  # noqa: F401
