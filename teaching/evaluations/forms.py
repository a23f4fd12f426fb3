from django import forms

from students.models import Course
from teaching.enums import ExamResult
from teaching.evaluations.services import Said
from teaching.models import Criterion, Evaluation
from teaching.models.evaluations import COMMENT_LENGTH

NBSP = "\u00a0"
OUT_OF = f"{NBSP}/{NBSP}"  # « 14,5 / 20 »


class NextCourseField(forms.ModelChoiceField):
    def label_from_instance(self, course):
        return f"{course} ({course.school_year})"


class EvaluationForm(forms.Form):
    """What a teacher says of one student: a field for each criterion, then in his own words.

    `critere-<key>` is a level by its name, or a mark; each may be left without an answer.
    """

    edition = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    comment = forms.CharField(
        label="Appréciation",
        max_length=COMMENT_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "maxlength": COMMENT_LENGTH}),
        help_text="1 000 caractères au plus. La famille la lira.",
    )
    exam_result = forms.ChoiceField(
        label="Examen de fin de cycle", choices=ExamResult, required=False
    )
    next_course = NextCourseField(
        Course.objects.none(),
        label="Passage\u00a0: cours proposé l'an prochain",
        required=False,
        help_text="La réinscription le proposera à la famille une fois l'évaluation publiée.",
    )

    def __init__(self, data=None, *, course: Course, criteria: list[Criterion], next_courses, row):
        self.criteria = criteria
        super().__init__(data, initial=_initial(row))
        answers = {mark.criterion_id: mark.value for mark in row.marks.all()} if row else {}
        for criterion in criteria:
            self.fields[_name(criterion)] = _field(criterion, answers.get(criterion.pk, ""))
        self.order_fields([*map(_name, criteria)])
        if next_courses:
            planned = course.next_course or "attribué par l'administration"
            field = self.fields["next_course"]
            field.queryset = next_courses
            field.empty_label = f"Ce que prévoit le cours\u00a0: {planned}"
        else:
            del self.fields["next_course"]

    @property
    def said(self) -> Said:
        """Of a valid form."""
        cleaned = self.cleaned_data
        return Said(
            edition=cleaned["edition"],
            comment=cleaned["comment"],
            exam_result=cleaned["exam_result"],
            next_course=cleaned.get("next_course"),
            marks={
                criterion: _in_words(criterion, answer)
                for criterion in self.criteria
                if (answer := cleaned[_name(criterion)]) not in ("", None)
            },
        )

    def take_over(self, edition: int) -> None:
        """Once the other version was shown, sending again means « mine »."""
        self.data = self.data.copy()
        self.data["edition"] = str(edition)


def _initial(row: Evaluation | None):
    if row is None:
        return {"edition": 0}
    return {
        "edition": row.edition,
        "comment": row.comment,
        "exam_result": row.exam_result,
        "next_course": row.next_course_id,
    }


def _name(criterion):
    return f"critere-{criterion.pk}"


def _field(criterion, answer):
    maximum = criterion.scale.maximum
    if maximum:
        return forms.DecimalField(
            label=criterion.name,
            required=False,
            min_value=0,
            max_value=maximum,
            max_digits=5,
            decimal_places=2,
            localize=True,
            initial=answer.split(OUT_OF)[0],
            help_text=f"Une note sur {maximum}.",
            widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        )
    levels = [level.name for level in criterion.scale.levels.all()]
    if answer and answer not in levels:
        levels.append(answer)  # written with a level that has gone since
    return forms.ChoiceField(
        label=criterion.name,
        required=False,
        initial=answer,
        choices=[("", "Sans réponse"), *((name, name) for name in levels)],
        widget=forms.RadioSelect,
    )


def _in_words(criterion, answer):
    maximum = criterion.scale.maximum
    if not maximum:
        return answer
    number = f"{answer.normalize():f}".replace(".", ",")
    return f"{number}{OUT_OF}{maximum}"
