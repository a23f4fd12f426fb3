class CompositionValidator:
    def __init__(self, min_length, max_length):
        pass
