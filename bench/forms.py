"""The forms of a page, as a browser would send them back; read by patterns, for speed."""

import html
import re
from dataclasses import dataclass, field

_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.S)
_FIELD = re.compile(
    r"<input\b(?P<input>[^>]*)>"
    r"|<textarea\b(?P<textarea>[^>]*)>\n?(?P<text>.*?)</textarea>"
    r"|<select\b(?P<select>[^>]*)>(?P<options>.*?)</select>",
    re.S,
)
_OPTION = re.compile(r"<option\b([^>]*)>", re.S)
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')


@dataclass
class Form:
    """`fields` holds what would be sent, `boxes` the names to tick, `options` what one may pick."""

    action: str | None
    fields: dict[str, str] = field(default_factory=dict)
    boxes: list[str] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)


def find_form(page: str, name: str) -> Form:
    """The form that has a field of that name. Raises LookupError."""
    for attributes, content in _FORM.findall(page):
        if f'name="{name}"' not in content:  # the others are not read: the machine is the server's
            continue
        form = _read(attributes, content)
        if name in form.fields or name in form.boxes or name in form.options:
            return form
    raise LookupError(f"aucun formulaire n'a de champ « {name} »")


def read_form(page: str) -> Form:
    """The first one. Raises LookupError."""
    for attributes, content in _FORM.findall(page):
        return _read(attributes, content)
    raise LookupError("aucun formulaire")


def pick(form: Form, slot: int | None) -> dict[str, str]:
    """The re-enrolment page as a family sends it that goes on with every course.

    Of the first drop-down it picks the slot of that rank among those offered, or none.
    """
    return tick(form) | _picked(form, slot)


def tick(form: Form) -> dict[str, str]:
    """The same, before any slot is picked."""
    return form.fields | dict.fromkeys(form.boxes, "on")


def pick_line(form: Form, slot: int | None) -> dict[str, str]:
    """The line of the first drop-down alone, as the page's script sends it. Raises LookupError."""
    for name, value in _picked(form, slot).items():
        line = name.removesuffix("-slot_id")
        fields = tick(form) | {name: value}
        kept = ("csrfmiddlewaretoken", "site")
        starts = (f"{line}-", f"initial-{line}-")
        return {"line": line} | {
            each: fields[each] for each in fields if each in kept or each.startswith(starts)
        }
    raise LookupError("aucun horaire à choisir")


def take_parts(form: Form, page: str) -> None:
    """What the script takes from the answer to what it sent."""
    parts = read_form(page)
    form.fields |= parts.fields
    form.options |= parts.options


def is_granted(status: int, page: str) -> bool:
    """Of an answer to `pick_line`: else the slot is full, and the line says so."""
    return status == 200 and "invalid-feedback" not in page


def _picked(form, slot):
    fields = {}
    for name, values in form.options.items():
        offered = [value for value in values if value]
        fields[name] = "" if slot is None or not offered else offered[slot % len(offered)]
    return fields


def _read(attributes, content):
    form = Form(_attributes(attributes).get("action"))
    for found in _FIELD.finditer(content):
        if found["select"] is not None:
            _read_select(form, _attributes(found["select"])["name"], found["options"])
        elif found["textarea"] is not None:
            form.fields[_attributes(found["textarea"])["name"]] = html.unescape(found["text"])
        else:
            _read_input(form, _attributes(found["input"]))
    return form


def _read_select(form, name, options):
    values = [_attributes(option) for option in _OPTION.findall(options)]
    form.options[name] = [option["value"] for option in values]
    chosen = [option["value"] for option in values if "selected" in option]
    form.fields[name] = (chosen or form.options[name])[0]


def _read_input(form, attributes):
    name, kind = attributes.get("name"), attributes.get("type", "text")
    if name is None or kind in ("submit", "file"):
        return
    if kind == "checkbox":
        form.boxes.append(name)
        if "checked" not in attributes:
            return
    form.fields[name] = attributes.get("value", "on" if kind == "checkbox" else "")


def _attributes(text):
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(text)}
