"""Certificate authorities, certificates and SSH keys (vagrant/certificates.yml): every set of hosts gets new ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import BaseModel, ConfigDict

TEN_YEARS = timedelta(days=3652)
_USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AuthoritySpec(_Model):
    """A certificate authority: its common name."""

    cn: str


class CertificateRequest(_Model):
    """What a certificate says, and which authority signs it."""

    authority: str
    cn: str
    o: str | None = None
    names: list[str] = []
    addresses: list[str] = []
    usage: list[Literal["server", "client"]]


class CertificateSpec(CertificateRequest):
    """A certificate for each host with `role`; a `shared` one is the same on all of them. Strings are templates."""

    role: str
    path: str
    shared: bool = False


class PkiSpec(_Model):
    """All of vagrant/certificates.yml. Paths are those on the host.

    Attributes:
        authorities: by name
        trust: role → authority → path of the authority's certificate
        authority_keys: role → authority → path of its certificate and key, as `CertificateSpec.path`: such a host can
            issue more
        admin: the cluster administrator's certificate
        kubeconfigs: role → paths of kubeconfigs with that certificate
        ssh_host_key: path of the private key of each host's SSH server; the public one is beside it (.pub)
        ssh_keys: role → path of the private key with which hosts of the role log in to others
        certificates: in the order in which they are issued
    """

    authorities: dict[str, AuthoritySpec]
    trust: dict[str, dict[str, str]]
    authority_keys: dict[str, dict[str, str]] = {}
    admin: CertificateRequest
    kubeconfigs: dict[str, list[str]] = {}
    ssh_host_key: str
    ssh_keys: dict[str, str] = {}
    certificates: list[CertificateSpec]


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


def ssh_key_pair() -> tuple[bytes, bytes]:
    """Return a fresh Ed25519 key in OpenSSH's formats: private, public."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return private, key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    ) + b"\n"


def _name(cn: str, o: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, cn)]
    if o:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, o))
    return x509.Name(parts)


def _pem(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ),
    )


class Authority:
    """A certificate authority with a fresh ECDSA P-256 key."""

    def __init__(self, cn: str) -> None:
        self.name = _name(cn)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def _builder(self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))  # a host's clock may be behind
            .not_valid_after(now + TEN_YEARS)
            # strict verifiers, such as Python's from 3.13 on, require both key identifiers
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )

    @cached_property
    def pair(self) -> Pair:
        """The authority's own certificate and key."""
        builder = self._builder(self.name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        return _pem(
            builder.add_extension(_key_usage(authority=True), critical=True).sign(self._key, hashes.SHA256()), self._key
        )

    def issue(self, request: CertificateRequest) -> Pair:
        """Return a new key and its certificate; the templates in `request` are already rendered."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            self._builder(_name(request.cn, request.o), key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([_USAGES[usage] for usage in request.usage]), critical=False)
        )
        names = list(_alternative_names(request))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return _pem(builder.sign(self._key, hashes.SHA256()), key)


def _alternative_names(request: CertificateRequest) -> Iterator[x509.GeneralName]:
    yield from (x509.DNSName(name) for name in request.names)
    yield from (x509.IPAddress(ip_address(address)) for address in request.addresses)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
