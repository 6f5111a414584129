#!/usr/bin/env bash
# Makes this machine ready for f0 labs. Safe to run again at any time: what is there already is left alone.
set -euo pipefail

GO_MINOR=26 # Go 1.26: the oldest that compiles the components
PYTHON_MINOR=11
VAGRANT_OLDEST=2.3
INOTIFY_INSTANCES=1024 # five hosts use about 60 of them; the kernel's default is 128 for all programs of root

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LOG_DIR=${F0_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/f0-labs}/log
NEXT='.venv/bin/invoke lab.up flannel'
# Debian keeps dockerd, ip and iptables where an ordinary user's PATH does not look.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
SUDO=()
cd "$ROOT"

usage() {
    cat <<EOF
Usage: ./setup.sh [--help]

Makes this machine ready for f0 labs:
  1. installs what is missing, by apt-get on Debian and Ubuntu: a Docker engine, Vagrant $VAGRANT_OLDEST or newer, mmdebstrap,
     an SSH client, a C compiler with its static library, git, iptables, zstd, xz, Python's venv module;
  2. starts dockerd where there is no systemd and no engine answers;
  3. raises the kernel's limit of inotify instances to $INOTIFY_INSTANCES where it is lower (/etc/sysctl.d/80-f0-labs.conf);
  4. makes .venv from requirements.txt, every package checked against its hash;
  5. adds the Go toolchain to .venv where the system has none from 1.$GO_MINOR on.

It needs root or sudo for the first three only, and only when there is something to do. Packages come from where apt, pip
and uv of this machine are set to look. Logs are in $LOG_DIR.
Exit code: 0 ready, 2 something is left for you to do (the last lines say what).
EOF
}

say() { printf '%s\n' "$*"; }

# stop SENTENCE [WHAT-TO-DO]: ends with the reason, then what to do about it.
stop() {
    printf 'setup.sh: %s\n' "$1" >&2
    if [ $# -gt 1 ]; then printf '  %s\n' "${@:2}" >&2; fi
    exit 2
}

have() { command -v "$1" >/dev/null 2>&1; }

# logged NAME COMMAND...: runs it with its output in a log file, whose last lines are shown when it fails.
logged() {
    local log=$LOG_DIR/$1.log
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    tail -n 15 "$log" >&2
    say "  (all of it: $log)" >&2
    return 1
}

# become_root WHY: from here on "${SUDO[@]}" runs a command with root's rights.
become_root() {
    [ "$(id -u)" -ne 0 ] || return 0
    have sudo || stop "Root's rights are needed to $1, and there is no sudo." "Run ./setup.sh as root once, or ask who looks after this machine."
    SUDO=(sudo)
}

# --- the system -----------------------------------------------------------------------------------------------------

# system: debian (and all that come from it), fedora, macos or other
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

# The program that runs Python, new enough: the usual one first. It is run, not only looked for: version managers leave stubs.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c "import sys; sys.exit(sys.version_info < (3, $PYTHON_MINOR))" >/dev/null 2>&1; then
            say "$name"
            return
        fi
    done
}

# What is missing, one Debian package a line.
missing_packages() {
    if ! have docker; then say docker-cli; fi
    if ! have dockerd && ! engine_answers; then say docker.io; fi
    if ! have vagrant; then say vagrant; fi
    if ! have mmdebstrap; then say mmdebstrap; fi
    if ! have ssh || ! have ssh-keygen; then say openssh-client; fi
    if ! have gcc; then say gcc; fi
    # Flannel is linked statically: that takes libc's archive, which comes with the headers.
    if ! have gcc || [ ! -e "$(gcc -print-file-name=libc.a)" ]; then say libc6-dev; fi
    if ! have git; then say git; fi
    if ! have ip; then say iproute2; fi
    if ! have iptables; then say iptables; fi
    if ! have xz; then say xz-utils; fi
    if ! have zstd; then say zstd; fi
    if [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then say ca-certificates; fi
    # mmdebstrap checks Debian's signatures, on Ubuntu too; without root it maps user ids.
    if [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then say debian-archive-keyring; fi
    if [ "$(id -u)" -ne 0 ] && ! have newuidmap; then say uidmap; fi
    local python
    python=$(find_python)
    if [ -z "$python" ] || { ! have uv && ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; }; then say python3-venv; fi
}

candidate() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'; }

# Debian 13 and Ubuntu 24.04 have no Vagrant, older ones too old a one.
need_vagrant_by_hand() {
    stop "This system's own packages have no Vagrant $VAGRANT_OLDEST or newer${1:+ (only $1)}." \
        "Install Vagrant $VAGRANT_OLDEST or newer from its makers' site (HashiCorp describes it for Debian and Ubuntu under \"Install Vagrant\")," \
        'then run ./setup.sh again.'
}

check_vagrant_version() {
    local version
    # dpkg knows at once; Vagrant itself takes seconds to tell.
    version=$(dpkg-query -W -f '${Version}' vagrant 2>/dev/null) || return 0
    if dpkg --compare-versions "$version" lt "$VAGRANT_OLDEST"; then need_vagrant_by_hand "$version"; fi
}

install_packages() {
    local missing package packages=() version
    missing=$(missing_packages)
    if [ -z "$missing" ]; then
        check_vagrant_version
        say 'System packages: all there.'
        return
    fi
    become_root "install $(echo "$missing" | paste -sd ' ')"
    say 'System packages: asking apt what there is …'
    logged apt-update "${SUDO[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update ||
        say 'apt-get update had trouble; going on with the package lists there are.' >&2
    for package in $missing; do
        # Older releases have the docker command inside docker.io.
        if [ "$package" = docker-cli ] && [ -z "$(candidate docker-cli)" ]; then package=docker.io; fi
        version=$(candidate "$package")
        if [ "$package" = vagrant ] && { [ -z "$version" ] || dpkg --compare-versions "$version" lt "$VAGRANT_OLDEST"; }; then
            need_vagrant_by_hand "$version"
        fi
        [ -n "$version" ] || stop "apt has no package $package." 'Look at the apt sources of this machine (on Ubuntu, "universe" is needed).'
        case " ${packages[*]} " in *" $package "*) ;; *) packages+=("$package") ;; esac
    done
    say "System packages: installing ${packages[*]} (log: $LOG_DIR/apt-install.log) …"
    # No recommends: Vagrant's would bring libvirt and 370 packages.
    logged apt-install "${SUDO[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        install --no-install-recommends --no-remove "${packages[@]}" ||
        stop 'apt-get could not install them.' 'See the lines above; when they are put right, run ./setup.sh again.'
    hash -r
    check_vagrant_version
}

# Where there is no apt: the names of the programs that are missing.
missing_programs() {
    local program
    for program in docker vagrant ssh gcc git iptables ip; do
        if ! have "$program"; then say "$program"; fi
    done
    if have gcc && [ ! -e "$(gcc -print-file-name=libc.a)" ]; then say "libc.a"; fi
    if [ -z "$(find_python)" ]; then say "python3"; fi
}

check_programs() {
    local missing
    missing=$(missing_programs | paste -sd ' ' | sed 's/ /, /g')
    [ -n "$missing" ] || return 0
    if [ "$1" = fedora ]; then
        stop "Missing: $missing. On Fedora install them with" \
            'sudo dnf install moby-engine docker-cli vagrant gcc glibc-static git openssh-clients iptables-nft iproute zstd xz python3' \
            'sudo systemctl enable --now docker' 'then run ./setup.sh again.'
    fi
    stop "Missing: $missing. This script installs packages on Debian and Ubuntu only." \
        "Install a Docker engine, Vagrant $VAGRANT_OLDEST or newer, gcc with libc's static archive, git, an SSH client, iptables and Python 3.$PYTHON_MINOR or newer," \
        'then run ./setup.sh again.'
}

# --- the Docker engine ----------------------------------------------------------------------------------------------

join_docker_group() {
    local user
    user=$(id -un)
    become_root "let $user use Docker"
    "${SUDO[@]}" usermod -aG docker "$user" || stop "Could not add $user to the group docker."
    stop "$user is now in the group docker, which counts from the next login." \
        'Log out and in again (or run: newgrp docker), then run ./setup.sh again.'
}

start_dockerd() {
    local log=$LOG_DIR/dockerd.log deadline=$((SECONDS + 60)) pid
    become_root 'start dockerd'
    say "Docker engine: starting dockerd (log: $log) …"
    # A session of its own, so that closing this terminal does not end it; no descriptor of ours stays open in it.
    # shellcheck disable=SC2016
    pid=$("${SUDO[@]}" sh -c 'exec 9<&-; setsid dockerd >>"$0" 2>&1 </dev/null & echo $!' "$log")
    until engine_answers; do
        if reason_is_permission; then join_docker_group; fi
        # /proc, as kill -0 would need root's rights here.
        if [ ! -d "/proc/$pid" ] || [ $SECONDS -ge $deadline ]; then
            tail -n 15 "$log" >&2
            stop 'dockerd did not come up.' "The lines above are the end of its log: $log"
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
        say 'Docker engine: answers.'
        return
    fi
    if reason_is_permission; then join_docker_group; fi
    if [ -n "${DOCKER_HOST:-}" ]; then
        stop "No Docker engine answers at DOCKER_HOST=$DOCKER_HOST." 'Start it there, or unset DOCKER_HOST to use the engine of this machine.'
    fi
    if [ ! -d /run/systemd/system ]; then
        start_dockerd
        say 'Docker engine: answers.'
        return
    fi
    become_root 'start Docker'
    say 'Docker engine: starting its service …'
    "${SUDO[@]}" systemctl enable --now docker ||
        stop 'Docker does not start.' 'See why: sudo journalctl -u docker -n 50'
    if ! engine_answers; then
        if reason_is_permission; then join_docker_group; fi
        stop 'Docker was started but does not answer.' 'See why: docker info'
    fi
    say 'Docker engine: answers.'
}

# --- the kernel -----------------------------------------------------------------------------------------------------

# Without it the kubelets of a second set of hosts end with "too many open files".
raise_inotify_limit() {
    local limit=/proc/sys/fs/inotify/max_user_instances file=/etc/sysctl.d/80-f0-labs.conf
    [ "$(cat $limit 2>/dev/null || echo $INOTIFY_INSTANCES)" -lt $INOTIFY_INSTANCES ] || return 0
    become_root 'raise the limit of inotify instances'
    say "Kernel: raising the limit of inotify instances to $INOTIFY_INSTANCES ($file) …"
    echo "fs.inotify.max_user_instances = $INOTIFY_INSTANCES" | "${SUDO[@]}" tee "$file" >/dev/null &&
        echo $INOTIFY_INSTANCES | "${SUDO[@]}" tee $limit >/dev/null ||
        say 'It could not be raised: one set of hosts works, a second one may not.' >&2
}

# --- .venv ----------------------------------------------------------------------------------------------------------

# install_pinned FILE...: by uv if there, else (or if uv can't reach a package index) by pip; each set up as this machine has it.
install_pinned() {
    local file files=()
    for file in "$@"; do files+=(-r "$file"); done
    if have uv; then
        if logged uv uv pip install --quiet --python .venv/bin/python --require-hashes --only-binary :all: "${files[@]}"; then return; fi
        say 'uv could not install them; trying pip …' >&2
        .venv/bin/python -m ensurepip >/dev/null 2>&1 || true
    fi
    logged pip .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: "${files[@]}" ||
        stop "The Python packages of ${*} could not be installed." \
            'If the package index does not answer from here, set a mirror (pip config set global.index-url …, or UV_DEFAULT_INDEX for uv).'
}

make_venv() {
    local python version stamp
    python=$(find_python)
    [ -n "$python" ] || stop "Python 3.$PYTHON_MINOR or newer is needed; this system's python3 is $(python3 -V 2>&1 || echo 'not there')." \
        "Install one (its program must be called python3.$PYTHON_MINOR, python3.12 …), then run ./setup.sh again."
    version=$("$python" -c 'import platform; print(platform.python_version())')
    stamp="$version $(cksum <requirements.txt) $ROOT"
    if [ "$(cat .venv/f0-stamp 2>/dev/null)" = "$stamp" ] && .venv/bin/python -c '' 2>/dev/null; then
        say ".venv: up to date (Python $version)."
        return
    fi
    say ".venv: installing the Python packages (Python $version) …"
    # One of another Python, or moved here from another folder, is made anew; else it is brought up to date in place.
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
    [ "${minor:-0}" -ge $GO_MINOR ]
}

install_go() {
    if go_is_new_enough go; then
        say "Go: the system's own."
    elif go_is_new_enough .venv/bin/go; then
        say 'Go: in .venv.'
    else
        say 'Go: installing the toolchain into .venv …'
        install_pinned requirements-go.txt
        go_is_new_enough .venv/bin/go || stop 'The Go toolchain was installed into .venv but does not run.' 'See: .venv/bin/go version'
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
    mkdir -p "$LOG_DIR" || stop "Cannot write to $LOG_DIR."
    # One set-up at a time in one folder: the second waits, then finds all done.
    if have flock; then
        exec 9<setup.sh
        flock 9
    fi
    local system
    system=$(system)
    case $system in
        debian) install_packages ;;
        macos)
            stop 'On macOS the labs run in a Linux virtual machine: flannel and the hosts need a Linux kernel and compiler. Make one with' \
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

main "$@"
