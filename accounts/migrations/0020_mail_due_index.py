from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0019_mail_of_announcements")]

    operations = [
        migrations.RemoveIndex(model_name="mail", name="mail_waiting"),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                "due_at", "id", name="mail_due", condition=models.Q(("sent_at", None))
            ),
        ),
    ]
