"""What evaluations say of a household's students: in its copy once published, emptied after."""

from django.db.models import Prefetch

from accounts.enums import MailKind
from accounts.models import Mail
from accounts.personal_data import forget_in_admin_log
from accounts.records import record
from families.enums import Fate
from families.holdings import Holding, Part
from students.personal_data import students_only_of
from teaching.enums import EvaluationState
from teaching.models import Evaluation, EvaluationMove, Mark

EXPORTED = {
    Evaluation: [
        *["enrolment", "period", "comment", "exam_result", "next_course", "teacher_name"],
        "published_at",
    ],
    Mark: ["name", "value"],
}
NESTED = "dit où la ligne est rangée"


class EvaluationsPart(Part):
    exported = EXPORTED
    not_exported = {
        "teaching.Evaluation.state": "la copie ne contient que ce qui est publié",
        "teaching.Evaluation.edition": "sert à comparer deux saisies",
        "teaching.Evaluation.updated_at": "le travail de l'enseignant",
        "teaching.Mark.evaluation": NESTED,
        "teaching.Mark.criterion": "recopié en mots",
        "teaching.Mark.position": "sert à trier",
        "teaching.EvaluationMove": "le travail de l'enseignant et de l'administration",
        **{
            f"teaching.{model}": "la façon d'évaluer de l'établissement, pour tous"
            for model in ("Period", "Scale", "ScaleLevel", "Criterion")
        },
    }
    sections = {"évaluations": "ce que leurs enseignants ont dit d'eux, une fois publié"}
    mail_kinds = [MailKind.EVALUATIONS]

    def export(self, copy):
        published = (
            Evaluation.objects.filter(
                enrolment__student__in=copy.family.students.all(), state=EvaluationState.PUBLISHED
            )
            .select_related("enrolment__student", "enrolment__course", "next_course")
            .select_related("period__school_year")
            .prefetch_related(Prefetch("marks", Mark.objects.order_by("position", "pk")))
        )
        return {
            "évaluations": [
                {
                    **record(evaluation, EXPORTED[Evaluation]),
                    "critères": [record(mark, EXPORTED[Mark]) for mark in evaluation.marks.all()],
                }
                for evaluation in published
            ]
        }

    def mails(self, person):
        return Mail.objects.filter(person.ends(), kind=MailKind.EVALUATIONS)

    def holdings(self, family):
        return [
            Holding(
                "Évaluations des enseignants",
                _of(students_only_of(family)).count(),
                Fate.EMPTIED,
                "Elles comptent les examens passés, sans dire qui ni comment.",
            )
        ]

    def erase(self, family):
        evaluations = _of(students_only_of(family))
        keys = list(evaluations.values_list("pk", flat=True))
        Mark.objects.filter(evaluation__in=keys).delete()
        EvaluationMove.objects.filter(evaluation__in=keys).update(reason="")
        Evaluation.objects.filter(pk__in=keys).update(comment="", teacher_name="")
        forget_in_admin_log(Evaluation, keys)


def _of(students):
    return Evaluation.objects.filter(enrolment__student__in=students)
