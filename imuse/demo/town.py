"""The town's two sites, its communes, its school years, and what the campaigns ask for."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import Establishment
from documents import examples
from documents.enums import Audience, Formats, Owner
from documents.models import DocumentType, PieceRule
from families.enums import Zone
from families.models import Commune
from imuse.demo.accounts import SITE
from imuse.demo.clock import Clock
from imuse.demo.examples import draw_face, draw_paper
from imuse.demo.people import COMMUNES
from reenrolment.enums import EarlyGroup
from reenrolment.models import Campaign, EarlyAccess, Terms, WaitingCriterion
from students.enums import Criterion
from students.models import SchoolYear

CAMPAIGN_OPENS, CAMPAIGN_CLOSES = -7, 21  # days from today
WAITING_RULE = [Criterion.ENROLLED, Criterion.SIBLING, Criterion.RESIDENT]

CAF = "Attestation de paiement CAF avec quotient familial"
ADDRESS = "Justificatif de domicile"
PHOTO = "Photo d'identité"
TAX = "Avis d'imposition (4 pages)"
MEDICAL = "Certificat médical"

DOCUMENT_TYPES = [  # in the order of the page: the household's, then the student's
    {
        "name": CAF,
        "owner": Owner.FAMILY,
        "formats": Formats.PDF,
        "valid_months": 6,
        "shows_quotient": True,
        "usual_pages": 1,
        "kept_months": 12,
        "purpose": "votre quotient familial fixe le tarif des cours. Sans elle, c'est le plus"
        " élevé.",
        "help_text": "Si vous en bénéficiez\u00a0: l'attestation où figure votre quotient familial,"
        " à télécharger depuis votre compte de la CAF.",
    },
    {
        "name": ADDRESS,
        "owner": Owner.FAMILY,
        "formats": Formats.PDF,
        "valid_months": 6,
        "usual_pages": 2,
        "kept_months": 12,
        "purpose": "le tarif n'est pas le même pour les habitants de la ville.",
        "help_text": "Quittance de loyer, ou facture d'électricité, de gaz, d'eau ou d'internet, à"
        " votre nom.",
    },
    {
        "name": TAX,
        "owner": Owner.FAMILY,
        "formats": Formats.PDF,
        "valid_months": 12,
        "usual_pages": 4,
        "kept_months": 6,
        "purpose": "il prouve que votre foyer fiscal est dans la ville, et ses ressources.",
        "help_text": "Avis d'imposition ou de non-imposition, toutes les pages. En garde alternée,"
        " chaque foyer envoie le sien.",
    },
    {
        "name": PHOTO,
        "owner": Owner.STUDENT,
        "formats": Formats.IMAGE,
        "valid_months": 36,
        "purpose": "elle aide les enseignants à connaître leurs élèves.",
        "help_text": "Une photo récente de l'élève, seul et de face.",
    },
    {
        "name": MEDICAL,
        "owner": Owner.STUDENT,
        "formats": Formats.PDF,
        "valid_months": 12,
        "usual_pages": 1,
        "kept_months": 0,
        "purpose": "la danse demande un avis médical.",
        "help_text": "Pour la danse\u00a0: un certificat sans contre-indication.",
    },
]

TERMS = """\
Les droits d'inscription sont dus pour l'année scolaire entière. Ils dépendent de la commune, du \
quotient familial et des cours suivis\u00a0; les frais de dossier ne sont pas remboursés.

Une pièce qui manque, ou que l'administration a refusée, entraîne l'application du tarif haut. \
Les pièces s'envoient sur ce site, pendant la période de réinscription\u00a0: aucune n'est \
acceptée par courrier électronique.

L'envoi du dossier ne vaut pas inscription. L'administration l'examine, attribue les cours dont \
l'horaire n'est pas choisi par les familles, puis confirme la réinscription par un message.

L'élève suit tous les cours de son cursus. Toute absence est signalée au secrétariat\u00a0; un \
arrêt en cours d'année se demande par écrit et n'ouvre pas droit à remboursement, sauf \
déménagement ou raison médicale.

Les renseignements demandés servent à la scolarité et au calcul des droits. Seuls le secrétariat \
et la régie lisent les pièces qui touchent aux revenus\u00a0; les enseignants n'y ont pas accès."""


@dataclass(frozen=True)
class Town:
    conservatoire: Establishment
    dance_school: Establishment
    communes: dict[str, Commune]  # by name
    years: list[SchoolYear]  # the coming one first, then this year, then two former ones
    campaign: Campaign  # the conservatoire's

    @property
    def coming(self) -> SchoolYear:
        return self.years[0]

    @property
    def current(self) -> SchoolYear:
        return self.years[1]


def make_town(clock: Clock) -> Town:
    conservatoire = Establishment.objects.create(
        name=SITE,
        address="1 place des Arts\n59200 Tourcoing",
        email="scolarite@conservatoire.example",
        phone="03 53 01 59 20",
    )
    dance_school = Establishment.objects.create(
        name="École de danse",
        address="8 rue du Ballet\n59200 Tourcoing",
        email="danse@conservatoire.example",
        phone="03 53 01 59 21",
    )
    communes = Commune.objects.bulk_create(
        Commune(insee_code=insee, postal_code=postal, name=name, zone=zone)
        for insee, postal, name, zone in COMMUNES
    )
    years = SchoolYear.objects.bulk_create(
        SchoolYear(
            starts_on=starts_on,
            ends_on=ends_on,
            lessons_start_on=starts_on.replace(day=14),
            lessons_end_on=dt.date(ends_on.year, 6, 30),
        )
        for starts_on, ends_on in school_years(clock.today)
    )
    _make_rules([conservatoire, dance_school], years[0], communes)
    campaigns = [_make_campaign(site, years, clock) for site in (conservatoire, dance_school)]
    return Town(
        conservatoire,
        dance_school,
        {commune.name: commune for commune in communes},
        years,
        campaigns[0],
    )


def school_years(today: dt.date) -> list[tuple[dt.date, dt.date]]:
    """From 1 September to 31 August: the coming one, the one that holds today, two former ones."""
    first = today.year if today.month >= 9 else today.year - 1
    years = range(first + 1, first - 3, -1)
    return [(dt.date(year, 9, 1), dt.date(year + 1, 8, 31)) for year in years]


def _make_rules(sites, year, communes):
    types = DocumentType.objects.bulk_create(
        DocumentType(**kind, **_example_of(kind["name"])) for kind in DOCUMENT_TYPES
    )
    for site in sites:
        for position, kind in enumerate(types, start=1):
            rule = PieceRule.objects.create(
                establishment=site,
                school_year=year,
                document_type=kind,
                position=position,
                audience=Audience.DANCE if kind.name == MEDICAL else Audience.ALL,
                each_home=kind.name != ADDRESS,
            )
            if kind.name == TAX:
                rule.communes.set([c for c in communes if c.zone != Zone.OUTSIDE])


def _example_of(name):
    if name == CAF:
        lines = ["Quotient familial : 742 euros", "Fait le 2 mai 2026"]
        content = draw_paper("Attestation de paiement", "CAF", marked=lines)
        alt = "une attestation de la CAF ; le quotient familial et la date sont encadrés."
    elif name == TAX:
        lines = ["Nom et adresse du foyer", "Revenu fiscal du foyer", "Page 1 sur 4"]
        content = draw_paper("Avis d'imposition", "FINANCES PUBLIQUES", marked=lines)
        alt = (
            "la première page d'un avis d'imposition ; le nom, l'adresse, le revenu fiscal"
            " et le nombre de pages sont encadrés."
        )
    elif name == PHOTO:
        content = draw_face()
        alt = "un visage dessiné, seul, de face, sur un fond clair."
    else:
        return {}
    picture = examples.check("exemple.png", content)
    return {"example": examples.store(picture), "example_alt": alt}


def _make_campaign(site, years, clock):
    terms = Terms.objects.create(
        establishment=site, version=str(years[0].starts_on.year), text=TERMS
    )
    campaign = Campaign.objects.create(
        establishment=site,
        previous_year=years[1],
        school_year=years[0],
        opens_at=clock.moment(CAMPAIGN_OPENS, 8),
        closes_at=clock.moment(CAMPAIGN_CLOSES, 20),
        terms=terms,
    )
    WaitingCriterion.objects.bulk_create(
        WaitingCriterion(campaign=campaign, position=position, criterion=criterion)
        for position, criterion in enumerate(WAITING_RULE, start=1)
    )
    EarlyAccess.objects.create(
        campaign=campaign,
        criterion=EarlyGroup.SCHOOL_HOURS,
        opens_at=clock.moment(CAMPAIGN_OPENS - 2, 18),
    )
    return campaign
