"""A teacher writes to one of his classes: a draft, read again, then sent; and what he received."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from students.models import Teacher
from teaching.announcements import files, services
from teaching.announcements.aiming import in_words, reach_of
from teaching.announcements.forms import AnnouncementForm
from teaching.announcements.selectors import (
    courses_to_write_to,
    readers_of,
    received_by_teacher,
    slots_to_write_to,
    written_by,
)
from teaching.announcements.views import lend_or_say
from teaching.models import Announcement, AnnouncementFile
from teaching.models.announcements import MOST_FILES

ROWS = 20


@require_safe
def announcements(request):
    """What he received of the administration, what he wrote, and the classes that he may write to.

    Those of the site chosen; what he wrote and received, of all of them.
    """
    teacher = get_object_or_404(Teacher, user=request.user)
    sites = [request.establishment]
    page = Paginator(written_by(teacher), ROWS).get_page(request.GET.get("page"))
    context = {
        "received": received_by_teacher(teacher)[:ROWS],
        "page": page,
        "slots": slots_to_write_to(teacher, sites),
        "courses": courses_to_write_to(teacher, sites),
    }
    return render(request, "teaching/teacher_announcements.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def write_to_slot(request, pk):
    teacher = get_object_or_404(Teacher, user=request.user)
    slots = slots_to_write_to(teacher, request.user.establishments.all())
    return _write(request, teacher, get_object_or_404(slots, pk=pk))


@require_http_methods(["GET", "HEAD", "POST"])
def write_to_course(request, pk):
    teacher = get_object_or_404(Teacher, user=request.user)
    courses = courses_to_write_to(teacher, request.user.establishments.all())
    return _write(request, teacher, get_object_or_404(courses, pk=pk))


@require_http_methods(["GET", "HEAD", "POST"])
def rewrite_announcement(request, pk):
    """A draft of his is changed."""
    teacher = get_object_or_404(Teacher, user=request.user)
    draft = get_object_or_404(Announcement, pk=pk, teacher=teacher)
    if not draft.is_draft:
        messages.error(request, "Ce message est déjà envoyé\u00a0: il ne change plus.")
        return redirect("teacher:announcement", pk)
    group = draft.slots.select_related("course").first() or draft.courses.first()
    return _write(request, teacher, group, draft)


@require_safe
def announcement(request, pk):
    """Of a draft, what will be read and by how many; of one that was sent, who has read it."""
    teacher = get_object_or_404(Teacher, user=request.user)
    found = get_object_or_404(Announcement, pk=pk, teacher=teacher)
    context = {"announcement": found, "files": found.files.kept()}
    if found.is_draft:
        context |= {"reach": reach_of(found), "addressed_to": in_words(found)}
    else:
        context |= {"row": written_by(teacher).get(pk=pk), "readers": readers_of(found)}
    return render(request, "teaching/teacher_announcement.html", context)


@require_POST
def send_announcement(request, pk):
    found = _own(request, pk)
    edition = request.POST.get("edition", "")
    try:
        edition = int(edition) if edition.isascii() and edition.isdigit() else 0
        services.plan(found, edition=edition, actor=request.user)
    except ValidationError as error:
        if error.code != "already":  # a double click: it is what was wanted
            messages.error(request, error.messages[0])
            return redirect("teacher:announcement", pk)
    messages.success(request, "Votre message est envoyé.")
    return redirect("teacher:announcement", pk)


@require_POST
def withdraw_announcement(request, pk):
    found = _own(request, pk)
    try:
        if found.is_planned:  # the queue has not begun
            services.take_up(found, actor=request.user)
            messages.success(request, "L'envoi est arrêté\u00a0: votre message est un brouillon.")
        else:
            services.withdraw(found, actor=request.user)
            messages.success(
                request, "Votre message est retiré\u00a0: plus personne ne le lit ici."
            )
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect("teacher:announcement", pk)


@require_POST
def discard_announcement(request, pk):
    try:
        services.discard(_own(request, pk))
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("teacher:announcement", pk)
    messages.success(request, "Le brouillon est supprimé.")
    return redirect("teacher:announcements")


@require_safe
def received_announcement(request, pk):
    """One that the administration sent to him."""
    recipient = _received(request, pk)
    context = {"recipient": recipient, "files": recipient.announcement.files.kept()}
    return render(request, "teaching/announcement.html", context)


@require_POST
def read_announcement(request, pk):
    services.mark_read(_received(request, pk))
    return redirect("teacher:received_announcement", pk)


@require_safe
def announcement_file(request, pk):
    """Of what he wrote, or received."""
    teacher = get_object_or_404(Teacher, user=request.user)
    received = Announcement.objects.sent_to(teacher).order_by().values("pk")
    mine = Q(announcement__teacher=teacher) | Q(announcement__in=received)
    return lend_or_say(request, get_object_or_404(AnnouncementFile.objects.kept(), mine, pk=pk))


def _write(request, teacher, group, draft=None):
    """What was typed is kept in the draft, whatever is refused: nothing is to be typed again."""
    if request.method != "POST":
        form = AnnouncementForm(initial=_initial(draft))
    else:
        form = AnnouncementForm(request.POST, request.FILES)
        if not form.is_valid() and draft is None and not form.is_begun:
            return _show(request, form, group, draft)
        try:
            draft = _keep(form, group, teacher, draft)
        except ValidationError as error:
            if error.code == "not_yours":
                raise Http404 from None
            messages.error(request, error.messages[0])
            return redirect("teacher:announcements")
        _join(draft, form)
        removed = _take_away(draft, request.POST.get("retirer"))
        if not form.errors and not removed and "joindre" not in request.POST:
            return redirect("teacher:announcement", draft.pk)
    return _show(request, form, group, draft)


def _show(request, form, group, draft):
    key = draft.key if draft else form.sent_key if form.is_bound else uuid.uuid4()
    context = {
        "form": form,
        "group": group,
        "draft": draft,
        "key": key,
        "files": draft.files.all() if draft else [],
        "most_files": MOST_FILES,
    }
    return render(request, "teaching/write_announcement.html", context)


def _keep(form, group, teacher, draft):
    if draft is not None:
        return services.rewrite(draft, form.typed)
    return services.write_to_class(group, teacher=teacher, key=form.sent_key, typed=form.typed)


def _join(draft, form):
    """Each by itself: one that is refused does not take the others with it."""
    for name, content in form.cleaned_data.get("files", []):
        try:
            files.join(draft, name, content)
        except ValidationError as error:
            form.add_error("files", f"{name[:60]}\u00a0: {error.messages[0]}")


def _take_away(draft, key):
    try:
        key = uuid.UUID(key or "")
    except ValueError:
        return False
    files.take_away(draft, key)
    return True


def _initial(draft):
    if draft is None:
        return {}
    return {name: getattr(draft, name) for name in ("subject", "text", "kind")}


def _own(request, pk):
    teacher = get_object_or_404(Teacher, user=request.user)
    return get_object_or_404(Announcement, pk=pk, teacher=teacher)


def _received(request, pk):
    teacher = get_object_or_404(Teacher, user=request.user)
    return get_object_or_404(received_by_teacher(teacher), announcement=pk)
