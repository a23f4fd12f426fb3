"""Which households of a campaign owe missing or refused pieces, and what each may do about it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Max, Q, TextChoices
from django.utils import timezone

from documents.pieces import Piece
from families.models import Family, Guardian
from families.reach import why_unreached
from reenrolment.enums import ReminderOutcome, Status
from reenrolment.models import Campaign, Reenrolment, ReminderLine
from reenrolment.pieces import pieces_of_many
from reenrolment.worklist import returned
from students.models import Student


class Stage(TextChoices):
    """Where a dossier stands; the values are read in the address of the page."""

    DRAFT = "saisie", "en cours de saisie"
    INCOMPLETE = "complement", "complément demandé"
    SUBMITTED = "depose", "déposé"
    RETURNED = "renvoye", "renvoyé après complément"


# Those in which the family itself may send the pieces; the others go through the secretariat.
SENDS_ITSELF = [Stage.DRAFT, Stage.INCOMPLETE]


@dataclass(frozen=True)
class LackingDossier:
    """What one household owes for one student."""

    dossier: Reenrolment
    stage: Stage
    pieces: list[Piece]  # missing or refused; of a complement, those asked for again
    until: dt.datetime | None  # the family sends them on the site until then; None: it cannot

    @property
    def student(self) -> Student:
        return self.dossier.student


@dataclass(frozen=True)
class Group:
    """Pieces that the same children lack, to be sent by the same moment: a list of the mail."""

    names: list[str]  # first names
    until: dt.datetime | None
    pieces: list[Piece]

    @property
    def whom(self) -> str:
        """« Louise, Hugo et Inès »."""
        *before, last = self.names
        return f"{', '.join(before)} et {last}" if before else last


@dataclass(frozen=True)
class LackingHousehold:
    family: Family
    establishment_id: int
    dossiers: list[LackingDossier] = field(default_factory=list)
    last_reminder: dt.date | None = None  # of any campaign, in Paris

    @cached_property
    def guardians(self) -> list[Guardian]:
        return list(self.family.guardians.all())

    @cached_property
    def reached(self) -> list[Guardian]:
        """Those who have an address and an account that opens this establishment."""
        site = self.establishment_id
        return [guardian for guardian in self.guardians if not why_unreached(guardian, site)]

    @property
    def unreached_because(self) -> list[tuple[Guardian, str]]:
        site = self.establishment_id
        return [(guardian, why_unreached(guardian, site)) for guardian in self.guardians]

    @property
    def last_seen(self) -> dt.datetime | None:
        """When one of the responsables last signed in."""
        seen = [g.user.last_login for g in self.guardians if g.user and g.user.last_login]
        return max(seen, default=None)

    @property
    def sends_itself(self) -> bool:
        return any(each.until for each in self.dossiers)

    @property
    def until(self) -> dt.datetime | None:
        """The first of its deadlines."""
        return min((each.until for each in self.dossiers if each.until), default=None)

    @property
    def was_reminded_today(self) -> bool:
        return self.last_reminder == timezone.localdate()

    @cached_property
    def groups(self) -> list[Group]:
        """What the site takes first, by deadline; a piece of the household stands once."""
        names = defaultdict(list)
        pieces = {}
        for each in self.dossiers:
            for piece in each.pieces:
                # The household's, alike in two dossiers, is the same; a student's is his own.
                of_student = None if piece.family else each.student.pk
                document = piece.document and piece.document.pk
                line = (each.until, piece.key, of_student, document)
                names[line].append(each.student.first_name)
                pieces[line] = piece
        groups = defaultdict(list)
        for line, theirs in names.items():
            groups[line[0], tuple(theirs)].append(pieces[line])
        far = dt.datetime.max.replace(tzinfo=dt.UTC)
        ordered = sorted(groups.items(), key=lambda item: (item[0][0] or far, -len(item[0][1])))
        return [Group(list(theirs), until, listed) for (until, theirs), listed in ordered]


def lacking_households(
    campaign: Campaign, families: Collection[int] | None = None
) -> list[LackingHousehold]:
    """Those that lack a piece, by name; `families`, keys, if only some are asked about.

    In alternating custody each has its own pieces and the student's, never the other household's.
    A draft counts until the campaign closes. Twelve queries, with 20 dossiers or 2,000.
    """
    now = timezone.now()
    dossiers = _open_dossiers(campaign, now)
    if families is not None:
        dossiers = dossiers.filter(student__in=Student.objects.filter(families__in=families))
    owed = defaultdict(list)
    for dossier, custodies, pieces, asked in pieces_of_many(campaign, dossiers):
        stage = _stage(dossier)
        lacking = [
            piece
            for piece in pieces
            if piece.sets_top_rate and (stage != Stage.INCOMPLETE or piece.key in asked)
        ]
        for custody in custodies:
            ours = [p for p in lacking if p.family is None or p.family.pk == custody.family_id]
            if ours:
                until = _until(campaign, dossier, stage, now)
                owed[custody.family_id].append(LackingDossier(dossier, stage, ours, until))
    keys = set(owed) if families is None else set(owed) & set(families)
    return _households(campaign, {pk: owed[pk] for pk in keys})


def _open_dossiers(campaign, now):
    wanted = Q(status__in=[Status.SUBMITTED, Status.INCOMPLETE])
    if now < campaign.closes_at:
        wanted |= Q(status=Status.DRAFT)
    dossiers = Reenrolment.objects.filter(wanted, campaign=campaign)
    return dossiers.annotate(is_returned=returned()).order_by("student__sort_name", "pk")


def _stage(dossier):
    match dossier.status:
        case Status.DRAFT:
            return Stage.DRAFT
        case Status.INCOMPLETE:
            return Stage.INCOMPLETE
    return Stage.RETURNED if dossier.is_returned else Stage.SUBMITTED


def _until(campaign, dossier, stage, now):
    match stage:
        case Stage.DRAFT:
            return campaign.closes_at
        case Stage.INCOMPLETE if now < dossier.complement_until:
            return dossier.complement_until
    return None


def _households(campaign, owed):
    families = (
        Family.objects.filter(pk__in=owed)
        .not_erased()
        .prefetch_related("guardians__user__establishments")
        .order_by("sort_name", "pk")
    )
    sent = ReminderLine.objects.filter(family__in=owed, outcome=ReminderOutcome.SENT)
    last = sent.order_by().values("family").annotate(last=Max("day"))
    days = dict(last.values_list("family", "last"))
    return [
        LackingHousehold(family, campaign.establishment_id, owed[family.pk], days.get(family.pk))
        for family in families
    ]
