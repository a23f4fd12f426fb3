"""The administration's pages of one announcement: read again and sent; then who has read it."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from accounts.admin import permission_required
from accounts.attachments import seal
from accounts.dates import moment
from documents.lending import FileUnavailable
from teaching.announcements import emails, files, reports, services
from teaching.announcements.aiming import families_of, in_words, reach_of
from teaching.announcements.forms import FileForm, SendForm
from teaching.announcements.selectors import delivery_of, figures_of, households_of, recipients_of
from teaching.models import Announcement
from teaching.models.announcements import MOST_FILES

SEND = "teaching.send_announcement"
ROWS = 50


class PagesMixin:
    """For AnnouncementAdmin; every POST is one service."""

    change_form_template = "admin/teaching/announcement/change_form.html"

    def get_urls(self):
        views = {
            "apercu/": self.preview,
            "lecteurs/": self.report,
            "lecteurs/export/": self.report_export,
            "pieces/<uuid:key>/": self.file,
        }
        return [
            *[
                path(
                    f"<int:pk>/{route}",
                    self.admin_site.admin_view(view),
                    name=f"teaching_announcement_{view.__name__}",
                )
                for route, view in views.items()
            ],
            *super().get_urls(),
        ]

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @method_decorator(permission_required(SEND))
    def preview(self, request, pk):
        """The mail as it will be read, how many will, what is joined; « Envoyer »."""
        found = self._announcement(request, pk)
        act = request.POST.get("act", "")
        file_form = FileForm(*([request.POST, request.FILES] if act == "join" else []))
        send_form = SendForm(
            request.POST if act == "send" else None, initial={"edition": found.edition}
        )
        if request.method == "POST":
            answer = self._act(request, found, act, file_form, send_form)
            if answer is not None:
                return answer
            found = self._announcement(request, pk)
        context = self._page(request, found, "Aperçu et envoi") | {
            "reach": reach_of(found),
            "addressed_to": found.addressed_to or in_words(found),
            "example": _example(found),
            "files": found.files.kept(),
            "file_form": file_form,
            "send_form": send_form,
            "may_join": found.files.count() < MOST_FILES,
            "failed": file_form.errors or send_form.errors,
        }
        return render(request, "admin/teaching/announcement/preview.html", context)

    @method_decorator(require_safe)
    @method_decorator(permission_required(SEND))
    def report(self, request, pk):
        """Figures, then each household: how the message reached it, who read it and when."""
        found = self._announcement(request, pk)
        page = Paginator(households_of(found), ROWS).get_page(request.GET.get("page"))
        teachers = found.recipients.filter(teacher__isnull=False).select_related("teacher", "mail")
        context = self._page(request, found, "Qui l'a lu") | {
            "figures": figures_of(found),
            "page": page,
            "households": [
                (family, [(row, delivery_of(row)) for row in rows])
                for family, rows in recipients_of(found, page)
            ],
            "teachers": [
                (row, delivery_of(row)) for row in teachers.order_by("teacher__sort_name")
            ],
            "files": found.files.kept(),
        }
        return render(request, "admin/teaching/announcement/report.html", context)

    @method_decorator(require_safe)
    @method_decorator(permission_required(SEND))
    def report_export(self, request, pk):
        found = self._announcement(request, pk)
        response = HttpResponse(
            reports.take_out(found, actor=request.user), content_type=reports.CONTENT_TYPE
        )
        name = f"lecteurs-{found.pk}-{timezone.localdate():%Y-%m-%d}.csv"
        response["Content-Disposition"] = content_disposition_header(True, name)
        seal(response)
        return response

    @method_decorator(require_safe)
    @method_decorator(permission_required(SEND))
    def file(self, request, pk, key):
        found = self._announcement(request, pk).files.kept().filter(pk=key).first()
        if found is None:
            raise Http404
        try:
            return files.lend(found)
        except FileUnavailable as error:
            context = {"file": found}
            return render(request, "teaching/announcement_file.html", context, status=error.status)

    def _act(self, request, found, act, file_form, send_form):
        """The answer once it is done, None when the page is shown again."""
        here = HttpResponseRedirect(request.path)
        try:
            match act:
                case "join" if file_form.is_valid():
                    upload = file_form.cleaned_data["file"]
                    files.join(found, upload.name, upload.read())
                    return here
                case "detach":
                    files.take_away(found, _key(request.POST.get("file")))
                    return here
                case "send" if send_form.is_valid():
                    cleaned = send_form.cleaned_data
                    services.plan(found, actor=request.user, **_sending(cleaned))
                    _say_sent(request, cleaned["planned_for"])
                    return redirect("admin:teaching_announcement_report", found.pk)
                case "take_up":
                    services.take_up(found, actor=request.user)
                    messages.success(
                        request, "L'envoi est annulé\u00a0: le message est un brouillon."
                    )
                    return here
                case "withdraw":
                    services.withdraw(found, actor=request.user)
                    messages.success(request, "Le message est retiré de l'extranet.")
                    return redirect("admin:teaching_announcement_report", found.pk)
                case "discard":
                    services.discard(found)
                    messages.success(request, "Le brouillon est supprimé.")
                    return redirect("admin:teaching_announcement_changelist")
        except ValidationError as error:
            if act == "send" and error.code == "already":  # a double click
                return redirect("admin:teaching_announcement_report", found.pk)
            if act == "join":
                file_form.add_error("file", error)
            elif act == "send":
                send_form.refuse(error)
            else:
                messages.error(request, error.messages[0])
                return here
        return None

    def _announcement(self, request, pk) -> Announcement:
        """Of the agent's sites; a teacher's draft is his own. Else 404."""
        found = self.get_queryset(request).filter(pk=pk).select_related("establishment").first()
        if found is None:
            raise Http404
        return found

    def _page(self, request, found, title):
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": Announcement._meta,
            "announcement": found,
            "preview_url": reverse("admin:teaching_announcement_preview", args=[found.pk]),
        }


def _example(announcement):
    """The mail of the first household that gets one, as it would read it."""
    families = families_of(announcement).order_by("sort_name", "pk")
    family = families.filter(guardians__email__gt="").first()
    if family is None:
        return None
    guardian = family.guardians.exclude(email="").order_by("pk").first()
    announcement.addressed_to = announcement.addressed_to or in_words(announcement)
    joined = list(announcement.files.all())
    subject, body, _ = emails.to_guardian(announcement, joined, guardian)
    return {"guardian": guardian, "subject": subject, "body": body}


def _sending(cleaned):
    return {name: cleaned[name] for name in ("edition", "planned_for")}


def _say_sent(request, planned_for):
    when = f"le {moment(planned_for)}" if planned_for else "dans les minutes qui viennent"
    messages.success(request, f"Le message partira {when}.")


def _key(text):
    try:
        return uuid.UUID(text or "")
    except ValueError:
        raise Http404 from None
