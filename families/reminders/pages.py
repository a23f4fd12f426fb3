"""What the pages of the reminders have in common: the list, the message, what became of it.

The households ticked go from page to page in a hidden field (accounts.ticked), whatever the number
of pages: an agent unticks some here, some there, then reads the mail again. The message, and each
reminder with its cancelling, are under the list's own address.
"""

from collections.abc import Callable, Sequence

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.dates import moment
from accounts.ticked import ticked, written
from families.models import Guardian
from families.reminders.forms import ReminderForm
from families.reminders.models import Reminder, ReminderLine
from families.reminders.progress import for_list, progress_of, sendings_of
from families.reminders.sending import Household

ROWS = 100  # lines of one page
LAST = 10  # reminders listed
MESSAGE, CANCEL = "message/", "annuler/"  # the ends of the addresses
NOBODY = "Cochez au moins un foyer à relancer."


def choosing(
    request: HttpRequest,
    households: Sequence[Household],
    *,
    by_default: Callable[[Household], bool],
    reminders: QuerySet[Reminder],
) -> dict:
    """The context of the list; its POST turns the page, or ticks, and writes nothing."""
    keys = {each.family.pk for each in households}
    if request.method == "POST":
        chosen = keys & ticked(request.POST)
    else:
        chosen = {each.family.pk for each in households if by_default(each)}
    if request.method == "POST" and "cocher" in request.POST:
        chosen = keys if request.POST["cocher"] == "tous" else set()
    page = Paginator(households, ROWS).get_page(request.POST.get("page"))
    return {
        "page": page,
        "chosen": chosen,
        "chosen_keys": written(chosen),
        "shown_keys": written(each.family.pk for each in page),
        "query": request.GET.urlencode(),
        "reminders": for_list(reminders)[:LAST],
        "message_url": f"{request.path}{MESSAGE}",
    }


def message(
    request: HttpRequest,
    households: Sequence[Household],
    *,
    whose: str,
    write: Callable[[Household, Guardian, str], tuple[str, str]],
    plan: Callable[[dict], Reminder],
) -> tuple[dict, Reminder | None]:
    """The context of the mail as it will be read; the reminder, once `plan` has written it.

    `whose` word it is, for the form; `write` makes a mail; `plan` takes what the form has cleaned.
    """
    is_sent = "envoyer" in request.POST
    is_read_again = "relire" in request.POST or "exemple" in request.POST
    form = ReminderForm(request.POST if is_sent or is_read_again else None, whose=whose)
    is_right, reminder = form.is_valid(), None
    if is_sent and is_right:
        try:
            reminder = plan(form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
    context = {
        "form": form,
        "households": households,
        "mails": sum(len(each.reached) for each in households),
        "chosen_keys": written(ticked(request.POST)),
        "list_url": request.path.removesuffix(MESSAGE),
        "example": _example(households, form, request.POST.get("exemple"), write),
    }
    return context, reminder


def became(
    request: HttpRequest, reminder: Reminder, lines: QuerySet[ReminderLine] | None = None
) -> dict:
    """The context of the figures, and of each household with what became of its mails."""
    lines = reminder.lines.all() if lines is None else lines
    page = Paginator(lines.select_related("family"), ROWS).get_page(request.GET.get("page"))
    return {
        "reminder": reminder,
        "progress": progress_of(reminder),
        "page": page,
        "lines": sendings_of(reminder, page),
        "cancel_url": f"{request.path}{CANCEL}",
    }


def told(reminder: Reminder, *, now: bool) -> str:
    """« 3 foyers à relancer, maintenant. »"""
    count = reminder.lines.count()
    when = "maintenant" if now else f"pour le {moment(reminder.planned_for)}"
    return f"{count} foyer{'s' if count > 1 else ''} à relancer, {when}."


def left_out(count: int, why: str) -> str:
    """« 2 laissés de côté : plus rien ne manque… » with a space before it; nothing for nobody."""
    return f" {count} laissé{'s' if count > 1 else ''} de côté\u00a0: {why}." if count else ""


def _example(households, form, asked, write):
    """The household asked for, else the first, with its mail and the next one to read."""
    keys = [str(household.family.pk) for household in households]
    place = keys.index(asked) if asked in keys else 0
    household = households[place]
    word = form.cleaned_data.get("word", "") if form.is_bound else ""
    subject, body = write(household, household.reached[0], word)
    following = households[place + 1] if place + 1 < len(households) else None
    return {
        "household": household,
        "subject": subject,
        "body": body,
        "following": following.family if following else None,
    }
