"""What must stay true across the whole tree, whoever adds to it."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.urls import get_resolver

from accounts import roles
from billing import enums as billing
from billing.instruments import enums as instruments
from documents import enums as documents
from reenrolment import enums as reenrolment
from students import enums as students
from teaching import enums as teaching

ROOT = settings.BASE_DIR
OUR_APPS = [
    *["accounts", "families", "students", "documents", "billing", "teaching"],
    *["reenrolment", "imuse"],
]
OUR_MODELS = [model for app in OUR_APPS for model in apps.get_app_config(app).get_models()]
OUR_FIELDS = [
    field
    for model in OUR_MODELS
    for field in [*model._meta.local_fields, *model._meta.local_many_to_many]
    if not field.auto_created
]
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.is_file())
CODE = sorted(path for app in OUR_APPS for path in (ROOT / app).rglob("*.py"))

# --- Models -----------------------------------------------------------------------------------

# A word that is the same in both languages is not a word left in English.
SAME_IN_FRENCH = {
    "absence",
    "justification",
    "agent", "code", "commune", "cycle", "date", "discipline", "instrument", "mail", "nature",
    "note", "notes", "occasion", "pages", "place", "portrait", "position", "situation", "type",
    "version", "zone",
}  # fmt: skip


@pytest.mark.parametrize("model", OUR_MODELS, ids=lambda model: model._meta.label)
def test_model_has_a_french_name(model):
    english = re.sub(r"(?<!^)(?=[A-Z])", " ", model.__name__).lower()

    assert "verbose_name" in model._meta.original_attrs
    assert model._meta.verbose_name != english or english in SAME_IN_FRENCH


@pytest.mark.parametrize("field", OUR_FIELDS, ids=str)
def test_field_has_a_french_name(field):
    english = field.name.replace("_", " ")

    assert field._verbose_name is not None
    assert field.verbose_name != english or english in SAME_IN_FRENCH


# What goes when the row it hangs from goes; everything else is protected.
CASCADES = {
    "accounts.OneTimePassword.user": "worth nothing without its account",
    "accounts.EmailChange.user": "worth nothing without its account",
    "accounts.Mail.user": "a secret for nobody",
    "accounts.PasswordRequest.user": "a request of nobody",
    "students.Place.slot": "an empty slot goes with its seats; Enrolment.place protects the others",
    "reenrolment.WaitingCriterion.campaign": "a step of its campaign's rule",
    **{
        f"billing.{model}.grid": "a draft goes with its rows; a published grid is never deleted"
        for model in ("TariffRate", "TariffModifier", "TariffFee", "TariffRental")
    },
    "billing.PayerShare.custody": "a household no longer the student's shares nothing",
    "billing.InvoiceLine.invoice": "a draft goes with its lines; an issued invoice stays",
    "teaching.ConcertTurn.concert": "a draft goes with its programme; what was announced stays",
    "teaching.ConcertPerformer.turn": "part of it, and nothing without it",
    "teaching.ScaleLevel.scale": "a scale goes with its levels; Criterion protects one that serves",
    "teaching.Mark.evaluation": "part of it, and nothing without it",
    "billing.RentalCharge.line": "says what a line is for; a draft goes with its lines",
}


def test_rows_are_protected_unless_a_reason_stands_here():
    unprotected = {
        str(field)
        for field in OUR_FIELDS
        if isinstance(field, models.ForeignKey)
        and field.remote_field.on_delete is not models.PROTECT
    }

    assert unprotected == set(CASCADES)


# Reached by a family through a row that answers « whose is it? » itself, or by staff only.
WITHOUT_VISIBLE_TO = {
    "accounts.Establishment": "public: the select of the sign-in page",
    "accounts.User": "request.user",
    "accounts.OneTimePassword": "request.user's",
    "accounts.EmailChange": "request.user's",
    "accounts.PasswordRequest": "nobody",
    "accounts.SignInAttempt": "nobody",
    "accounts.Mail": "staff only",
    "accounts.ListImport": "staff only",
    "accounts.ListExport": "staff only",
    "families.Commune": "public: a list",
    "families.FileToDelete": "nobody",
    "families.Erasure": "staff only",
    "families.Invitation": "staff only",
    "families.Merge": "staff only",
    "students.SchoolYear": "public",
    "students.Teacher": "request.user's",
    "students.Custody": "what the others' visible_to follow",
    "students.Discipline": "public",
    "students.Course": "public",
    "students.Slot": "public",
    "students.Place": "through its slot",
    "students.WaitingMove": "through its entry",
    "students.Hold": "through its student's dossier",
    "students.Enrolment": "through its student, or through its teacher's classes",
    "students.RepertoirePiece": "through its student",
    "students.Work": "public: works, and nobody",
    "students.ClassChange": "through its enrolment",
    "teaching.Portrait": "through its student's teachers",
    "teaching.AnnouncementMove": "staff only",
    "teaching.PortraitSource": "public",
    "teaching.Closure": "public",
    "teaching.LessonTime": "through its enrolment, or through its course",
    "teaching.Lesson": "through its hour",
    **{
        f"teaching.{model}": "how an establishment evaluates: public"
        for model in ("Period", "Scale", "ScaleLevel", "Criterion")
    },
    "teaching.ConcertTurn": "through its concert",
    "teaching.ConcertPerformer": "through its concert: programme_of hides the others",
    "teaching.ConcertMove": "staff only",
    "teaching.Mark": "through its evaluation",
    "teaching.EvaluationMove": "staff only",
    "teaching.LessonChange": "staff only",
    "teaching.TimetableSettings": "staff only",
    "documents.DocumentType": "public",
    "documents.PieceRule": "public",
    "documents.Review": "through its document",
    "documents.Access": "staff only",
    "documents.PageImage": "staff only",
    "documents.Reading": "staff only",
    "billing.InvoiceSeries": "nobody",
    "billing.InvoiceRun": "staff only",
    "billing.RunHousehold": "staff only",
    "billing.InvoiceLine": "through its invoice",
    "billing.Instalment": "through its invoice",
    "billing.PayerShare": "staff only",
    "billing.Payment": "through its invoice",
    **{
        f"billing.{model}": "public once published: a délibération"
        for model in (
            *["TariffCategory", "CourseCategory", "TariffGrid"],
            *["TariffRate", "TariffModifier", "TariffFee", "TariffRental"],
        )
    },
    "billing.InstrumentKind": "public",
    "billing.Instrument": "through its rental",
    "billing.Repair": "staff only",
    "billing.RentalMove": "through its rental",
    "billing.RentalCharge": "through its rental",
    "billing.AttemptMove": "staff only",
    "billing.PayFiPAccount": "staff only",
    "billing.RegieSettings": "staff only",
    "billing.PaymentPlan": "public: what an establishment offers",
    "billing.AccountingCode": "staff only",
    "billing.ReceiptSeries": "nobody",
    "billing.Deposit": "staff only: a household sees its payments",
    "billing.CashDay": "staff only",
    "billing.CashDayTotal": "staff only",
    "billing.RentalTerms": "public: a household reads those of its contract",
    "billing.PaymentReminder": "staff only",
    "billing.PaymentReminderLine": "staff only",
    "billing.RemindedInvoice": "staff only",
    "teaching.Register": "staff and its teacher: lessons.lesson_of",
    "teaching.RegisterEntry": "staff and the register's teacher",
    "teaching.RegisterSettings": "staff only",
    "teaching.AbsenceMove": "staff only",
    "teaching.Justification": "the absence's, and of one's own household: absences_of_year",
    "reenrolment.Terms": "public",
    "reenrolment.Campaign": "public",
    "reenrolment.WaitingCriterion": "public",
    "reenrolment.EarlyAccess": "public",
    "reenrolment.Allotment": "public once published: the seed of the draw",
    "reenrolment.CourseChoice": "through its dossier",
    "reenrolment.Transition": "through its dossier",
    "reenrolment.SuppliedPiece": "through its document: the other household's are hidden",
    "reenrolment.RequestedPiece": "through its dossier",
    "reenrolment.Launch": "staff only",
    "reenrolment.LaunchMail": "staff only",
    "reenrolment.LaunchResend": "staff only",
    "reenrolment.PieceReminder": "staff only",
    "reenrolment.ReminderLine": "staff only",
    "reenrolment.AssistedSession": "staff only",
}


def test_every_model_says_whose_it_is_or_stands_here():
    without = {
        model._meta.label for model in OUR_MODELS if not hasattr(model.objects.all(), "visible_to")
    }

    assert without == set(WITHOUT_VISIBLE_TO)


@pytest.mark.parametrize(
    ("moves", "states"),
    [
        (reenrolment.NEXT, reenrolment.Status),
        (documents.NEXT, documents.Verdict),
        (students.NEXT, students.EnrolmentStatus),
        (teaching.NEXT_CONCERT, teaching.ConcertState),
        (students.NEXT_WAITING, students.WaitingState),
        (instruments.NEXT_RENTAL, instruments.RentalState),
        (instruments.NEXT_DEPOSIT, instruments.DepositState),
        (billing.NEXT_ATTEMPT, billing.AttemptState),
        (teaching.NEXT_ANNOUNCEMENT, teaching.AnnouncementState),
    ],
    ids=[
        *["reenrolment", "documents", "students", "concerts", "waiting", "rentals", "deposits"],
        *["payments online", "announcements"],
    ],
)
def test_state_machine_is_complete(moves, states):
    assert set(moves) == set(states)
    for state, following in moves.items():
        assert set(following) <= set(states) - {state}


def test_roles_name_permissions_that_exist(db):
    roles.sync()

    for name, codes in roles.ROLES.items():
        granted = Group.objects.get(name=name).permissions.values_list(
            "content_type__app_label", "codename"
        )
        assert sorted(".".join(code) for code in granted) == sorted(codes)


# --- Templates and addresses ------------------------------------------------------------------

# Django itself looks for these names.
DJANGO_ASKS_FOR = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html"}


def test_every_template_is_used():
    """By its name in the code or in another template, or in place of a package's own."""
    written = "\n".join(path.read_text() for path in [*CODE, *TEMPLATES])
    names = {path.relative_to(ROOT / "templates").as_posix() for path in TEMPLATES}
    unused = {
        name
        for name in names - DJANGO_ASKS_FOR
        if not _is_quoted(name, written)
        and not _is_a_mail(name, written)
        and not _replaces_a_package_template(name)
    }

    assert unused == set()


def _is_quoted(name, written):
    """A part of an admin page, or of a letter, may be named without its folder."""
    part = name.rpartition("/")[2]
    quoted = (
        [name, part] if name.startswith(("admin/", "letters/")) and part.startswith("_") else [name]
    )
    return any(f"{quote}{one}{quote}" in written for one in quoted for quote in "\"'")


def _is_a_mail(name, written):
    """emails/<kind>_subject.txt and emails/<kind>_body.txt: the code names the kind."""
    kind = re.fullmatch(r"emails/(\w+)_(subject|body)\.txt", name)
    return bool(kind) and f'"{kind[1]}"' in written


def _replaces_a_package_template(name):
    """The admin also looks for admin/<app>/<model>/<page>.html before its own admin/<page>.html."""
    general = re.sub(r"^admin/\w+/(\w+/)?(?=\w+\.html$)", "admin/", name)
    folders = [Path(config.path) / "templates" for config in apps.get_app_configs()]
    return any((folder / general).exists() for folder in folders)


INLINE = re.compile(
    r"""<style\b | \sstyle\s*= | \son[a-z]+\s*=\s*["'] | javascript:"""
    r"""| <script\b(?![^>]*\bsrc=)""",
    re.IGNORECASE | re.VERBOSE,
)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_template_carries_no_inline_style_or_script(path):
    """The Content-Security-Policy refuses them, silently for whoever writes the page."""
    assert INLINE.findall(path.read_text()) == []


def test_every_address_has_the_name_of_its_view():
    wrong = {
        f"{namespace}:{pattern.name}": pattern.callback.__name__
        for namespace, pattern in _our_addresses()
        if pattern.name != pattern.callback.__name__
    }

    assert wrong == {}


def _our_addresses():
    for part in get_resolver().url_patterns:
        if getattr(part, "namespace", None) in OUR_APPS:
            for pattern in part.url_patterns:
                if not hasattr(pattern.callback, "view_class"):  # Django's own pages
                    yield part.namespace, pattern


# --- Files ------------------------------------------------------------------------------------


def test_no_folder_is_a_junk_drawer():
    named = {folder.name for app in OUR_APPS for folder in (ROOT / app).rglob("*/")}

    assert named & {"utils", "common", "core", "helpers"} == set()


@pytest.mark.parametrize("app", OUR_APPS)
def test_app_has_a_readme(app):
    assert (ROOT / app / "README.md").is_file()


def test_no_file_is_longer_than_400_lines():
    files = [
        *[path for path in CODE if path.parent.name != "migrations"],
        *TEMPLATES,
        *(ROOT / "static").rglob("*.js"),
    ]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if (lines := len(path.read_text().splitlines())) > 400
    }

    assert long == {}


@pytest.mark.parametrize("name", ["demo", "production", "dev"])
def test_requirements_are_pinned_with_hashes_and_name_no_index(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    requirements = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n?", "", text, flags=re.MULTILINE))

    for requirement in requirements:
        assert re.match(r"[\w.-]+==\S+ .*--hash=sha256:", requirement, re.DOTALL)
    assert re.findall(r"://|--\w*index|--find-links|--trusted-host", text) == []


def test_every_setting_of_the_environment_is_explained():
    read = re.findall(r'\benv\.\w+\(\s*"([A-Z_0-9]+)"', (ROOT / "imuse/settings.py").read_text())
    explained = re.findall(
        r"^\| `([A-Z_0-9]+)`", (ROOT / "docs/production.md").read_text(), re.MULTILINE
    )

    assert set(read) - set(explained) == set()


@pytest.mark.parametrize("document", ["security.md", "payfip.md"])
def test_a_document_names_tests_that_exist(document):
    """A promise whose test has gone is a promise no more."""
    named = re.findall(r"`(tests/\S+?\.py)::(\S+?)`", (ROOT / "docs" / document).read_text())

    missing = [f"{path}::{name}" for path, name in named if name not in _tests_of(ROOT / path)]

    assert named
    assert missing == []


def test_each_promise_of_security_names_its_tests():
    text = (ROOT / "docs/security.md").read_text()
    promises = [line for line in text.splitlines() if re.match(r"\| (?!Promesse|Ce )", line)]
    assert [line for line in promises if "::" not in line] == []


def _tests_of(path):
    """The names of a file's tests, « TestClass::test_name » for those of a class."""
    names = set()
    for node in ast.parse(path.read_text()).body if path.is_file() else []:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        names |= {prefix + each.name for each in inner if isinstance(each, ast.FunctionDef)}
    return names
