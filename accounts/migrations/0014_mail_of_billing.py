from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0013_mail_of_pieces'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='mail',
            name='mail_kind_known',
        ),
        migrations.AlterField(
            model_name='mail',
            name='kind',
            field=models.CharField(choices=[('one_time_password', 'mot de passe provisoire'), ('acknowledgement', 'accusé de réception'), ('complement', 'demande de complément'), ('validated', 'réinscription validée'), ('refused', 'réinscription refusée'), ('withdrawn', 'demande retirée'), ('place_offered', 'place proposée'), ('place_accepted', 'place acceptée'), ('allotted', 'résultat de la répartition'), ('launch', 'lancement des réinscriptions'), ('piece_reminder', 'rappel des pièces'), ('payment_reminder', 'relance de paiement'), ('extension', 'prolongation des réinscriptions'), ('payment_receipt', "reçu d'un paiement en ligne"), ('invoice', 'facture émise'), ('data_export', 'copie de mes données'), ('erasure', "demande d'effacement"), ('invitation', 'invitation'), ('email_change', "confirmation d'une adresse e-mail"), ('email_change_asked', "demande de changement d'adresse"), ('email_changed', 'adresse e-mail changée')], max_length=30, verbose_name='genre'),
        ),
        migrations.AddConstraint(
            model_name='mail',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['one_time_password', 'acknowledgement', 'complement', 'validated', 'refused', 'withdrawn', 'place_offered', 'place_accepted', 'allotted', 'launch', 'piece_reminder', 'payment_reminder', 'extension', 'payment_receipt', 'invoice', 'data_export', 'erasure', 'invitation', 'email_change', 'email_change_asked', 'email_changed'])), name='mail_kind_known', violation_error_message='Genre de message inconnu.'),
        ),
    ]
