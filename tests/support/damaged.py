"""Calls on damaged pages: they may fail, but only by saying that something is damaged."""


def count_errors(calls):
    """How many of the calls said so. A file that lies about its own pages may also break our expectations of it: Internal."""
    errors = 0
    for call in calls:
        try:
            call()
        except RuntimeError as error:
            assert str(error).startswith(("Corruption", "Internal")), error
            errors += 1
    return errors
