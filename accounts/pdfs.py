"""Documents to print: a Typst template and its data give a PDF."""

import json
import logging

import typst
from django.conf import settings
from django.core.exceptions import ValidationError

logger = logging.getLogger(__name__)

# Those that the wheel carries, and no other: the same PDF on every machine. « Libertinus Serif »
# and « DejaVu Sans Mono » have the letters of French, and of most names.
FONTS = typst.Fonts(include_system_fonts=False)
ACCESSIBLE = "ua-1"  # PDF/UA-1: tagged, with a title and a language, which the template sets


def render_pdf(template: str, data: dict) -> bytes:
    """The PDF of `templates/<template>`, which reads `data` (what JSON can hold) as
    `json(bytes(sys.inputs.data))`.

    What comes from data is text, whatever signs it holds: it is never written into the template.
    To be called outside a transaction: a thousand pages take a second. Raises ValidationError
    `pdf`.
    """
    path = settings.BASE_DIR / "templates" / template
    inputs = {"data": json.dumps(data)}
    # PDF/UA refuses a sign that no font draws; printed as a box, the rest can still be read.
    for standards in ([ACCESSIBLE], []):
        try:
            return typst.compile(
                path,
                root=path.parent,
                font_paths=FONTS,
                format="pdf",
                sys_inputs=inputs,
                pdf_standards=standards,
            )
        except typst.TypstError as error:
            logger.warning("%s, PDF %s: %s", template, standards, error)
    raise ValidationError(
        "Le PDF n'a pas pu être fait. Imprimez la page elle-même, par le menu de votre navigateur.",
        code="pdf",
    )
