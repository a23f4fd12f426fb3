"""Who was on a programme before an agent changed it, and is no longer."""

from teaching.models import ConcertPerformer


def is_over(concert):
    return concert is not None and concert.is_cancelled


def performers(concert):
    return list(
        ConcertPerformer.objects.filter(turn__concert=concert).select_related(
            "turn", "enrolment__student"
        )
    )


def gone(before):
    keys = [each.pk for each in before]
    still = set(ConcertPerformer.objects.filter(pk__in=keys).values_list("pk", flat=True))
    return [each for each in before if each.pk not in still]
