"""Ed25519 signatures over contracts, and the keys for them."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from mixcon._files import write_whole
from mixcon.errors import ContractError

__all__ = ["private_key", "public_key", "public_pem", "sign", "verify"]

DEFAULT_KEY = Path.home() / ".config" / "mixcon" / "signing-key.pem"
DEFAULT_TRUST = DEFAULT_KEY.with_name("signing-key.pub.pem")


def private_key(path: Path = DEFAULT_KEY) -> Ed25519PrivateKey:
    """The signing key of a PEM file; a new one, readable by its owner alone, if there is none.

    The public half is kept beside it, as ``*.pub.pem``.

    Raises:
        ContractError: the file is no unencrypted Ed25519 private key.
    """
    if not path.exists():
        _create(path)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise ContractError(f"{path}: expected an Ed25519 private key, but got: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ContractError(
            f"{path}: expected an Ed25519 private key, but got {type(key).__name__}"
        )
    return key


def _create(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    write_whole(path.with_suffix(".pub.pem"), public_pem(key))


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """The public half of a key as PEM: what a server and a device are given to trust."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_key(path: Path = DEFAULT_TRUST) -> Ed25519PublicKey:
    """The trusted key of a PEM file.

    Raises:
        ContractError: no such file, or no Ed25519 public key.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except FileNotFoundError as error:
        raise ContractError(
            f"{path}: expected the public key of who exported the model, but there is none; pass "
            "the public-key.pem that mixcon export wrote, got from someone you trust, as --trust"
        ) from error
    except (ValueError, OSError) as error:
        raise ContractError(f"{path}: expected an Ed25519 public key, but got: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ContractError(f"{path}: expected an Ed25519 public key, but got {type(key).__name__}")
    return key


def sign(key: Ed25519PrivateKey, content: bytes) -> str:
    """The signature as Base64."""
    return b64encode(key.sign(content)).decode()


def verify(key: Ed25519PublicKey, content: bytes, signature: str) -> bool:
    """Whether `signature` is `key`'s, of exactly these bytes."""
    try:
        key.verify(b64decode(signature, validate=True), content)
    except (InvalidSignature, ValueError):
        return False
    return True
