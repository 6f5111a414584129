"""The trees that make hosts what they are: golden listings and texts, and which host has which keys."""

import base64
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from labs.engine.course.edition import load_edition
from labs.engine.course.topology import load_topology
from labs.engine.hosts.credentials import Password, Secrets, load_accounts
from labs.engine.hosts.host_trees import HostTrees
from labs.engine.hosts.pki import TEN_YEARS
from labs.engine.workspace import Workspace
from tests.engine.conftest import REPO, Golden

HOSTS = ("f0-11", "f0-12", "f0-13", "f0-14", "f0-15")
SECRETS = Secrets(
    ssh_public_key="ssh-ed25519 AAAA learner",
    passwords={name: Password(f"password-of-{name}", f"$2b$06$hash-of-{name}") for name in load_accounts(REPO)},
    encryption_key="a2V5",
)
RENDERED = (
    "f0-11/etc/hosts",
    "f0-11/etc/resolv.conf",
    "f0-11/etc/bind/db.frank.com",
    "f0-11/etc/bind/db.reverse",
    "f0-11/etc/bind/named.conf",
    "f0-11/etc/keepalived/keepalived.conf",
    "f0-11/etc/nginx/nginx.conf",
    "f0-12/etc/environment",
    "f0-12/etc/systemd/system/etcd.service",
    "f0-13/etc/cni/net.d/10-pods.conflist",
    "f0-13/etc/kubernetes/encryption.yaml",
    "f0-13/etc/kubernetes/kubelet.yaml",
    "f0-13/etc/kubernetes/kube-proxy.yaml",
    "f0-13/etc/systemd/system/kube-apiserver.service",
    "f0-13/etc/systemd/system/pod-nat.service",
    "f0-14/etc/systemd/system/pod-nat.service",
    "f0-15/etc/docker/registry/htpasswd",
    "f0-15/etc/nginx/nginx.conf",
    "f0-15/home/vagrant/.ssh/authorized_keys",
)
USAGES = {ExtendedKeyUsageOID.SERVER_AUTH: "server", ExtendedKeyUsageOID.CLIENT_AUTH: "client"}


def render(
    root: Path,
    network: str | None = None,
    proxy_mode: str = "iptables",
    roles: Collection[str] = (),
    *,
    internet: bool = False,
) -> Workspace:
    workspace = Workspace(REPO, root)
    topology = load_topology(REPO).in_network(network).with_optional_roles(roles)
    trees = HostTrees(REPO, workspace.hosts, topology, load_edition(REPO), SECRETS, proxy_mode)
    trees.write(42205, internet=internet)
    return workspace


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return render(tmp_path_factory.mktemp("labs"), "192.168.56.0/24")


@pytest.fixture(scope="module")
def ca(rendered: Workspace) -> x509.Certificate:
    return x509.load_pem_x509_certificate((rendered.root / "api/ca.pem").read_bytes())


def files(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file())


def describe(path: Path, tree: Path) -> str:
    if path.is_symlink():
        return f"link {path.relative_to(tree)} -> {path.readlink()}"
    return f"{stat.S_IMODE(path.stat().st_mode):04o} {path.relative_to(tree)}"


def certificates(folder: Path) -> Iterator[tuple[Path, x509.Certificate]]:
    for key in sorted(folder.rglob("*-key.pem")):
        place = key.with_name(key.name.replace("-key.pem", ".pem"))
        yield place, x509.load_pem_x509_certificate(place.read_bytes())


def verified(folder: Path, authority: x509.Certificate) -> int:
    """How many certificates there are; raises unless the authority has signed all of them."""
    issued = [certificate for _, certificate in certificates(folder)]
    for certificate in issued:
        certificate.verify_directly_issued_by(authority)
    return len(issued)


def describe_certificate(place: str, certificate: x509.Certificate) -> str:
    extensions = {type(extension.value): extension.value for extension in certificate.extensions}
    usages = ", ".join(USAGES[usage] for usage in extensions.get(x509.ExtendedKeyUsage, ())) or "authority"
    names = [name.value for name in extensions.get(x509.SubjectAlternativeName, ())]
    lines = [place, f"  {certificate.subject.rfc4514_string()} by {certificate.issuer.rfc4514_string()}", f"  {usages}"]
    return "\n".join([*lines, *(f"  {name}" for name in names)]) + "\n"


def enabled(workspace: Workspace, unit: str) -> list[Path]:
    return [path for path in files(workspace.hosts) if path.is_symlink() and path.name == unit]


def private_keys(tree: Path) -> set[bytes]:
    """The public halves of all private keys that a host holds, the ServiceAccounts' key left out."""
    keys: list[PublicKeyTypes] = [
        load_pem_private_key(path.read_bytes(), None).public_key()
        for path in tree.rglob("*-key.pem")
        if path.name != "service-account-key.pem"
    ]
    keys.append(load_ssh_private_key((tree / "etc/ssh/ssh_host_ed25519_key").read_bytes(), None).public_key())
    return {key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for key in keys}


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_has_these_files_with_these_modes(rendered: Workspace, golden: Golden, host: str) -> None:
    tree = rendered.hosts / host
    golden(f"trees/{host}.txt", "".join(f"{describe(path, tree)}\n" for path in files(tree)))


@pytest.mark.parametrize("file", RENDERED)
def test_a_file_has_this_text_on_its_host(rendered: Workspace, golden: Golden, file: str) -> None:
    golden(f"files/{file}", (rendered.hosts / file).read_text())


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_has_these_certificates(rendered: Workspace, golden: Golden, host: str) -> None:
    tree = rendered.hosts / host
    described = [describe_certificate(str(path.relative_to(tree)), issued) for path, issued in certificates(tree)]
    golden(f"certificates/{host}.txt", "".join(described))


def test_an_optional_role_is_written_to_its_hosts_for_labs_that_need_it(tmp_path: Path, rendered: Workspace) -> None:
    needed = render(tmp_path, roles=["zookeeper"])
    hosts = [path.parents[2].name for path in sorted(needed.hosts.glob("*/etc/tmpfiles.d/zookeeper.conf"))]
    assert hosts == ["f0-11", "f0-12", "f0-13"]
    assert list(rendered.hosts.glob("*/etc/tmpfiles.d/zookeeper.conf")) == []


def test_everyone_can_enter_folders(rendered: Workspace) -> None:
    folders = [path for path in rendered.hosts.rglob("*") if path.is_dir() and not path.is_symlink()]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o755}


def test_only_root_can_read_private_keys(rendered: Workspace) -> None:
    secret = [path for path in files(rendered.root) if not path.is_symlink() and b"PRIVATE KEY" in path.read_bytes()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}


def test_only_their_users_can_read_kubeconfigs_with_keys_in_them(rendered: Workspace) -> None:
    configs = [
        rendered.kubeconfig,
        *(path for path in files(rendered.hosts) if not path.is_symlink() and b"client-key-data" in path.read_bytes()),
    ]
    assert [(stat.S_IMODE(path.stat().st_mode), path.name) for path in configs] == [
        (0o600, "kubeconfig"),
        *[(0o600, "config")] * 4,
    ]


def test_no_two_hosts_hold_the_same_private_key(rendered: Workspace) -> None:
    held = [private_keys(rendered.hosts / host) for host in HOSTS]
    assert sum(len(keys) for keys in held) == len(set().union(*held))


@pytest.mark.parametrize("host", ["f0-13", "f0-14"])
def test_systemd_hides_the_key_of_secrets_at_rest(rendered: Workspace, host: str) -> None:
    rules = (rendered.hosts / host / "etc/tmpfiles.d/control-plane.conf").read_text()
    assert "z /etc/kubernetes/encryption.yaml 0600 root root" in rules


def test_control_planes_sign_service_accounts_with_one_key(rendered: Workspace) -> None:
    first, second = (
        (rendered.hosts / host / "etc/kubernetes/pki/service-account-key.pem").read_bytes()
        for host in ("f0-13", "f0-14")
    )
    assert first == second


def test_f0_15_alone_holds_an_authoritys_key(rendered: Workspace, ca: x509.Certificate) -> None:
    etcd_ca = x509.load_pem_x509_certificate((rendered.hosts / "f0-12/etc/etcd/pki/ca.pem").read_bytes())
    authorities = {
        authority.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo): name
        for name, authority in {"CA": ca, "etcd CA": etcd_ca}.items()
    }
    keys = [(host, authorities.get(key)) for host in HOSTS for key in private_keys(rendered.hosts / host)]
    assert [(host, name) for host, name in keys if name] == [("f0-15", "CA")]


def test_f0_15_can_log_in_to_the_proxies_and_nowhere_else(rendered: Workspace) -> None:
    ops = rendered.hosts / "f0-15"
    key = load_ssh_private_key((ops / "home/vagrant/.ssh/id_ed25519").read_bytes(), None).public_key()
    public = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    doors = {host: (rendered.hosts / host / "home/vagrant/.ssh/authorized_keys").read_text() for host in HOSTS}
    assert [host for host, door in doors.items() if public in door] == ["f0-11", "f0-12"]
    assert doors["f0-11"].splitlines()[1].startswith('from="192.168.56.15",restrict ssh-ed25519 ')
    known = (ops / "etc/ssh/ssh_known_hosts").read_text().splitlines()[1:]
    shown = [(rendered.hosts / host / "etc/ssh/ssh_host_ed25519_key.pub").read_text().strip() for host in HOSTS[:2]]
    assert [line.partition(" ")[2] for line in known] == shown


@pytest.mark.parametrize("host", HOSTS)
def test_every_key_fits_its_certificate(rendered: Workspace, host: str) -> None:
    pairs = list(certificates(rendered.hosts / host))
    keys = [place.with_name(f"{place.stem}-key.pem").read_bytes() for place, _ in pairs]
    assert [load_pem_private_key(key, None).public_key() for key in keys] == [
        issued.public_key() for _, issued in pairs
    ]


def test_certificates_of_etcd_are_signed_by_its_own_authority(rendered: Workspace, ca: x509.Certificate) -> None:
    tree = rendered.hosts / "f0-13"
    etcd_ca = x509.load_pem_x509_certificate((tree / "etc/etcd/pki/ca.pem").read_bytes())
    assert etcd_ca.public_key() != ca.public_key()
    assert (verified(tree / "etc/etcd", etcd_ca), verified(tree / "etc/kubernetes", ca)) == (2, 8)


@pytest.mark.parametrize("host", HOSTS)
def test_every_host_trusts_the_courses_authority(rendered: Workspace, ca: x509.Certificate, host: str) -> None:
    trusted = rendered.hosts / host / "usr/local/share/ca-certificates/f0-labs.crt"
    assert x509.load_pem_x509_certificate(trusted.read_bytes()) == ca


def test_certificates_last_ten_years(rendered: Workspace) -> None:
    lives = {issued.not_valid_after_utc - issued.not_valid_before_utc for _, issued in certificates(rendered.hosts)}
    assert {(life - TEN_YEARS).total_seconds() for life in lives} == {3600.0}


@pytest.mark.parametrize(
    ("file", "server"),
    [
        ("kubeconfig", "https://127.0.0.1:42205"),
        ("hosts/f0-13/root/.kube/config", "https://f0-api.frank.com:7443"),
        ("hosts/f0-14/home/vagrant/.kube/config", "https://f0-api.frank.com:7443"),
    ],
)
def test_a_kubeconfig_makes_an_administrator(rendered: Workspace, ca: x509.Certificate, file: str, server: str) -> None:
    config = yaml.safe_load((rendered.root / file).read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))
    certificate.verify_directly_issued_by(ca)
    key = load_pem_private_key(base64.b64decode(user["client-key-data"]), None)
    assert (cluster["server"], cluster["tls-server-name"]) == (server, "f0-api.frank.com")
    assert certificate.subject.rfc4514_string() == "CN=admin,O=system:masters"
    assert key.public_key() == certificate.public_key()


def test_addresses_follow_the_network(tmp_path: Path) -> None:
    workspace = render(tmp_path, "10.20.30.0/24")
    read = {path: path.read_bytes() for path in files(workspace.hosts) if not path.is_symlink()}
    assert [path for path, content in read.items() if b"192.168.56." in content] == []
    assert b"10.20.30.13 f0-13" in read[workspace.hosts / "f0-11/etc/hosts"]


def test_hosts_with_internet_do_not_enable_the_unit_that_keeps_them_in(tmp_path: Path, rendered: Workspace) -> None:
    render(tmp_path, internet=True)
    assert len(enabled(rendered, "no-way-out.service")) == len(HOSTS)
    assert enabled(Workspace(REPO, tmp_path), "no-way-out.service") == []


def test_kube_proxy_runs_in_the_mode_that_the_kernel_has(tmp_path: Path) -> None:
    workspace = render(tmp_path, proxy_mode="ipvs")
    assert "mode: ipvs" in (workspace.hosts / "f0-13/etc/kubernetes/kube-proxy.yaml").read_text()


def test_files_of_earlier_hosts_are_deleted(tmp_path: Path) -> None:
    stale = tmp_path / "hosts/f0-13/etc/flannel/subnet.env"
    stale.parent.mkdir(parents=True)
    stale.touch()
    render(tmp_path)
    assert not stale.exists()


def test_programs_on_this_machine_get_the_administrators_credentials(rendered: Workspace, ca: x509.Certificate) -> None:
    api = rendered.root / "api"
    admin = x509.load_pem_x509_certificate((api / "admin.pem").read_bytes())
    admin.verify_directly_issued_by(ca)
    assert admin.subject.rfc4514_string() == "CN=admin,O=system:masters"
    key = load_pem_private_key((api / "admin-key.pem").read_bytes(), None)
    assert key.public_key() == admin.public_key()
