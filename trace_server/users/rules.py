"""Passwords, one-time codes, and how long things last. No I/O but the random source.

Source: OWASP ASVS 5.0 chapters 6 and 7; RFC 6238 for the one-time codes.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import datetime, timedelta
from functools import cache

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from cryptography.fernet import Fernet, InvalidToken
from zxcvbn import zxcvbn

from trace_core.errors import ConfigError, InputError
from trace_server.users.model import Session, Stage

MIN_PASSWORD = 12
MAX_PASSWORD = 128
MIN_SCORE = 3
"""Of zxcvbn's 0 to 4: "safely unguessable: moderate protection from offline slow-hash scenario"."""
LOCAL_WORDS = ("suyuan", "溯源", "yancheng", "盐城", "jiangsu", "credit", "xinyong")
INVITATION_LIFE = timedelta(hours=24)
STAGE_LIFE = timedelta(minutes=10)
"""Between password and second factor."""
IDLE_LIFE = timedelta(minutes=30)
ABSOLUTE_LIFE = timedelta(hours=12)
CONFIRMATION_LIFE = timedelta(minutes=10)
"""How long a typed password counts for keys, publication and roles."""
SEEN_EVERY = timedelta(minutes=1)
"""How often a session's last use is written down."""
FAILURE_WINDOW = timedelta(minutes=15)
MAX_BY_ACCOUNT = 5
"""Wrong passwords for one account from one address in a window: others cannot lock its owner out."""
MAX_BY_ADDRESS = 50
TOTP_STEP_S = 30
ISSUER = "Suyuan"
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}\Z")
_hasher = PasswordHasher()  # RFC 9106, low-memory profile: argon2id, 64 MiB, 3 passes


def user_name(text: str) -> str:
    """What is typed at log-in, in lower case. Raises `InputError`."""
    name = text.strip().lower()
    if _NAME.match(name) is None:
        raise InputError("this is no user name", where="name", remedy="2 to 63 of a-z 0-9 . _ @ -, not starting with .")
    return name


def check_password(password: str, personal: tuple[str, ...]) -> None:
    """Raises `InputError` for a password that is short, long, common, or made of `personal` or local words."""
    if len(password) < MIN_PASSWORD:
        raise InputError("the password is too short", where="password", remedy=f"at least {MIN_PASSWORD} characters")
    if len(password) > MAX_PASSWORD:
        raise InputError("the password is too long", where="password", remedy=f"at most {MAX_PASSWORD} characters")
    # The estimator is slow on long texts, and 72 characters decide.
    if zxcvbn(password[:72], user_inputs=[*LOCAL_WORDS, *personal])["score"] < MIN_SCORE:
        raise InputError("the password is easy to guess", where="password", remedy="use several unrelated words")


def hash_password(password: str) -> str:
    """argon2id with its parameters and salt inside."""
    return _hasher.hash(password)


@cache
def _nobody() -> str:
    """Made when it is needed: it takes a tenth of a second, and every command imports this."""
    return hash_password("the password of an account that does not exist")


def is_password(password_hash: str, password: str) -> bool:
    """Takes the same time for an account that does not exist (`password_hash` "")."""
    try:
        _hasher.verify(password_hash or _nobody(), password[:MAX_PASSWORD])
    except (VerifyMismatchError, InvalidHashError):
        return False
    return bool(password_hash)


def new_token() -> str:
    """256 random bits for a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def counted(*parts: str) -> bytes:
    """Key of the failure table: says nothing of whom it counts."""
    return hashlib.sha256("\0".join(parts).encode()).digest()


def new_totp_secret() -> str:
    """160 bits in base 32, as authenticator apps want them."""
    return pyotp.random_base32()


def totp_uri(secret: str, name: str) -> str:
    """`otpauth://…` for the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now: datetime, used: int) -> int:
    """Time step that `code` belongs to, newer than `used`; one step of clock error either way. 0: none fits."""
    digits = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits, re.ASCII):
        return 0
    current = int(now.timestamp()) // TOTP_STEP_S
    totp = pyotp.TOTP(secret)
    for step in (current, current - 1, current + 1):
        if step > used and secrets.compare_digest(totp.generate_otp(step), digits):
            return step
    return 0


def seal(secret: str, key: bytes) -> str:
    """`secret` encrypted under 32 bytes of key."""
    return Fernet(base64.urlsafe_b64encode(key)).encrypt(secret.encode()).decode()


def unseal(sealed: str, key: bytes) -> str:
    """Raises `ConfigError` when the key is another one than it was sealed with."""
    try:
        return Fernet(base64.urlsafe_b64encode(key)).decrypt(sealed).decode()
    except InvalidToken as error:
        raise ConfigError(
            "a second factor cannot be read with this secret", where="code_secret", remedy="restore the oldest secret"
        ) from error


def is_alive(session: Session, now: datetime) -> bool:
    """Whether `session` still counts: by stage, by its last use, and by its age."""
    if session.stage is not Stage.FULL:
        return now - session.created_at < STAGE_LIFE
    return now - session.seen_at < IDLE_LIFE and now - session.created_at < ABSOLUTE_LIFE


def is_confirmed(session: Session, now: datetime) -> bool:
    """Whether the password was typed recently enough for a dangerous action."""
    return now - session.confirmed_at < CONFIRMATION_LIFE


def window_start(now: datetime) -> datetime:
    """Start of the failure window that `now` lies in."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + ((now - midnight) // FAILURE_WINDOW) * FAILURE_WINDOW
