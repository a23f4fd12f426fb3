from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0017_mail_of_the_year")]

    operations = [
        migrations.RemoveIndex(model_name="mail", name="mail_waiting"),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                "due_at", "id", name="mail_due", condition=models.Q(("sent_at", None))
            ),
        ),
    ]
