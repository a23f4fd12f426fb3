"""What becomes of the custodies of a household that turns out to be another's double."""

from collections import defaultdict
from itertools import combinations

from django.core.exceptions import ValidationError

from families.absorbing import Follower, Line
from students.models import Custody, Student


class Custodies(Follower):
    relations = ["students.Student.families", "students.Custody.family"]

    def kept_apart(self, families):
        """The two households of one child: each would see what is the other's."""
        homes = defaultdict(set)
        custodies = Custody.objects.filter(family__in=families)
        for student, family in custodies.values_list("student", "family"):
            homes[student].add(family)
        return {frozenset(pair) for each in homes.values() for pair in combinations(each, 2)}

    def check(self, kept, absorbed):
        shared = Student.objects.filter(families=kept).filter(families=absorbed).first()
        if shared:
            raise ValidationError(
                "%(student)s a ces deux foyers (garde alternée)\u00a0: ils ne se fusionnent jamais,"
                " chacun verrait ce qui est à l'autre. Si l'un des deux est une erreur, retirez-le"
                " d'abord de la fiche de l'élève.",
                code="two_households",
                params={"student": shared},
            )

    def facts(self, row):
        students = row.students.order_by("sort_name", "pk")
        born = [f"{student} ({student.birth_date:%d/%m/%Y})" for student in students]
        return [("élèves", " ; ".join(born))]

    def lines(self, kept, absorbed):
        here = set(kept.students.values_list("sort_name", "birth_date"))
        lines = []
        for student in absorbed.students.all():
            lines.append(Line(f"L'élève {student} rejoint le foyer."))
            if (student.sort_name, student.birth_date) in here:
                lines.append(Line(f"L'élève {student} sera deux fois dans ce foyer.", True))
        return lines

    def absorb(self, kept, absorbed):
        Custody.objects.filter(family=absorbed).update(family=kept)
