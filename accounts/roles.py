"""Who among the staff may do what: groups are code, written by `manage.py sync_roles`.

Families and teachers are no groups: Guardian.user and Teacher.user say it (docs/roles.md).
"""

from django.contrib.auth.models import Group, Permission
from django.db import transaction

SECRETARIAT = "Secrétariat"
REGIE = "Régie"
DIRECTION = "Direction"

# Permissions by name, so that no app on the right is imported.
_SECRETARIAT = [
    "accounts.view_establishment",
    "accounts.view_mail",
    "accounts.view_user",
    "accounts.unlock_user",
    "accounts.close_sessions_user",
    *[f"families.{verb}_{model}" for verb in ("view", "add", "change")
      for model in ("family", "guardian", "commune")],
    *[f"families.{verb}_erasurerequest" for verb in ("view", "add")],
    "families.manage_accounts",
    "families.merge_families",
    "families.view_merge",
    *[f"students.{verb}_{model}" for verb in ("view", "add", "change")
      for model in ("student", "custody", "teacher", "schoolyear", "discipline", "course",
                    "slot", "enrolment", "repertoirepiece")],
    "students.delete_custody",
    *[f"students.view_{model}" for model in ("waitingentry", "waitingmove")],
    *[f"teaching.{verb}_closure" for verb in ("view", "add", "change", "delete")],
    *[f"teaching.{verb}_timetablesettings" for verb in ("view", "add", "change")],
    "teaching.view_lesson",
    "teaching.view_lessonchange",
    "teaching.plan_lessons",
    "students.manage_waiting",
    *[f"{app}.{verb}_{model}" for verb in ("import", "export") for app, model in
      [("families", "family"), ("families", "guardian"), ("students", "student"),
       ("students", "custody"), ("students", "course"), ("students", "slot")]],
    *[f"documents.{verb}_{model}" for verb in ("view", "add", "change")
      for model in ("documenttype", "piecerule")],
    "documents.delete_piecerule",
    "documents.view_document",
    "documents.read_document",
    "documents.review_document",
    *[f"reenrolment.{verb}_{model}" for verb in ("view", "add", "change")
      for model in ("campaign", "terms", "earlyaccess")],
    "reenrolment.delete_earlyaccess",
    "reenrolment.view_needs",
    "reenrolment.launch_campaign",
    "reenrolment.remind_families",
    "reenrolment.run_allotment",
    "reenrolment.view_reenrolment",
    "reenrolment.decide_reenrolment",
    "reenrolment.assist_family",
    "reenrolment.view_assistedsession",
    *[f"billing.view_{model}" for model in ("instrument", "repair", "rental", "rentalmove")],
    *[f"teaching.{verb}_{model}" for verb in ("view", "add", "change")
      for model in ("period", "scale", "criterion")],
    *[f"teaching.{verb}_scalelevel" for verb in ("view", "add", "change", "delete")],
    *[f"teaching.{verb}_{model}" for verb in ("view", "add", "change", "delete")
      for model in ("concert", "concertturn", "concertperformer")],
    "teaching.publish_concert",
    "teaching.view_evaluation",
    "teaching.reopen_evaluation",
    *[f"teaching.{verb}_announcement" for verb in ("view", "add", "change", "send")],
    *[f"teaching.{verb}_lessontime" for verb in ("view", "add", "change")],
    "teaching.view_portraitsource",
    *[f"teaching.view_{model}"
      for model in ("register", "absence", "absencenotice", "registersettings")],
    "teaching.decide_absence",
    "teaching.export_absence",
]  # fmt: skip
_REGIE = [
    "families.view_family",
    *[f"billing.{verb}_{model}" for verb in ("view", "add", "change", "delete")
      for model in ("invoice", "invoiceline")],
    "billing.issue_invoice",
    "billing.view_invoicerun",
    "billing.add_invoicerun",
    *[f"billing.{verb}_{model}" for verb in ("view", "add", "change", "delete")
      for model in ("situation", "payershare")],
    "billing.view_payment",
    "billing.add_payment",
    *[f"billing.{verb}_{model}" for verb in ("view", "add", "change", "delete")
      for model in ("tariffcategory", "tariffgrid")],
    *[f"billing.{verb}_tariffrate" for verb in ("import", "export")],
    "billing.change_coursecategory",
    *[f"billing.{verb}_{model}" for verb in ("view", "add", "change")
      for model in ("instrumentkind", "instrument", "rentalterms")],
    *[f"billing.{verb}_instrument" for verb in ("import", "export", "rent")],
    *[f"billing.view_{model}" for model in ("repair", "rental", "rentalmove")],
    *[f"billing.view_{model}" for model in ("paymentattempt", "attemptmove", "payfipaccount")],
    "billing.settle_paymentattempt",
    "billing.close_day",
    "billing.remind_debtors",
    *[f"billing.{verb}_{model}" for verb in ("view", "add", "change")
      for model in ("regiesettings", "accountingcode")],
    "billing.delete_accountingcode",
    *[f"billing.{verb}_paymentplan" for verb in ("view", "add", "change")],
    "billing.view_paymentplanchoice",
    "billing.view_remindedinvoice",
]  # fmt: skip
# What its sites made by mistake may go; whatever serves is protected by the database. What is the
# town's (communes, years, disciplines, teachers, kinds of pieces) is the superuser's to delete.
_DIRECTION = [
    "accounts.change_establishment",
    "accounts.add_user",
    "accounts.change_user",
    "accounts.manage_agents",
    "accounts.view_listimport",
    "accounts.view_listexport",
    *[f"billing.{verb}_payfipaccount" for verb in ("add", "change")],
    "families.decide_erasurerequest",
    *[f"teaching.{verb}_portraitsource" for verb in ("add", "delete")],
    "billing.publish_tariffgrid",
    "reenrolment.publish_allotment",
    *[f"teaching.{verb}_registersettings" for verb in ("add", "change")],
    "billing.delete_instrument",
    *[f"families.delete_{model}" for model in ("family", "guardian")],
    *[f"students.delete_{model}" for model in ("student", "course", "slot", "repertoirepiece")],
]  # fmt: skip

ROLES = {
    SECRETARIAT: _SECRETARIAT,
    REGIE: _REGIE,
    DIRECTION: list(dict.fromkeys([*_SECRETARIAT, *_REGIE, *_DIRECTION])),
}


@transaction.atomic
def sync() -> None:
    """Gives each group exactly the permissions of ROLES; raises if one does not exist.

    A group that is no longer in ROLES keeps its members, to be read, and no permission.
    """
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for name, codes in ROLES.items():
        if missing := set(codes) - set(known):
            raise LookupError(f"Unknown permissions: {', '.join(sorted(missing))}")
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set([known[code] for code in codes])
    for former in Group.objects.exclude(name__in=ROLES):
        former.permissions.clear()
