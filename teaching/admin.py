"""The administration's pages of this app, by capability; importing them registers them."""

from teaching.evaluations import admin as evaluations

__all__ = ["evaluations"]
