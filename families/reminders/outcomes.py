"""What becomes of one household of a reminder, whatever it is about.

Each app's own enum holds these values with its words, and adds what is its own.
"""

TO_DO, SENT, FAILED = "to_do", "sent", "failed"
ALREADY = "already"  # it was reminded on that day
UNREACHABLE = "unreachable"  # no mail reaches one of its responsables
