"""Class lists as a file: CSV or XLSX, one row a student."""

from django.utils import timezone

from accounts.dates import day
from accounts.models import ListExport, User
from accounts.spreadsheets.writing import write
from teaching.classes.lists import ClassList

HEADERS = ["Année", "Classe", "Nom", "Prénom", "Niveau", "État", "Changement", "Depuis le"]
HOURS = ["Jour", "Horaire", "Salle"]
CONTACTS = ["En cas d'urgence"]


LIST = "classes"  # in the log of what was taken out


def take_out(lists: list[ClassList], format_: str, *, actor: User) -> bytes:
    """All of them in one sheet, logged as any list that leaves (accounts.models.ListExport).

    With the telephones where the class' establishment allows them. `writing` neutralises what a
    spreadsheet would take for a formula.
    """
    headers = [*HEADERS, *HOURS]
    with_contacts = any(each.shows_contacts for each in lists)
    if with_contacts:
        headers += CONTACTS
    rows = [
        _cells(each, row, with_contacts=with_contacts) for each in lists for row in each.everybody
    ]
    ListExport.objects.create(actor=actor, list=LIST, rows=len(rows), at=timezone.now())
    return write(format_, headers, rows, title="Classes")


def _cells(each, row, *, with_contacts):
    cells = [
        str(each.course.school_year),
        str(each.of),
        row.student.last_name,
        row.student.first_name,
        row.level,
        row.status,
        row.change,
        day(row.since) if row.since else "",
        *_hour(row.time if row.time else each.of if each.is_slot else None),
    ]
    if with_contacts:
        cells.append(" ; ".join(f"{each.name} {each.phone}" for each in row.contacts))
    return cells


def _hour(hour):
    return [hour.get_weekday_display(), hour.hours, hour.room] if hour else ["", "", ""]
