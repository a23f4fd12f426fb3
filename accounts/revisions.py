"""How many times a row has changed, for whoever publishes it: what a calendar calls SEQUENCE.

Counted by the column itself, so that no page, list or service has to think of it.
"""

from django.db import models
from django.db.models import Case, F, Q, When


class RevisionField(models.PositiveIntegerField):
    """One more at each write that changes one of its `sources`; nought for a new row.

    Counted in the UPDATE, from what the row held until then: two agents at once are two changes. A
    save that names its fields names this one too (accounts/spreadsheets/saving.py does).
    """

    def __init__(self, *sources: str, **kwargs):
        self.sources = sources
        kwargs.setdefault("verbose_name", "version")
        kwargs.update(editable=False, default=0)
        super().__init__(**kwargs)

    def deconstruct(self):
        name, path, _, kwargs = super().deconstruct()
        del kwargs["editable"], kwargs["default"]
        return name, path, list(self.sources), kwargs

    def pre_save(self, model_instance, add):
        if add:
            setattr(model_instance, self.attname, 0)
            return 0
        fields = [model_instance._meta.get_field(source) for source in self.sources]
        return self._next(
            **{field.name: getattr(model_instance, field.attname) for field in fields}
        )

    def after(self, values: dict) -> Case | None:
        """What an UPDATE of these columns makes of it; None if none of them is a source."""
        told = {name: value for name, value in values.items() if name in self.sources}
        return self._next(**told) if told else None

    def _next(self, **values):
        here = F(self.attname)
        return Case(When(Q(**values), then=here), default=here + 1)


class RevisedQuerySet(models.QuerySet):
    """Of a model with a RevisionField: an UPDATE of many rows counts as a save does."""

    def update(self, **values):
        for field in self.model._meta.fields:
            if isinstance(field, RevisionField) and field.name not in values:
                after = field.after(values)
                if after is not None:
                    values[field.name] = after
        return super().update(**values)

    update.alters_data = True
