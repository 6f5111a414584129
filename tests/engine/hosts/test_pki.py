"""Certificates: their authority, names, usages and lifetime; and SSH keys."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key, load_ssh_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from labs.engine.hosts.pki import TEN_YEARS, Authority, CertificateRequest, Pair, ssh_key_pair

REQUEST = CertificateRequest(
    authority="ca",
    cn="system:node:f0-13",
    o="system:nodes",
    names=["f0-13", "f0-13.frank.com"],
    addresses=["192.168.56.13", "127.0.0.1"],
    usage=["server", "client"],
)


@pytest.fixture
def authority() -> Authority:
    return Authority("a CA")


@pytest.fixture
def issued(authority: Authority) -> x509.Certificate:
    return read(authority.issue(REQUEST))


def read(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate)


def test_the_subject_has_name_and_organisation(issued: x509.Certificate) -> None:
    names = issued.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    organisations = issued.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert [name.value for name in names] == ["system:node:f0-13"]
    assert [organisation.value for organisation in organisations] == ["system:nodes"]


def test_the_certificate_names_hosts_and_addresses(issued: x509.Certificate) -> None:
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["f0-13", "f0-13.frank.com"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("192.168.56.13"), ip_address("127.0.0.1")]


def test_a_certificate_without_names_lacks_the_extension(authority: Authority) -> None:
    certificate = read(authority.issue(REQUEST.model_copy(update={"names": [], "addresses": []})))
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (["server"], [ExtendedKeyUsageOID.SERVER_AUTH]),
        (["client"], [ExtendedKeyUsageOID.CLIENT_AUTH]),
        (["server", "client"], [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
    ],
)
def test_a_certificate_is_valid_for_its_usages_only(
    authority: Authority, usage: list[str], expected: list[x509.ObjectIdentifier]
) -> None:
    certificate = read(authority.issue(REQUEST.model_copy(update={"usage": usage})))
    assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == expected


def test_a_certificate_is_not_an_authority(issued: x509.Certificate) -> None:
    assert not issued.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not issued.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_an_authority_signs_certificates_but_no_other_authority(authority: Authority) -> None:
    constraints = read(authority.pair).extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)
    assert read(authority.pair).extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_certificates_last_ten_years_and_begin_before_now(issued: x509.Certificate) -> None:
    now = datetime.now(UTC)
    assert issued.not_valid_before_utc < now - timedelta(minutes=30)
    assert now + TEN_YEARS - timedelta(days=1) < issued.not_valid_after_utc <= now + TEN_YEARS


def test_a_certificate_is_signed_by_its_authority(authority: Authority, issued: x509.Certificate) -> None:
    issued.verify_directly_issued_by(read(authority.pair))


def test_another_authority_of_the_same_name_does_not_verify_it(issued: x509.Certificate) -> None:
    with pytest.raises(Exception, match=r"^$"):
        issued.verify_directly_issued_by(read(Authority("a CA").pair))


def test_the_key_fits_the_certificate(authority: Authority) -> None:
    pair = authority.issue(REQUEST)
    assert load_pem_private_key(pair.key, None).public_key() == read(pair).public_key()


def test_every_certificate_has_a_new_key(authority: Authority) -> None:
    assert authority.issue(REQUEST).key != authority.issue(REQUEST).key


def test_the_strictest_verifier_accepts_it(authority: Authority, issued: x509.Certificate) -> None:
    verifier = PolicyBuilder().store(Store([read(authority.pair)])).build_server_verifier(x509.DNSName("f0-13"))
    assert verifier.verify(issued, []) == [issued, read(authority.pair)]


def test_an_ssh_key_is_an_ed25519_pair() -> None:
    private, public = ssh_key_pair()
    assert public.startswith(b"ssh-ed25519 ")
    assert load_ssh_private_key(private, None).public_key() == load_ssh_public_key(public)
