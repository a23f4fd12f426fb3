"""Dossiers in every state, each made as a family and the secretariat would make it."""

import random
import re
from datetime import timedelta
from itertools import cycle, islice

from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from accounts.names import sort_key
from documents import services as documents
from documents.enums import Formats, RefusalReason, Verdict
from documents.models import DocumentType
from documents.pieces import Piece
from imuse.demo.catalogue import CLOSED, COURSES, FULL, LAST_PLACE
from imuse.demo.clock import Clock
from imuse.demo.files import make_pdf, make_portrait
from imuse.demo.households import Household
from imuse.demo.schooling import LET_PASS
from imuse.demo.teaching import Teaching
from imuse.demo.town import ADDRESS, CAF, CAMPAIGN_CLOSES, PHOTO, TAX, Town
from reenrolment.models import Reenrolment
from reenrolment.pieces import load_pieces
from reenrolment.readiness import fingerprint_of
from reenrolment.rows import Row, load_rows, rows_of
from reenrolment.services import decisions, drafts, submission, supplies
from reenrolment.services.drafts import Edit
from students import closing
from students import services as students
from students.models import Slot

NOTHING = {"wanted": False, "slot_id": None, "stop_reason": ""}
SUBMITTED, VALIDATED, DRAFTS = 36, 6, 3  # dossiers: submitted one day, validated, begun
COMMENTS = [
    "Si possible, le même groupe que cette année.",
    "Nous déménageons en août\u00a0: je vous enverrai la nouvelle adresse.",
    "Disponible le mercredi seulement.",
]
STOPS = ["Trop d'activités l'an prochain.", ""]


class Desk:
    """Fills in dossiers as the families, examines them as the secretariat."""

    def __init__(
        self, town: Town, teaching: Teaching, clock: Clock, rng: random.Random, secretary: User
    ):
        self.town, self.teaching, self.clock, self.rng = town, teaching, clock, rng
        self.campaign, self.secretary = town.campaign, secretary
        crowded = self._slots(FULL + LAST_PLACE)
        self.wishes = {
            name: cycle([slot for slot in crowded if slot.course.name == name])
            for name in {slot.course.name for slot in crowded}
        }

    def receive(self, cast: dict[str, Household], households: list[Household]) -> None:
        """The families first, in the order of time: a piece serves the children who come after.

        Then the secretariat, which begins with the oldest dossiers.
        """
        self._hand_in_earlier([cast["martin.c"], *households[8:20]])
        dubois = cast["dubois.p"]
        candidates = self._candidates(cast, households)
        wanted = [(dubois, dubois.pupils[0]), *islice(candidates, SUBMITTED - 1)]
        submitted = [
            (home, self._submit(home, pupil, at, careless=number % 5 == 4))
            for number, (at, (home, pupil)) in enumerate(zip(self._moments(), wanted, strict=True))
        ]
        for home, pupil in islice(candidates, DRAFTS):
            self._fill_in(home, pupil, self.clock.moment(-1, 21))
        self._begin(cast["benali.n"])
        self._decide(submitted)
        self._fill_up()
        self._close()

    def _candidates(self, cast, households):
        """Students of the other families with an account, at random; the sure ones come first.

        Those whose next course waits for a jury's decision come last.
        """
        fixed = {id(home) for home in cast.values()}
        found = [
            (home, pupil)
            for home in households
            for pupil in home.pupils
            if id(home) not in fixed and home.user and pupil.courses
        ]
        self.rng.shuffle(found)
        return iter(sorted(found, key=lambda pair: not COURSES[pair[1].courses[0]].following))

    def _moments(self):
        """When each dossier is submitted: at the hours when families are at home."""
        days = [-6 + number * 6 // SUBMITTED for number in range(SUBMITTED)]
        hours = [(day, self.rng.randint(9, 20), self.rng.randint(0, 59)) for day in days]
        return [self.clock.moment(*hour) for hour in sorted(hours)]

    def _decide(self, submitted):
        """Most dossiers are left for whoever tries the demo."""
        (dubois, sent_back), *others = submitted
        self._ask_again(sent_back)
        # Validated: those that lack no piece, and that can be seated.
        others.sort(key=lambda pair: (pair[1].missing_pieces > 0, not self._can_seat(pair[1])))
        for number in range(VALIDATED):  # one in spite of a piece refused: at the « tarif haut »
            self._validate(others[number][1], refused="" if number else ADDRESS)
        refused, withdrawn, completed, *examined = others[VALIDATED : VALIDATED + 6]
        self._refuse(refused[1])
        self._withdraw(*withdrawn)
        self._ask_again(completed[1])
        self._complete(*completed)
        self._examine(*(reenrolment for _, reenrolment in examined))

    # What a family does

    def _fill_in(self, home, pupil, at):
        """A draft: every course wanted, now and then one that stops, and a slot where it may."""
        with self.clock.at(at):
            rows = rows_of(self.campaign, pupil.student, None)
            edits = {
                "administrative": Edit({"administrative": False}, {"administrative": True}),
                **{row.section: Edit(NOTHING, NOTHING | self._answer(row)) for row in rows},
            }
            if len(rows) == 3 and self.rng.random() < 0.15:
                stopped = {"wanted": False, "stop_reason": self.rng.choice(STOPS)}
                edits[rows[-1].section] = Edit(NOTHING, NOTHING | stopped)
            if self.rng.random() < 0.15:
                edits["comment"] = Edit({"comment": ""}, {"comment": self.rng.choice(COMMENTS)})
            drafts.save_draft(self.campaign, pupil.student, edits)
        return Reenrolment.objects.get(campaign=self.campaign, student=pupil.student)

    def _answer(self, row: Row) -> dict:
        answer = {"wanted": True}
        if row.offers_slots:
            slot = self.rng.choice(row.slots)
            if row.course.name in self.wishes and self.rng.random() < 0.75:
                crowded = next(self.wishes[row.course.name])
                slot = crowded if crowded in row.slots else slot
            answer["slot_id"] = slot.pk
        return answer

    def _hand_in(self, reenrolment, home, at, *, without=()):
        """The household's own pieces and the student's, but those it does not have."""
        with self.clock.at(at):
            for piece in load_pieces(reenrolment):
                ours = piece.family in (None, home.family)
                if ours and piece.is_missing and piece.type.name not in without:
                    self._supply(reenrolment, piece, home)

    def _supply(self, reenrolment, piece: Piece, home):
        name, content = self._file(piece.type, reenrolment.student, home)
        supplies.hand_in(
            self.campaign, reenrolment.student, piece, name=name, content=content, actor=home.user
        )

    def _file(self, kind: DocumentType, student, home) -> tuple[str, bytes]:
        stem = re.sub("[^a-z]+", "_", sort_key(kind.name.split(" (")[0].split(" avec")[0]))
        if kind.formats == Formats.IMAGE:
            return f"{stem}.jpg", make_portrait(self.rng)
        about = student if kind.owner == "student" else home.guardians[0]
        lines = [str(about)]
        if kind.owner != "student":
            town = home.family.commune
            lines += [home.family.address, f"{town.postal_code} {town.name}"]
        made_on = timezone.localdate() - timedelta(days=20)
        if kind.name == CAF:
            lines.append(f"Quotient familial ({made_on:%m/%Y}) : {_quotient(home.family)} €")
        if kind.name == TAX:
            lines.append("Revenu fiscal de référence : 24 310")
        lines.append(f"Fait le {made_on:%d/%m/%Y}")
        return f"{stem}.pdf", make_pdf(kind.name, lines, pages=4 if kind.name == TAX else 1)

    def _submit(self, home, pupil, at, *, careless=False) -> Reenrolment:
        """A whole dossier, in half an hour; a careless family forgets a piece."""
        reenrolment = self._fill_in(home, pupil, at - timedelta(minutes=25))
        without = [self.rng.choice([ADDRESS, PHOTO, TAX])] if careless else []
        self._hand_in(reenrolment, home, at - timedelta(minutes=12), without=without)
        with self.clock.at(at):
            return submission.submit(
                reenrolment,
                actor=home.user,
                terms=self.campaign.terms,
                fingerprint=fingerprint_of(
                    reenrolment, load_rows(reenrolment), load_pieces(reenrolment)
                ),
            )

    def _complete(self, home, reenrolment):
        """The piece asked for again is sent, and the dossier with it."""
        with self.clock.at(self.clock.moment(-1, 18)):
            for piece in load_pieces(reenrolment):
                if piece.is_refused:
                    self._supply(reenrolment, piece, home)
            submission.complete(reenrolment, actor=home.user)

    def _withdraw(self, home, reenrolment):
        with self.clock.at(self.clock.moment(-3, 20)):
            submission.withdraw(reenrolment, actor=home.user, reason="Nous quittons la région.")

    def _begin(self, home):
        """Nadia Benali has ticked, chosen and sent her proof of address; Samir nothing yet."""
        at = self.clock.moment(-2, 20)
        reenrolment = self._fill_in(home, home.pupils[0], at)
        self._hand_in(reenrolment, home, at, without=[CAF, PHOTO, TAX])

    def _hand_in_earlier(self, homes):
        """Last spring's: the portraits still hold, the proof of address has had its day."""
        kinds = {kind.name: kind for kind in DocumentType.objects.all()}
        for home in homes:
            students = [pupil.student for pupil in home.pupils if pupil.courses]
            if home.user and students:
                self._accepted_last_year(home, kinds[PHOTO], students[0], student=students[0])
                self._accepted_last_year(home, kinds[ADDRESS], students[0], family=home.family)

    def _accepted_last_year(self, home, kind, about, **owner):
        with self.clock.at(self.clock.moment(-350, 18)):
            document = documents.hand_in(
                *self._file(kind, about, home), type=kind, actor=home.user, **owner
            )
        with self.clock.at(self.clock.moment(-340, 9)):
            documents.accept(document, actor=self.secretary)

    # What the secretariat does

    def _review(
        self, reenrolment, at, *, refused: str = "", reason=RefusalReason.INCOMPLETE, comment=""
    ):
        """Opens and accepts every piece but the one of the type to refuse."""
        with self.clock.at(at):
            for piece in load_pieces(reenrolment):
                document = piece.document
                if document and document.verdict == Verdict.PENDING:
                    documents.log_access(document, actor=self.secretary)
                    if piece.type.name == refused:
                        documents.refuse(
                            document, reason=reason, comment=comment, actor=self.secretary
                        )
                    else:
                        documents.accept(document, actor=self.secretary)

    def _to_place(self, reenrolment):
        """What he wants and has no seat for, and the course where to seat him."""
        for choice in decisions.choices_of(reenrolment).filter(wanted=True):
            granted = choice.granted
            if granted is None:
                yield choice, self.teaching.course(self.town.coming, LET_PASS)
            elif not granted.is_placed:
                yield choice, granted.course

    def _can_seat(self, reenrolment):
        """Whom families' choices and the hours of an ensemble leave free: chance decides."""
        student = reenrolment.student
        return all(
            not course.has_slots or _free_slot(student, course)
            for _, course in self._to_place(reenrolment)
        )

    def _place_all(self, reenrolment):
        for choice, course in self._to_place(reenrolment):
            slot = _free_slot(reenrolment.student, course)
            decisions.place(choice, course=course, slot=slot)

    def _validate(self, reenrolment, *, refused=""):
        at = self.clock.moment(-2, 10, self.rng.randint(0, 59))
        self._review(reenrolment, at, refused=refused)
        with self.clock.at(at + timedelta(minutes=5)):
            self._place_all(reenrolment)
            decisions.validate(reenrolment, actor=self.secretary)

    def _refuse(self, reenrolment):
        with self.clock.at(self.clock.moment(-2, 15)):
            decisions.refuse(
                reenrolment,
                reason="La limite d'âge de ce cursus est atteinte, comme convenu en mars avec"
                " l'équipe pédagogique. Le secrétariat peut vous proposer un atelier.",
                actor=self.secretary,
            )

    def _ask_again(self, reenrolment):
        """The proof of address is refused, and asked for again."""
        at = self.clock.moment(-3, 11)
        comment = "Envoyez aussi la seconde page de la facture."
        self._review(reenrolment, at, refused=ADDRESS, comment=comment)
        with self.clock.at(at + timedelta(minutes=3)):
            decisions.request_complement(
                reenrolment,
                pieces=[piece for piece in load_pieces(reenrolment) if piece.is_refused],
                until=self.clock.moment(CAMPAIGN_CLOSES, 20),
                message="Il nous faut la facture entière pour calculer vos droits d'inscription.",
                actor=self.secretary,
            )

    def _examine(self, first, second, third):
        """Two dossiers have all their pieces accepted, one has its photo refused."""
        at = self.clock.moment(-1, 11)
        self._review(first, at)
        self._review(second, at)
        comment = "Une photo récente, de face, convient."
        self._review(third, at, refused=PHOTO, reason=RefusalReason.UNREADABLE, comment=comment)

    # The seats that are left

    def _fill_up(self):
        for left, names in ((0, FULL), (1, LAST_PLACE)):
            for slot in self._slots(names):
                taken = slot.places.exclude(enrolment=None).count()
                students.set_capacity(slot, taken + left)

    def _close(self):
        with self.clock.at(self.clock.moment(-1, 17)):
            for slot in self._slots(CLOSED):
                closing.close(slot)

    def _slots(self, names):
        return [self.teaching.slot(self.town.coming, name, group) for name, group in names]


def _free_slot(student, course):
    """The first one of the course where nothing else takes his time; None when there is none."""
    for slot in Slot.objects.open().filter(course=course).select_related("course"):
        try:
            students.check_no_clash(student, slot)
        except ValidationError:
            continue
        return slot
    return None


def _quotient(family):
    """Another one for each household, the same at each start."""
    return 380 + family.pk * 61 % 1100
