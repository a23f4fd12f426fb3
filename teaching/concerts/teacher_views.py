"""The teacher's pages of concerts: those of the year, their programmes, his students' turns."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.attachments import attached_pdf
from students import repertoire
from students.models import Teacher
from teaching.concerts import services
from teaching.concerts.forms import TurnForm
from teaching.concerts.programme import print_programme, programme_of
from teaching.concerts.selectors import concerts_at, pupils_for, turns_by
from teaching.models import Concert
from teaching.repertoire.editing import answer


@require_safe
def concerts(request):
    """Those of the year at the site chosen: to come, then past."""
    get_object_or_404(Teacher, user=request.user)
    found = list(concerts_at([request.establishment]))
    now = timezone.now()
    context = {
        "coming": [each for each in reversed(found) if each.starts_at >= now],
        "past": [each for each in found if each.starts_at < now],
        "open": set(Concert.objects.open_to_proposals().values_list("pk", flat=True)),
    }
    return render(request, "teaching/concerts.html", context)


@require_safe
def concert(request, pk):
    """The programme, with the turns that he may still change."""
    found, teacher = _concert(request, pk)
    context = {
        "concert": found,
        "programme": programme_of(found),
        "may_propose": _is_open(found),
        "mine": set(turns_by(teacher).filter(concert=found).values_list("pk", flat=True)),
    }
    return render(request, "teaching/concert.html", context)


@require_safe
def concert_pdf(request, pk):
    found, _ = _concert(request, pk)
    try:
        pdf = print_programme(programme_of(found))
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("teacher:concert", pk)
    return attached_pdf(pdf, f"Programme {found.title}.pdf")


@require_http_methods(["GET", "HEAD", "POST"])
def propose_turn(request, pk):
    """`?comme=<turn>`: by the same people as one of his."""
    found, teacher = _concert(request, pk)
    if not _is_open(found):
        raise Http404
    like = request.GET.get("comme", "")
    like = (
        turns_by(teacher).filter(concert=found, pk=int(like[:15])).first()
        if (like.isascii() and like.isdecimal())
        else None
    )

    def write(form):
        services.propose(
            found,
            form.typed,
            form.chosen,
            teacher=teacher,
            sending=form.cleaned_data["sending"],
        )
        return "Le passage est proposé\u00a0: l'administration arrêtera l'ordre du programme."

    return _edit(request, found, teacher, write, like=like)


@require_http_methods(["GET", "HEAD", "POST"])
def turn(request, pk):
    """One of his, while proposals are open."""
    found, teacher = _turn(request, pk)

    def write(form):
        try:
            services.correct(found, form.typed, form.chosen, edition=form.cleaned_data["edition"])
        except ValidationError as error:
            if error.code == "stale":
                form.take_over(error.params["current"])
            raise
        return "Le passage est corrigé."

    return _edit(request, found.concert, teacher, write, turn=found)


@require_POST
def withdraw_turn(request, pk):
    found, _ = _turn(request, pk)
    try:
        services.withdraw(found)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, f"«\u00a0{found.title}\u00a0» est retiré du programme.")
    return redirect("teacher:concert", found.concert_id)


def _edit(request, concert, teacher, write, turn=None, like=None):
    enrolments = list(pupils_for(teacher, concert))
    form, done = answer(request, TurnForm, write, enrolments=enrolments, turn=turn, like=like)
    if done:
        messages.success(request, done)
        return redirect("teacher:concert", concert.pk)
    disciplines = {each.course.discipline_id for each in enrolments}
    context = {
        "concert": concert,
        "turn": turn,
        "form": form,
        "composers": repertoire.composers(disciplines),
    }
    return render(request, "teaching/concert_turn.html", context)


def _concert(request, pk):
    teacher = get_object_or_404(Teacher, user=request.user)
    found = concerts_at(request.user.establishments.all())
    return get_object_or_404(found, pk=pk), teacher


def _turn(request, pk):
    teacher = get_object_or_404(Teacher, user=request.user)
    turns = turns_by(teacher).filter(
        concert__in=concerts_at(request.user.establishments.all()).order_by()
    )
    turns = turns.select_related("concert__establishment", "concert__school_year")
    return get_object_or_404(turns.prefetch_related("performers"), pk=pk), teacher


def _is_open(concert):
    return Concert.objects.open_to_proposals().filter(pk=concert.pk).exists()
