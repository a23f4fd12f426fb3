"""Two periods a year: the former year's are published, this year's first one is being written."""

import datetime as dt
import random

from accounts.models import Establishment
from imuse.demo.clock import Clock
from imuse.demo.town import Town
from students.enums import Scheduling
from students.models import Enrolment
from teaching.enums import EvaluationState
from teaching.models import Criterion, Evaluation, EvaluationMove, Mark, Period, Scale, ScaleLevel

LEVELS = ["en cours d'acquisition", "acquis", "très bien acquis"]
CRITERIA = ["Assiduité et engagement", "Travail personnel", "Contrôle de fin de période"]
COMMENTS = [
    "De beaux progrès ce semestre. Continue à chanter les morceaux avant de les jouer.",
    "Élève sérieux et attentif. Le travail régulier à la maison commence à porter ses fruits.",
    "Une oreille très juste. Il reste à oser jouer plus fort, et plus lentement pour commencer.",
    "Un trimestre irrégulier : les séances manquées se sentent. Reprenons les gammes ensemble.",
]


def evaluate(town: Town, clock: Clock, rng: random.Random) -> None:
    site = town.conservatoire
    criteria = _make_criteria(site)
    for year in town.years[1:3]:
        first, second = (
            Period(
                establishment=site,
                school_year=year,
                name=name,
                starts_on=dt.date(year.starts_on.year + ahead, month, day),
                ends_on=ends_on,
                due_on=ends_on,
                publish_at=None,
            )
            for name, ahead, month, day, ends_on in [
                ("1er semestre", 0, 9, 14, dt.date(year.ends_on.year, 1, 31)),
                ("2e semestre", 1, 2, 1, dt.date(year.ends_on.year, 6, 20)),
            ]
        )
        for period in (first, second):
            period.publish_at = clock.moment((period.ends_on - clock.today).days + 7, 18)
            period.save()
            _write(period, criteria, clock, rng)


def _make_criteria(site: Establishment):
    levels = Scale.objects.create(name="Acquis")
    ScaleLevel.objects.bulk_create(
        ScaleLevel(scale=levels, position=position, name=name)
        for position, name in enumerate(LEVELS, start=1)
    )
    marks = Scale.objects.create(name="Note sur 20", maximum=20)
    return Criterion.objects.bulk_create(
        Criterion(
            establishment=site,
            name=name,
            scale=marks if name.startswith("Contrôle") else levels,
            position=position,
        )
        for position, name in enumerate(CRITERIA, start=1)
    )


def _write(period, criteria, clock, rng):
    """Of a period over, everything; of one under way, what two thirds of the teachers wrote."""
    is_over = period.ends_on < clock.today
    enrolments = list(
        Enrolment.objects.confirmed()
        .filter(course__school_year=period.school_year, course__establishment=period.establishment)
        .exclude(course__scheduling=Scheduling.SCHOOL)
        .select_related("course__teacher", "place__slot__teacher")
        .order_by("pk")
    )
    if not is_over and period.starts_on <= clock.today:
        enrolments = [each for each in enrolments if rng.random() < 0.3]
    elif not is_over:
        return
    written = Evaluation.objects.bulk_create(
        Evaluation(
            enrolment=enrolment,
            period=period,
            state=EvaluationState.PUBLISHED if is_over else EvaluationState.DRAFT,
            comment=rng.choice(COMMENTS),
            teacher_name=str(enrolment.teacher or ""),
            updated_at=clock.moment(min(0, (period.ends_on - clock.today).days), 17),
            published_at=period.publish_at if is_over else None,
        )
        for enrolment in enrolments
    )
    EvaluationMove.objects.bulk_create(
        EvaluationMove(
            evaluation=evaluation,
            at=at,
            actor_id=actor,
            from_state=before,
            to_state=after,
        )
        for evaluation in written
        if is_over
        for at, actor, before, after in _moves(evaluation)
    )
    Mark.objects.bulk_create(
        Mark(
            evaluation=evaluation,
            criterion=criterion,
            name=criterion.name,
            value=f"{rng.randint(10, 19)}\u00a0/\u00a020"
            if criterion.scale.maximum
            else rng.choice(LEVELS),
            position=criterion.position,
        )
        for evaluation in written
        for criterion in criteria
    )


def _moves(evaluation):
    """Finished by its teacher, then published by the clock."""
    states, teacher = EvaluationState, evaluation.enrolment.teacher
    yield evaluation.updated_at, teacher and teacher.user_id, states.DRAFT, states.READY
    yield evaluation.published_at, None, states.READY, states.PUBLISHED
