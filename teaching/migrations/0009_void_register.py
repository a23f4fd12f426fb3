from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Coalesce


def void_those_of_lessons_that_were_not(apps, schema_editor):
    """Nobody is told: whoever was written to about those days knows by now."""
    Register = apps.get_model("teaching", "Register")
    held = Coalesce("lesson__moved_on", "lesson__planned_on")
    registers = Register.objects.annotate(day=held)
    gone = registers.filter(Q(lesson__state="cancelled") | ~Q(day=F("held_on")))
    Register.objects.filter(pk__in=gone.values("pk")).update(void=True)


class Migration(migrations.Migration):
    dependencies = [("teaching", "0008_opening_hours")]

    operations = [
        migrations.AddField(
            model_name="register",
            name="void",
            field=models.BooleanField(
                default=False,
                help_text="La séance est annulée, ou a changé de jour\u00a0: personne n'était absent.",
                verbose_name="sans objet",
            ),
        ),
        migrations.RunPython(void_those_of_lessons_that_were_not, migrations.RunPython.noop),
    ]
