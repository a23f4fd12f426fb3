from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_manage_agents"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                models.F("due_at"),
                condition=models.Q(
                    ("kind__in", ["one_time_password", "email_change"]), ("sent_at", None)
                ),
                name="mail_with_a_secret_waiting",
            ),
        ),
    ]
