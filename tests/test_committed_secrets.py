"""No key, token or password is among the files of the repository."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PATTERNS = {
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----\s+[A-Za-z0-9+/=:]{16}",
    "key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "token of GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50,})\b",
    "token of GitLab": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "token of Slack": r"\bxox[abprs]-[A-Za-z0-9-]{20,}",
    "key of Google": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "token of PyPI": r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "long secret": r"(?i:api_?key|access_?key|secret|token|passw(?:or)?d)[\"']?\s*[:=]\s*[\"']"
    r"(?=[^\"'\s]*[0-9])(?=[^\"'\s]*[a-z])[A-Za-z0-9+/_=.-]{32,}[\"']",
}

SECRETS = re.compile("|".join(f"({pattern})" for pattern in PATTERNS.values()))


def secrets_in(text):
    """What is found, as (line, what); the keys that AWS prints in its manual end in EXAMPLE."""
    names = list(PATTERNS)
    return [
        (text.count("\n", 0, one.start()) + 1, names[one.lastindex - 1])
        for one in SECRETS.finditer(text)
        if "EXAMPLE" not in one[0]
    ]


def test_no_tracked_file_holds_a_secret():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a checkout of git")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert len(files) > 500
    found = []
    for file in files:
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            if b"\0" not in content[:8192]:
                found += [(str(file.relative_to(ROOT)), *one) for one in secrets_in(content.decode(errors="replace"))]
    assert found == []


LETTERS = "abcdefghij0123456789ABCDEFGHIJ9876543210"
"""The examples are put together here, so that none stands in this file."""


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("private key", "-----BEGIN OPENSSH" + f" PRIVATE KEY-----\n{LETTERS}\n"),
        ("key of AWS", "AKIA" + "ABCDEFGHIJ012345"),
        ("token of GitHub", "ghp_" + LETTERS[:36]),
        ("token of GitLab", "glpat-" + LETTERS[:20]),
        ("token of Slack", "xoxb-" + LETTERS),
        ("key of Google", "AIza" + LETTERS[:35]),
        ("token of PyPI", "pypi-" + "AgEIcHlwaS5vcmc" + LETTERS * 2),
        ("JSON web token", f"eyJ{LETTERS}." + f"eyJ{LETTERS}.{LETTERS}"),
        ("long secret", 'api_key = "' + f'{LETTERS}"'),
        ("long secret", '{"password": "' + f'{LETTERS}"}}'),
    ],
)
def test_a_secret_is_found(what, text):
    assert secrets_in(f"one\n{text}\n") == [(2, what)]


@pytest.mark.parametrize(
    "text", ['api_key = {"from": "environment", "name": "IONQ_API_KEY"}', 'token = "short"', "password = given", "AKIA"]
)
def test_what_is_none_is_left_alone(text):
    assert secrets_in(text) == []
