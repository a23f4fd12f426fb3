"""A field of a form, for templates/bootstrap5/field.html, which django-crispy-forms draws."""

from functools import cached_property

from django import forms, template

register = template.Library()


@register.filter
def drawn(field: forms.BoundField) -> "Drawn":
    """The field with everything worked out once, under the names that Django gives it."""
    return Drawn(field)


class Drawn:
    """`widget` is the HTML of the field itself."""

    def __init__(self, field: forms.BoundField):
        self._field = field
        self.auto_id, self.label, self.help_text = field.auto_id, field.label, field.help_text
        self.errors = field.form.errors.get(field.name)
        kind = type(field.field.widget)
        self.is_hidden = field.is_hidden
        self.is_checkbox = issubclass(kind, forms.CheckboxInput)
        # Those of which each choice has a label of its own.
        self.is_group = issubclass(kind, forms.RadioSelect)
        self.is_required = field.field.required

    @property
    def id_for_label(self) -> str:
        return self._field.id_for_label

    @property
    def aria_describedby(self) -> str | None:
        return self._field.aria_describedby

    @property
    def choices(self) -> list:
        return self._field.subwidgets

    @cached_property
    def widget(self) -> str:
        if not self.is_hidden:
            self._add_classes()
        return str(self._field)

    def _add_classes(self):
        """Bootstrap's, after the widget's name, as django-crispy-forms names it."""
        widget = self._field.field.widget
        for each in getattr(widget, "widgets", [getattr(widget, "widget", widget)]):
            names = each.attrs.get("class", "").split()
            names += [type(each).__name__.lower(), _class_of(widget)]
            names += ["is-invalid"] if self.errors else []
            each.attrs["class"] = " ".join(dict.fromkeys(names))


def _class_of(widget):
    if isinstance(widget, forms.CheckboxInput):
        return "form-check-input"
    return "form-select" if isinstance(widget, forms.Select) else "form-control"
