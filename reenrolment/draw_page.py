"""How a campaign is allotted, what the student got, and all that is needed to check the draw."""

from collections.abc import Sequence
from dataclasses import dataclass

from reenrolment.allotted import Allotted, allotted
from reenrolment.models import Allotment, Reenrolment
from reenrolment.page import Page
from students.allotment import fingerprint
from students.enums import Fate

PREFIX = 16  # hexadecimal digits of a fingerprint that are shown: enough to tell all apart


@dataclass(frozen=True)
class Wished:
    """A wish that was ranked, and what the allotment made of it."""

    words: str
    fate: str


@dataclass(frozen=True)
class Result:
    """What the student has in a course at this moment, and what he had ranked."""

    got: Allotted
    wishes: Sequence[Wished]
    reason: str  # an agent changed this line before the publication


@dataclass(frozen=True)
class DrawPage:
    page: Page
    rule: Sequence[str]  # one line per step
    allotment: Allotment | None = None  # None: not published yet
    tried: Sequence[str] = ()  # the seeds of the trials before it, but its own
    drawn: int = 0
    number: int | None = None  # the student's; None when he had no part in it
    fingerprint: str = ""
    results: Sequence[Result] = ()


def load_draw(page: Page) -> DrawPage:
    """For a campaign by allotment; `page`: see reenrolment.page.load_courses."""
    rule = [criterion.label for criterion in page.campaign.waiting_rule.criteria]
    allotment = published_of(page.campaign)
    if allotment is None:
        return DrawPage(page, rule)
    earlier = page.campaign.allotments.filter(pk__lt=allotment.pk).order_by("pk")
    tried = dict.fromkeys(earlier.values_list("seed", flat=True))
    mine = list(allotment.allocations.for_list().filter(choice__reenrolment__student=page.student))
    reference = page.reenrolment.reference if mine else ""
    return DrawPage(
        page,
        rule,
        allotment,
        tried=[seed for seed in tried if seed != allotment.seed],
        drawn=allotment.allocations.order_by().values("draw").distinct().count(),
        number=mine[0].draw if mine else None,
        fingerprint=fingerprint(allotment.seed, reference)[:PREFIX] if mine else "",
        results=_results(page, mine),
    )


def numbers_of(allotment: Allotment) -> list[tuple[int, str]]:
    """Each number drawn with the beginning of its fingerprint: nobody's reference is told."""
    rows = allotment.allocations.order_by("draw").values_list("draw", "choice__reenrolment")
    references = {number: Reenrolment(pk=dossier).reference for number, dossier in rows.distinct()}
    return [
        (number, fingerprint(allotment.seed, reference)[:PREFIX])
        for number, reference in references.items()
    ]


def published_of(campaign) -> Allotment | None:
    """Once all sit: until then the page would tell half of it."""
    published = campaign.allotments.published().first()
    seating = published and published.allocations.filter(settled_at=None).exists()
    return None if seating else published


def _results(page, mine):
    live = [row for row in mine if row.choice.granted and row.choice.granted.is_live]
    if not live:
        return []
    return [
        Result(got, [Wished(w["words"], Fate(w["fate"]).label) for w in row.wishes], row.reason)
        for got, row in zip(allotted(page.reenrolment, live), live, strict=True)
    ]
