"""Groups are code: what `manage.py sync_roles` writes, and takes back."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import roles
from accounts.models import User

pytestmark = pytest.mark.django_db


def codes(name):
    permissions = Group.objects.get(name=name).permissions.select_related("content_type")
    return sorted(f"{p.content_type.app_label}.{p.codename}" for p in permissions)


@pytest.mark.parametrize("name", roles.ROLES)
def test_group_has_exactly_its_permissions(name, capsys):
    call_command("sync_roles")

    assert codes(name) == sorted(roles.ROLES[name])
    assert capsys.readouterr().out == "Groupes à jour : Secrétariat, Régie, Direction.\n"


def test_permission_added_by_hand_is_taken_back():
    roles.sync()
    Group.objects.get(name=roles.REGIE).permissions.add(
        Permission.objects.get(codename="change_user")
    )

    roles.sync()

    assert codes(roles.REGIE) == sorted(roles.ROLES[roles.REGIE])


def test_permission_that_left_the_code_leaves_the_group(monkeypatch):
    roles.sync()
    monkeypatch.setitem(roles.ROLES, roles.REGIE, ["billing.view_invoice"])

    roles.sync()

    assert codes(roles.REGIE) == ["billing.view_invoice"]


def test_role_that_left_the_code_keeps_its_members_and_no_permission(monkeypatch, registrar):
    monkeypatch.delitem(roles.ROLES, roles.SECRETARIAT)

    roles.sync()

    assert codes(roles.SECRETARIAT) == []
    assert [group.name for group in registrar.groups.all()] == [roles.SECRETARIAT]


def test_a_second_time_writes_nothing():
    roles.sync()

    with CaptureQueriesContext(connection) as queries:
        roles.sync()

    writes = ("INSERT", "UPDATE", "DELETE")
    assert [query["sql"] for query in queries if query["sql"].startswith(writes)] == []


def test_unknown_permission_changes_nothing(monkeypatch):
    roles.sync()
    monkeypatch.setitem(roles.ROLES, roles.SECRETARIAT, ["accounts.view_mail"])
    monkeypatch.setitem(roles.ROLES, roles.REGIE, ["billing.view_invoice", "billing.fly"])

    with pytest.raises(LookupError, match=r"^Unknown permissions: billing\.fly$"):
        roles.sync()

    assert len(codes(roles.SECRETARIAT)) > 1


def test_the_direction_has_every_right_of_the_two_others():
    others = {*roles.ROLES[roles.SECRETARIAT], *roles.ROLES[roles.REGIE]}

    assert others < set(roles.ROLES[roles.DIRECTION])


@pytest.mark.parametrize("name", [roles.SECRETARIAT, roles.REGIE])
def test_the_direction_alone_may_change_accounts(name):
    on_users = {code for code in roles.ROLES[name] if code.endswith(("_user", "_agents"))}

    assert not [code for code in roles.ROLES[name] if code.startswith("accounts.change")]
    harmless = {"accounts.view_user", "accounts.unlock_user", "accounts.close_sessions_user"}
    assert on_users <= harmless


def test_who_is_no_agent_any_more_keeps_nothing_of_his_group(registrar):
    assert registrar.has_perm("reenrolment.assist_family")

    registrar.is_staff = False
    registrar.save(update_fields=["is_staff"])
    registrar = User.objects.get(pk=registrar.pk)  # without the permissions read so far

    assert not registrar.has_perm("reenrolment.assist_family")
    assert not registrar.has_module_perms("reenrolment")
