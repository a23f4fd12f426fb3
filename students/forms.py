from django import forms

from accounts.forms import EMAIL_INVALID
from families.merging import Edit, MergingForm
from families.phones import PhoneField
from students.models import Student


class IdentityForm(MergingForm, forms.ModelForm):
    """What a household corrects about its student; people.save_identity writes it."""

    class Meta:
        model = Student
        fields = ["email", "phone", "school", "school_class"]
        field_classes = {"phone": PhoneField}
        error_messages = {"email": {"invalid": EMAIL_INVALID}}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.show_what_was_seen()

    @property
    def student_edit(self) -> Edit:
        return self.edit(self.instance, self.Meta.fields)
