"""How the widgets of a form become HTML: Django's plain ones at once, the others by their template.

A template within a template for each field, and for its attributes, took half of the time of a page
that is a form (docs/performance.md). What comes out is Django's own, to the letter
(tests/imuse/test_form_renderer.py), so a template of ours for one of these would not be read.
"""

from django.forms.renderers import TemplatesSetting
from django.template.base import render_value_in_context
from django.utils.html import conditional_escape

_INPUTS = ["text", "number", "email", "url", "tel", "search", "color", "password", "hidden"]
_INPUTS += ["date", "datetime", "time", "file", "checkbox", "input"]
_OPTION = "django/forms/widgets/select_option.html"


class FormRenderer(TemplatesSetting):
    def render(self, template_name, context, request=None):
        write = _WRITERS.get(template_name)
        written = write(context["widget"]) if write else None
        return super().render(template_name, context, request) if written is None else written


def _write_input(widget):
    value = widget["value"]
    shown = "" if value is None else f' value="{_text(value)}"'
    kind, name = conditional_escape(widget["type"]), conditional_escape(widget["name"])
    return f'<input type="{kind}" name="{name}"{shown}{_attributes(widget)}>'


def _write_textarea(widget):
    name, value = conditional_escape(widget["name"]), widget["value"]
    return f'<textarea name="{name}"{_attributes(widget)}>\n{_label(value or "")}</textarea>'


def _write_select(widget):
    """None for one whose options have a template of their own."""
    lines = [f'<select name="{conditional_escape(widget["name"])}"{_attributes(widget)}>']
    for group, options, _ in widget["optgroups"]:
        if group:
            lines.append(f'  <optgroup label="{_label(group)}">')
        for option in options:
            if option["template_name"] != _OPTION:
                return None
            lines.append(
                f'  <option value="{_text(option["value"])}"{_attributes(option)}>'
                f"{_label(option['label'])}</option>\n"
            )
        if group:
            lines.append("  </optgroup>")
    return "\n".join([*lines, "</select>"])


def _attributes(widget):
    return "".join(
        f" {conditional_escape(name)}" + ("" if value is True else f'="{_text(value)}"')
        for name, value in widget["attrs"].items()
        if value is not False
    )


def _text(value):
    """As `|stringformat:"s"`."""
    return conditional_escape(value if isinstance(value, str) else str(value))


def _label(value):
    """As a variable in a template: a number is written in French."""
    if isinstance(value, str):
        return conditional_escape(value)
    return render_value_in_context(value, _Context)


class _Context:
    """What a template knows by default."""

    autoescape, use_l10n, use_tz = True, None, None


_WRITERS = {f"django/forms/widgets/{name}.html": _write_input for name in _INPUTS} | {
    "django/forms/widgets/textarea.html": _write_textarea,
    "django/forms/widgets/select.html": _write_select,
}
