"""Is a draft ready to be submitted, and is it still what was read?"""

import hashlib
import json

from documents.pieces import Piece
from reenrolment.models import Reenrolment
from reenrolment.rows import Row

ANOTHER = "choisissez-en un autre."
NONE_LEFT = (
    "il n'y en a plus d'autre. «\u00a0Vérifier\u00a0» gardera votre demande sans horaire, "
    "et l'administration vous proposera une place si elle se libère."
)
NONE_SUITS = (
    "aucun autre ne convient. «\u00a0Vérifier\u00a0» gardera votre demande sans horaire, "
    "et l'administration vous en proposera un."
)


def unanswered(reenrolment: Reenrolment | None, rows: list[Row]) -> list[tuple[str, str]]:
    """What the family still has to answer: the id of the field, and what to do."""
    found = []
    if reenrolment is None or not reenrolment.administrative:
        found.append(("id_administrative", "Cochez «\u00a0Réinscription administrative\u00a0»."))
    if not any(row.choice.wanted for row in rows):
        first = f"id_{rows[0].section}-wanted" if rows else ""
        found.append((first, "Cochez «\u00a0Réinscription\u00a0» pour au moins un cours."))
    found += [
        (
            f"id_{row.section}-slot_id",
            f"Choisissez un horaire pour «\u00a0{row.enrolment.course}\u00a0».",
        )
        for row in rows
        if row.lacks_slot
    ]
    found += [
        (
            f"id_{row.section}-slot_id",
            f"Classez au moins un horaire pour «\u00a0{row.enrolment.course}\u00a0».",
        )
        for row in rows
        if row.lacks_wishes
    ]
    return found


def problems(reenrolment: Reenrolment | None, rows: list[Row]) -> list[tuple[str, str]]:
    """`unanswered`, and the slots picked that have been filled since, or are for others now.

    « Valider » finds these by itself.
    """
    gone = [
        (
            f"id_{row.section}-slot_id",
            f"Le créneau «\u00a0{row.choice.slot}\u00a0» {row.why_gone}\u00a0: "
            + _what_is_left(row),
        )
        for row in rows
        if row.choice.wanted and row.slot_is_gone
    ]
    return unanswered(reenrolment, rows) + gone


def _what_is_left(row):
    if row.slots:
        return ANOTHER
    return NONE_SUITS if row.no_slot_suits else NONE_LEFT


def fingerprint_of(reenrolment: Reenrolment, rows: list[Row], pieces: list[Piece]) -> str:
    """Sums up what the recap shows, so that « Valider » binds to what was read."""
    facts = [
        reenrolment.campaign.terms.text,  # staff may still correct it until somebody accepts
        reenrolment.administrative,
        reenrolment.comment,
        [_facts_of(row) for row in rows],
        [[p.key, str(p.document and p.document.pk), p.sets_top_rate] for p in pieces],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _facts_of(row):
    choice, proposed = row.choice, row.course and row.course.pk
    facts = [row.enrolment.pk, proposed, choice.wanted, choice.slot_id, choice.stop_reason]
    return [*facts, [wait.entry.slot_id for wait in row.waits] if row.by_allotment else []]
