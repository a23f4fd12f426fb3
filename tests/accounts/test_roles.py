import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from accounts import roles

pytestmark = pytest.mark.django_db


def codes(name):
    permissions = Group.objects.get(name=name).permissions.select_related("content_type")
    return sorted(f"{p.content_type.app_label}.{p.codename}" for p in permissions)


@pytest.mark.parametrize("name", roles.ROLES)
def test_group_has_exactly_its_permissions(name, capsys):
    call_command("sync_roles")

    assert codes(name) == sorted(roles.ROLES[name])
    assert capsys.readouterr().out == "Groupes à jour : Secrétariat, Régie.\n"


def test_permission_added_by_hand_is_taken_back():
    roles.sync()
    Group.objects.get(name=roles.REGIE).permissions.add(
        Permission.objects.get(codename="change_user")
    )

    roles.sync()

    assert codes(roles.REGIE) == sorted(roles.ROLES[roles.REGIE])


def test_unknown_permission_changes_nothing(monkeypatch):
    roles.sync()
    monkeypatch.setitem(roles.ROLES, roles.SECRETARIAT, ["accounts.view_mail"])
    monkeypatch.setitem(roles.ROLES, roles.REGIE, ["billing.view_invoice", "billing.fly"])

    with pytest.raises(LookupError, match=r"^Unknown permissions: billing\.fly$"):
        roles.sync()

    assert len(codes(roles.SECRETARIAT)) > 1


@pytest.mark.parametrize("name", roles.ROLES)
def test_no_role_of_the_staff_may_change_accounts(name):
    on_users = {code for code in roles.ROLES[name] if code.endswith("_user")}

    assert not [code for code in roles.ROLES[name] if code.startswith("accounts.change")]
    harmless = {"accounts.view_user", "accounts.unlock_user", "accounts.close_sessions_user"}
    assert on_users <= harmless
