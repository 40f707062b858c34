"""Handing a mail to whatever backend the settings name, with our own two errors.

SMTP and files raise ``OSError`` and its kin; the providers that django-anymail speaks to raise
errors of its own, with the provider's status.
"""

from smtplib import SMTPRecipientsRefused
from typing import Final

from anymail.exceptions import AnymailAPIError, AnymailError
from django.core.mail import EmailMessage

from analytics.errors import BadAnswer, Unavailable

FINAL_CODES: Final = range(500, 600)  # of SMTP: these are final, 4xx are not
TRY_AGAIN: Final = frozenset({408, 425, 429})


def send(message: EmailMessage) -> None:
    """Send ``message`` once.

    Raises:
        Unavailable: The server does not answer, or asks us to come back.
        BadAnswer: It refuses the recipient, the sender or the key, and will again.
    """
    try:
        message.send()
    except SMTPRecipientsRefused as error:
        codes = [code for code, _words in error.recipients.values()]
        said = f"mail: recipient refused ({', '.join(map(str, codes))})"
        if codes and all(code in FINAL_CODES for code in codes):
            raise BadAnswer(said) from error
        raise Unavailable(said) from error
    except AnymailAPIError as error:
        status = error.status_code
        said = f"mail: {type(error).__name__} {status or ''}".rstrip()
        if status is None or status in TRY_AGAIN or status >= 500:
            raise Unavailable(said) from error
        raise BadAnswer(said) from error
    except AnymailError as error:
        raise BadAnswer(f"mail: {type(error).__name__}") from error
    except OSError as error:  # smtplib's errors are OSErrors too
        raise Unavailable(f"mail: {type(error).__name__} {error}") from error
