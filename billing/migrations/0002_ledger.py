import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Sum


def complete_issued_invoices(apps, schema_editor):
    """The invoices issued so far were published at once, and due whole on their only date."""
    Invoice = apps.get_model("billing", "Invoice")
    Instalment = apps.get_model("billing", "Instalment")
    issued = Invoice.objects.filter(status="issued")
    issued.update(published_on=F("issued_on"), online_until=F("due_on"), counter_until=F("due_on"))
    totals = issued.annotate(total=Sum("lines__amount")).filter(total__gt=0)
    Instalment.objects.bulk_create(
        [
            Instalment(invoice=invoice, number=1, due_on=invoice.due_on, amount=round(invoice.total, 2))
            for invoice in totals.iterator()
        ],
        batch_size=500,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0013_mail_of_pieces'),
        ('billing', '0001_initial'),
        ('families', '0004_doubles_and_invitations'),
        ('students', '0006_closed_slot'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Instalment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(verbose_name='rang')),
                ('due_on', models.DateField(verbose_name="à payer jusqu'au")),
                ('amount', models.DecimalField(decimal_places=2, max_digits=10, verbose_name='montant (€)')),
            ],
            options={
                'verbose_name': 'échéance',
                'ordering': ['number'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoice_numbered_and_dated_iff_issued',
        ),
        migrations.RemoveConstraint(
            model_name='payment',
            name='payment_amount_positive',
        ),
        migrations.RemoveConstraint(
            model_name='payment',
            name='payment_means_known',
        ),
        migrations.AddField(
            model_name='invoice',
            name='counter_until',
            field=models.DateField(blank=True, help_text='Vide\xa0: la dernière échéance.', null=True, verbose_name="payable au guichet jusqu'au"),
        ),
        migrations.AddField(
            model_name='invoice',
            name='credits',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='billing.invoice', verbose_name='avoir sur'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='online_until',
            field=models.DateField(blank=True, help_text='Vide\xa0: la dernière échéance.', null=True, verbose_name="payable en ligne jusqu'au"),
        ),
        migrations.AddField(
            model_name='invoice',
            name='parts',
            field=models.PositiveSmallIntegerField(choices=[(1, '1\xa0fois'), (2, '2\xa0fois'), (3, '3\xa0fois'), (4, '4\xa0fois'), (6, '6\xa0fois')], default=1, help_text='Chaque mois à compter de la première échéance.', verbose_name='payable en'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='published_on',
            field=models.DateField(blank=True, help_text="Vide\xa0: le jour de l'émission.", null=True, verbose_name='visible à partir du'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='reason',
            field=models.CharField(blank=True, editable=False, max_length=200, verbose_name="motif de l'avoir"),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='kind',
            field=models.CharField(choices=[('file_fee', 'frais de dossier'), ('tuition', "droits d'inscription"), ('rental', "location d'instrument"), ('other', 'autre')], default='other', max_length=10, verbose_name='nature'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='student',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invoice_lines', to='students.student', verbose_name='élève'),
        ),
        migrations.AddField(
            model_name='payment',
            name='counterpart',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.payment', verbose_name='contrepartie'),
        ),
        migrations.AddField(
            model_name='payment',
            name='nature',
            field=models.CharField(choices=[('received', 'reçu'), ('refunded', 'remboursé'), ('bounced', 'rejeté'), ('carried', 'reporté')], default='received', max_length=10, verbose_name='nature'),
        ),
        migrations.AddField(
            model_name='payment',
            name='note',
            field=models.CharField(blank=True, max_length=200, verbose_name='note'),
        ),
        migrations.AddField(
            model_name='payment',
            name='reverses',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bounce', to='billing.payment', verbose_name='annule'),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='due_on',
            field=models.DateField(help_text="La première échéance, s'il y en a.", verbose_name="à payer jusqu'au"),
        ),
        migrations.AlterField(
            model_name='payment',
            name='amount',
            field=models.DecimalField(decimal_places=2, max_digits=10, verbose_name='montant (€)'),
        ),
        migrations.AlterField(
            model_name='payment',
            name='means',
            field=models.CharField(choices=[('card', 'carte bancaire'), ('cheque', 'chèque'), ('cash', 'espèces'), ('transfer', 'virement'), ('online', 'carte bancaire en ligne'), ('debit', 'prélèvement en ligne'), ('carried', 'report')], max_length=10, verbose_name='moyen'),
        ),
        migrations.AlterField(
            model_name='payment',
            name='paid_on',
            field=models.DateField(verbose_name='le'),
        ),
        migrations.AlterField(
            model_name='payment',
            name='recorded_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='saisi par'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('credits', None), ('reason', '')), models.Q(('credits__isnull', False), ('status', 'issued'), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='invoice_credit_note_says_why', violation_error_message='Un avoir est émis avec son motif.'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('parts__in', [1, 2, 3, 4, 6])), name='invoice_payable_in_known_parts', violation_error_message='Une facture se paie en 1, 2, 3, 4 ou 6 fois.'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['file_fee', 'tuition', 'rental', 'other'])), name='invoice_line_kind_known', violation_error_message='Nature de ligne inconnue.'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('nature', 'received')), models.Q(('amount__lt', 0), ('nature__in', ['refunded', 'bounced'])), models.Q(('means', 'carried'), ('nature', 'carried'), models.Q(('amount', 0), _negated=True)), _connector='OR'), name='payment_sign_follows_nature', violation_error_message="Un paiement est d'un montant positif."),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('means__in', ['card', 'cheque', 'cash', 'transfer', 'online', 'debit', 'carried'])), name='payment_means_known', violation_error_message='Moyen de paiement inconnu.'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('means__in', ['cheque', 'debit']), ('nature', 'bounced'), ('reverses__isnull', False)), models.Q(models.Q(('nature', 'bounced'), _negated=True), ('reverses', None)), _connector='OR'), name='payment_bounce_says_of_what', violation_error_message='Un rejet désigne le paiement rejeté.'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('recorded_by__isnull', False), models.Q(('means__in', ['online', 'debit']), ('nature', 'received')), _connector='OR'), name='payment_recorded_by_somebody_or_payfip', violation_error_message="Un paiement au guichet est saisi par quelqu'un."),
        ),
        migrations.AddField(
            model_name='instalment',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='instalments', to='billing.invoice', verbose_name='facture'),
        ),
        migrations.AddConstraint(
            model_name='instalment',
            constraint=models.UniqueConstraint(fields=('invoice', 'number'), name='instalment_one_per_invoice_and_number', violation_error_message='Cette échéance existe déjà.'),
        ),
        migrations.AddConstraint(
            model_name='instalment',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='instalment_amount_positive', violation_error_message="Une échéance est d'un montant positif."),
        ),
        migrations.RunPython(complete_issued_invoices, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('issued_on', None), ('number', None), ('status', 'draft'), ('year', None)), models.Q(('counter_until__isnull', False), ('issued_on__isnull', False), ('number__isnull', False), ('online_until__isnull', False), ('published_on__isnull', False), ('status', 'issued'), ('year__isnull', False), models.Q(('payer_name', ''), _negated=True)), _connector='OR'), name='invoice_numbered_and_dated_iff_issued', violation_error_message='Une facture émise a un numéro, ses dates et un payeur.'),
        ),
    ]
