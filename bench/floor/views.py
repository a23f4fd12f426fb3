"""One page with three queries of its own, and claiming a place in each shape.

A claim answers 302 when the place is taken, 409 when the slot is full.
"""

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from bench.floor.models import Claim, Lesson, Notice, Place, Slot, Student


@require_safe
@login_required
def page(request, pk=None):
    student = get_object_or_404(Student, user=request.user)
    lessons = Lesson.objects.filter(student=student).select_related("student")
    context = {"student": student, "lessons": lessons, "notices": Notice.objects.all()[:10]}
    return render(request, "floor/page.html", context)


@require_POST
@login_required
def claim(request, shape):
    if shape not in SHAPES:
        raise Http404
    student = Student.objects.get(user=request.user)
    with transaction.atomic():
        taken = SHAPES[shape](request.POST["slot"], student)
    return redirect("page") if taken else HttpResponse("complet", status=409)


def _counter(slot, student):
    """A conditional UPDATE: the row's own lock, and no count."""
    free = Slot.objects.filter(pk=slot, taken__lt=F("capacity"))
    if not free.update(taken=F("taken") + 1):
        return False
    Claim.objects.create(slot_id=slot, student=student)
    return True


def _count(slot, student):
    """Lock the slot, count its claims, add one: what one writes first."""
    locked = Slot.objects.select_for_update().get(pk=slot)
    if locked.claims.count() >= locked.capacity:
        return False
    Claim.objects.create(slot=locked, student=student)
    return True


def _rows(slot, student):
    """Lock the slot, then take its free place of lowest number."""
    Slot.objects.select_for_update(no_key=True).get(pk=slot)
    free = Place.objects.filter(slot=slot, student=None).order_by("number").first()
    if free is None:
        return False
    Place.objects.filter(pk=free.pk).update(student=student)
    return True


def _rows_at_once(slot, student):
    """One UPDATE of a free place that nobody else is taking: no lock on the slot."""
    free = Place.objects.filter(slot=slot, student=None).order_by("number").values("pk")
    chosen = free.select_for_update(skip_locked=True)[:1]
    return bool(Place.objects.filter(pk__in=chosen).update(student=student))


SHAPES = {"counter": _counter, "count": _count, "rows": _rows, "rows_at_once": _rows_at_once}
