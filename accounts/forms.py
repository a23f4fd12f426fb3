import re

from django import forms
from django.contrib.auth import password_validation
from django.db.models import QuerySet

from accounts import services
from accounts.models import Establishment
from accounts.prepared import prepared
from accounts.validators import live_rules

EMAIL_INVALID = "Cette adresse n'est pas complète\u00a0: elle s'écrit comme nom@exemple.fr."
WRONG_PASSWORD = (
    "Ce n'est pas votre mot de passe actuel. Après plusieurs erreurs, il faut attendre un peu, "
    "puis de plus en plus."
)


def password_field(label: str, autocomplete: str) -> forms.CharField:
    """A password as it is typed, spaces included; static/js adds « Afficher » by `data-reveal`."""
    attrs = {"autocomplete": autocomplete, "data-reveal": True}
    return forms.CharField(
        label=label, max_length=128, strip=False, widget=forms.PasswordInput(attrs)
    )


def username_field() -> forms.CharField:
    attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
    return forms.CharField(label="Identifiant", max_length=150, widget=forms.TextInput(attrs))


class SignInForm(forms.Form):
    """A site, among those read in one query where Django's field of a model makes three."""

    establishment = forms.TypedChoiceField(label="Sélectionnez le site")
    username = username_field()
    password = password_field("Mot de passe", "current-password")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        sites = {str(site.pk): site for site in _sites()}
        field = self.fields["establishment"]
        field.coerce = sites.get
        field.choices = [(key, str(site)) for key, site in sites.items()]
        # Always visible, but there is nothing to choose when the town has one site.
        if len(sites) != 1:
            field.choices = [("", "Choisissez…"), *field.choices]


@prepared
def _sites() -> QuerySet[Establishment]:
    return Establishment.objects.all()


class CodeForm(forms.Form):
    """A code of the application or of recovery, as people type them: in groups, in capitals."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text="Les 6 chiffres que montre votre application, ou l'un de vos codes de secours.",
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    pattern = r"[0-9]{6}|[a-z2-7]{8}"
    misshapen = "Un code a 6 chiffres\u00a0; un code de secours, 8 lettres et chiffres."

    def clean_code(self):
        code = re.sub(r"[\s-]", "", self.cleaned_data["code"]).lower()
        if not re.fullmatch(self.pattern, code):
            raise forms.ValidationError(self.misshapen, code="misshapen")
        return code


class ApplicationCodeForm(CodeForm):
    pattern = r"[0-9]{6}"
    misshapen = "Un code a 6 chiffres."

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = "Les 6 chiffres que montre maintenant votre application."
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class LostPasswordForm(forms.Form):
    username = username_field()
    email = forms.EmailField(
        label="Adresse e-mail",
        help_text="La même que celle que vous avez donnée à l'administration du conservatoire.",
        error_messages={"invalid": EMAIL_INVALID},
        widget=forms.EmailInput({"autocomplete": "email"}),
    )


class OwnForm(forms.Form):
    """About the account of the person signed in."""

    def __init__(self, user, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user


class CurrentPasswordForm(OwnForm):
    """Asks for the current password, as often as the sign-in page does; `address` asks."""

    current_password = password_field("Mot de passe actuel", "current-password")

    def __init__(self, *args, address, **kwargs):
        super().__init__(*args, **kwargs)
        self.address = address

    def clean_current_password(self):
        password = self.cleaned_data["current_password"]
        if not services.is_own_password(password, actor=self.user, address=self.address):
            raise forms.ValidationError(WRONG_PASSWORD, code="wrong")
        return password


class ChangeEmailForm(CurrentPasswordForm):
    email = forms.EmailField(
        label="Nouvelle adresse e-mail",
        max_length=254,
        help_text="Comme nom@exemple.fr. Un message y sera envoyé.",
        error_messages={"invalid": EMAIL_INVALID},
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

    field_order = ["email"]

    def clean_email(self):
        email = self.cleaned_data["email"]
        if email == self.user.email:
            raise forms.ValidationError("C'est déjà votre adresse e-mail.", code="same")
        return email


class ChoosePasswordForm(OwnForm):
    """A new password, twice; the policy is told before one types."""

    new_password = password_field("Nouveau mot de passe", "new-password")
    new_password_again = password_field("Nouveau mot de passe, une seconde fois", "new-password")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        policy = password_validation.password_validators_help_texts()
        self.fields["new_password"].help_text = " ".join(policy)
        self.live_rules = live_rules(self.user)

    def clean_new_password(self):
        password = self.cleaned_data["new_password"]
        password_validation.validate_password(password, self.user)
        return password

    def clean(self):
        cleaned = super().clean()
        first, again = cleaned.get("new_password"), cleaned.get("new_password_again")
        if first and again and first != again:
            self.add_error(
                "new_password_again",
                forms.ValidationError("Les deux saisies sont différentes.", code="mismatch"),
            )
        return cleaned


class ChangePasswordForm(CurrentPasswordForm, ChoosePasswordForm):
    field_order = ["current_password"]

    def clean_new_password(self):
        password = super().clean_new_password()
        if password == self.cleaned_data.get("current_password"):
            raise forms.ValidationError("C'est déjà votre mot de passe actuel.", code="same")
        return password
