"""The administration's pages of this app, split by noun; importing them registers them."""

from reenrolment.admin import campaigns, dossiers

__all__ = ["campaigns", "dossiers"]
