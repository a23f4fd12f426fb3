"""The tabs of each space, and which of them is open; templates/layout/_header.html shows them."""

from dataclasses import dataclass
from functools import cache, cached_property

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Establishment
from imuse.spaces import HOME, Space

_MESSAGES = {
    f"teaching:{name}"
    for name in ("announcements", "announcement", "announcement_file", "message_preferences")
}
# Label, address, and the views that it stands for: « namespace » or « namespace:view ».
_FAMILY = [
    ("Accueil", "imuse:home", {"imuse:home"} | _MESSAGES),
    ("Famille", "families:identity", {"families"}),
    ("Elèves", "students:index", {"students", "documents", "teaching", "reenrolment"}),
    ("Facturation", "billing:cotisations", {"billing"}),
]
_CLASSES = {
    f"teacher:{name}" for name in ("classes", "all_lists", "slot", "course", "hour", "end_hour")
}
_CLASSES |= {
    f"teacher:{name}"
    for name in (
        *["repertoire_slot", "add_to_slot", "repertoire_course", "add_to_course"],
        *["repertoire", "add_piece", "piece", "remove_piece"],
    )
}
_REGISTERS = {"teacher:registers", "teacher:register"}
_EVALUATIONS = {
    f"teacher:{name}"
    for name in ("evaluations", "evaluation_slot", "evaluation_course", "evaluation")
}
_WRITTEN = {
    f"teacher:{name}"
    for name in (
        *["announcements", "announcement", "received_announcement", "announcement_file"],
        *["write_to_slot", "write_to_course", "rewrite_announcement"],
    )
}
_CONCERTS = {
    f"teacher:{name}" for name in ("concerts", "concert", "propose_turn", "turn", "withdraw_turn")
}
_WEEK = {f"teacher:{name}" for name in ("index", "week", "change_lesson", "feed")}
_TEACHER = [
    ("Ma semaine", "teacher:index", _WEEK),
    ("Mes classes", "teacher:classes", _CLASSES),
    ("Appels", "teacher:registers", _REGISTERS),
    ("Évaluations", "teacher:evaluations", _EVALUATIONS),
    ("Auditions", "teacher:concerts", _CONCERTS),
    ("Messages", "teacher:announcements", _WRITTEN),
]
_STAFF = [("Administration", "admin:index", {"admin"})]
_OWN_ACCOUNT = {
    "accounts:change_password",
    "accounts:change_email",
    "accounts:connections",
    "accounts:second_factor",
    "accounts:enrol_second_factor",
    "accounts:renew_recovery_codes",
    "accounts:remove_second_factor",
}
_EVERYBODY = [
    ("Accessibilité", "imuse:accessibility", {"imuse:accessibility"}),
    ("Mot de passe", "accounts:change_password", _OWN_ACCOUNT),
]
# The pages of one student, whose key is the `pk` of their addresses.
_STUDENT = [
    ("identité", "students:identity", {"students:identity"}),
    ("cours", "students:courses", {"students:courses", "teaching"}),
    ("historique", "students:history", {"students:history"}),
    (
        "répertoire",
        "students:repertoire",
        {"students:repertoire", "teaching:concerts", "teaching:concert"},
    ),
    ("réinscription", "reenrolment:edit", {"reenrolment"}),
    ("documents fournis", "documents:supplied", {"documents"}),
]
_ANY_STUDENT = 2**62  # stands for the key while the tabs are written: no key comes near
TABS = {Space.FAMILY: _FAMILY, Space.TEACHER: _TEACHER, Space.STAFF: _STAFF}


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    is_current: bool = False


class Navigation:
    """What `request` may go to. Nobody signed in, a password or a code due first: nowhere."""

    def __init__(self, request):
        self.request = request

    @cached_property
    def tabs(self) -> list[Link]:
        """« Déconnexion », a button, is the header's own."""
        return _tabs(self._space, self._names) if self._is_free else []

    @property
    def written_tabs(self) -> SafeString:
        """The items of the list that `tabs` makes."""
        return _written_tabs(self._space, self._names) if self._is_free else mark_safe("")

    @property
    def written_student_tabs(self) -> SafeString:
        """On a page of one student, the items that lead to the six tabs of the manual."""
        written = _written_student_tabs(self._names)
        return mark_safe(
            written.replace(str(_ANY_STUDENT), str(self.request.resolver_match.kwargs["pk"]))
        )

    @property
    def name(self) -> str:
        """Who is signed in, as « entrer » found."""
        return self.request.session.get("name", self.request.user.username)

    @property
    def home(self) -> str:
        return address_of(HOME[self._space])

    @property
    def other_spaces(self) -> list[Link]:
        """Where else somebody may go who is, say, a parent and a teacher."""
        if not self._is_free:
            return []
        return [
            Link(space.label, address_of(HOME[space]))
            for space in map(Space, self._spaces)
            if space != self._space
        ]

    @property
    def has_my_data(self) -> bool:
        """The footer leads families to « Mes données »."""
        return self._is_free and Space.FAMILY in self._spaces

    @property
    def is_teacher(self) -> bool:
        """His registers are sent from whatever page he opens (static/js/register.js)."""
        return self._is_free and Space.TEACHER in [self._space, *self._spaces]

    @property
    def sites(self) -> list[Establishment]:
        """Those that the account may switch between; none to choose when it has one."""
        sites = getattr(self.request, "establishments", []) if self._is_free else []
        return list(sites) if len(sites) > 1 else []

    @property
    def here(self) -> str:
        """Where a switch leads back to: the page that is read, nowhere if a form was sent to it."""
        return self.request.path if self.request.method == "GET" else ""

    @cached_property
    def _names(self) -> frozenset[str]:
        """Of the page that is read, as TABS names it."""
        here = self.request.resolver_match
        if here and here.view_name in _MESSAGES:  # of no student, unlike the rest of `teaching`
            return frozenset([here.view_name])
        return frozenset([here.namespace, here.view_name] if here else [])

    @cached_property
    def _is_free(self) -> bool:
        user = getattr(self.request, "user", None)
        if not user or not user.is_authenticated or user.must_choose_password:
            return False
        return not getattr(self.request, "is_held", False)

    @property
    def _spaces(self) -> list[str]:
        """As « entrer » found them: every sign-in goes by it."""
        unknown = [Space.STAFF.value] if self.request.user.is_staff else []
        return self.request.session.get("spaces", unknown)

    @cached_property
    def _space(self) -> Space:
        """The teacher's on his pages, else the first of the person's own."""
        here = self.request.resolver_match
        if here and here.namespace == "teacher":
            return Space.TEACHER
        return Space(self._spaces[0]) if self._spaces else Space.FAMILY


@cache
def _tabs(space: Space, here: frozenset[str]) -> list[Link]:
    """The same for everybody who reads this page: written once by process."""
    return [
        Link(label, address_of(view), bool(here & views))
        for label, view, views in TABS[space] + _EVERYBODY
    ]


@cache
def _written_tabs(space: Space, here: frozenset[str]) -> SafeString:
    return render_to_string("layout/_tabs.html", {"tabs": _tabs(space, here)})


@cache
def _written_student_tabs(here: frozenset[str]) -> SafeString:
    """Of the student `_ANY_STUDENT`."""
    # A page that a tab names is not that of the one which has the rest of its namespace.
    page = {name for name in here if ":" in name}
    names = page if any(page & views for _, _, views in _STUDENT) else here
    tabs = [
        Link(label, reverse(view, args=[_ANY_STUDENT]), bool(names & views))
        for label, view, views in _STUDENT
    ]
    return render_to_string("students/_student_tabs.html", {"tabs": tabs})


@cache
def address_of(view: str) -> str:
    """Of a page that is the same for everybody: asked for ten times by page."""
    return reverse(view)
