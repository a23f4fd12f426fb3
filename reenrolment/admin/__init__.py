"""The administration's pages of this app, split by noun; importing them registers them."""

from reenrolment.admin import assisted, campaigns, dossiers, waiting

__all__ = ["assisted", "campaigns", "dossiers", "waiting"]
