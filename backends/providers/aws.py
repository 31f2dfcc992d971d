"""Errors of Amazon's web services become this toolkit's, at the border to them."""

from collections.abc import Iterator
from contextlib import contextmanager

from backends.border import border
from backends.providers.answers import busy, retry_after
from circuits.errors import LostJob, ProviderUnreachable, Refused

CREDENTIALS = (
    "AWS keeps credentials and the region in ~/.aws: run `aws configure`, or set AWS_PROFILE and AWS_DEFAULT_REGION"
)

FORBIDDEN = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}

BUSY = {"ThrottlingException", "TooManyRequestsException"}

AGAIN = {"InternalServiceException", "ServiceUnavailableException"}


@contextmanager
def aws(what: str, *, sending: bool = False) -> Iterator[None]:
    """Run what asks a service of Amazon.

    Args:
        what: Who is asked, as the beginning of a message.
        sending: Whether a job is sent, of which nobody knows where the answer is lost.

    Raises:
        Refused: without credentials, or if the service does not take the request.
        ProviderUnreachable: if nobody answered, and surely nothing was taken; `ProviderBusy` where the service said so.
        LostJob: if there is no such job, or if an answer was lost while one was sent.
        FailedJob: as `border`.
    """
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    silent = (exceptions.HTTPClientError, exceptions.ConnectionError)
    nobody = (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError)
    try:
        with border(what):
            yield
    except exceptions.ClientError as err:
        raise _answered(what, err, sending) from err
    except nobody as err:
        raise ProviderUnreachable(f"{what} cannot be reached: {err}") from err
    except silent as err:
        if sending:
            raise LostJob(f"{what} did not answer while it was sent a job: {err}") from err
        raise ProviderUnreachable(f"{what} did not answer: {err}") from err
    except (KeyError, ResponseParserError) as err:  # what botocore could not read, it hands on as an empty answer
        said = f"{what} gave half an answer, without {err}"
        raise LostJob(said) if sending else ProviderUnreachable(said) from err
    except exceptions.BotoCoreError as err:  # of this machine's configuration: no credentials, region, profile
        raise Refused(f"{what} cannot be asked: {err}; {CREDENTIALS}") from err


def _answered(what: str, err: Exception, sending: bool) -> Exception:
    response = getattr(err, "response", {})
    code = response.get("Error", {}).get("Code", "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = f"{what} says {code}: {response.get('Error', {}).get('Message', '')}".rstrip(": ")
    if code in BUSY:
        return busy(what, retry_after(response.get("ResponseMetadata", {}).get("HTTPHeaders")))
    if code in AGAIN or status >= 500:
        return LostJob(said) if sending else ProviderUnreachable(said)
    if code in FORBIDDEN:
        return Refused(f"{said}; {CREDENTIALS}")
    if code == "ResourceNotFoundException" and not sending:
        return LostJob(said)
    return Refused(said)
