from django.contrib.auth.backends import ModelBackend


class PasswordOrOneTimePassword(ModelBackend):
    """stub"""
