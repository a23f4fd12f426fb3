"""The letters of a launch, for the households that no e-mail reaches: one text, two shapes.

The page and the PDF (`templates/letters/launch.typ`) show the same Letter.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.dates import day, moment
from accounts.names import with_de
from accounts.pdfs import render_pdf
from families.models import Family
from reenrolment.households import Household, load_households
from reenrolment.models import Campaign

AT_ONCE = 250  # letters of one page, and of its PDF: a second or two


@dataclass(frozen=True)
class Letter:
    """Everything that is read on one letter, in French."""

    sender: list[str]
    recipient: list[str]
    date: str
    subject: str
    opening: str
    facts: list[tuple[str, str]]  # what it is, and what it says
    usernames: list[tuple[str, str]]  # the same, to be written in a face that mixes up no letters
    steps: list[str]
    pieces: list[str]


def letters_of(campaign: Campaign, families: Iterable[Family]) -> list[Letter]:
    """In the order given. Eight queries; one or two more before it opens for everybody."""
    today = timezone.localdate()
    return [
        _letter(campaign, household, today) for household in load_households(campaign, families)
    ]


def print_letters(letters: list[Letter], campaign: Campaign) -> bytes:
    """The PDF: one letter a page, for window envelopes. Raises ValidationError `pdf`."""
    data = {
        "title": f"Lettres de lancement, {campaign}",
        "letters": [asdict(letter) for letter in letters],
    }
    return render_pdf("letters/launch.typ", data)


def _letter(campaign: Campaign, household: Household, today: dt.date) -> Letter:
    office = campaign.establishment
    family = household.family
    return Letter(
        sender=[office.name, *office.address.splitlines(), office.phone, office.email],
        recipient=[
            *map(str, household.guardians),
            family.address,
            *([family.address_more] if family.address_more else []),
            f"{family.commune.postal_code} {family.commune.name}",
        ],
        date=f"Le {day(today)}",
        subject=f"Réinscriptions {campaign.school_year}",
        opening=(
            f"Les réinscriptions pour l'année {campaign.school_year} se font en ligne, pour"
            f" {household.student_names}."
        ),
        facts=[
            ("Ouverture", moment(campaign.opens_at)),
            *[
                (f"Accès anticipé {with_de(student)}", f"{moment(opening.at)} ({opening.why})")
                for student, opening in household.early
            ],
            ("Fermeture", f"{moment(campaign.closes_at)} (heure de Paris)"),
            ("Adresse du site", settings.SITE_URL + reverse("imuse:landing")),
        ],
        usernames=[
            (f"Identifiant {with_de(guardian)}", guardian.user.username)
            for guardian in household.guardians
            if guardian.user
        ],
        steps=[
            "Nous n'avons pas votre adresse e-mail. Communiquez-la au secrétariat, au"
            f" {office.phone} ou à {office.email}.",
            "Sur le site, cliquez ensuite sur «\u00a0mot de passe perdu\u00a0», puis saisissez"
            " votre identifiant et cette adresse\u00a0: un premier mot de passe vous y est envoyé.",
            "Sans adresse e-mail ou sans ordinateur, le secrétariat vous reçoit et remplit le"
            " dossier avec vous.",
        ],
        pieces=[_piece(piece) for piece in household.to_prepare],
    )


def _piece(piece):
    text = str(piece.type)
    if not piece.family:
        text += f", pour {piece.student.first_name}"
    if piece.is_refused:
        text += f" (celle que nous avons est refusée\u00a0: {piece.document.refusal})"
    return text
