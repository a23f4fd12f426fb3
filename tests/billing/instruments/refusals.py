"""Reads what a service refuses."""

import pytest
from django.core.exceptions import ValidationError


def refusal_of(call, *args, **kwargs):
    """The code and the only sentence, whatever field it stands beside."""
    with pytest.raises(ValidationError) as refusal:
        call(*args, **kwargs)
    error = refusal.value
    if hasattr(error, "error_dict"):
        [[error]] = error.error_dict.values()
    return error.code, error.messages[0]
