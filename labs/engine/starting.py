"""Bringing hosts up: what they are made from is provided, they are created, and waited for until all is ready."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network
from pathlib import Path

from labs.engine import doctor
from labs.engine.course.edition import load_edition
from labs.engine.course.lab_files import Needs
from labs.engine.course.topology import Topology, load_topology
from labs.engine.hosts import readiness
from labs.engine.hosts.docker.engine import Engine
from labs.engine.hosts.hosts import Hosts
from labs.engine.hosts.remote import Remote
from labs.engine.software.bundle import load_bundle
from labs.engine.software.software import Software
from labs.engine.terminal.progress import Tasks
from labs.engine.workspace import Workspace, cache_dir

UP_SECONDS = 180.0  # how long hosts and cluster may take; measured: 9 s idle, 20 s on a busy machine


class Start:
    """The start of a workspace's hosts: nothing of those that were there before is kept."""

    def __init__(self, workspace: Workspace, engine: Engine, tasks: Tasks) -> None:
        self._workspace, self._engine, self._tasks = workspace, engine, tasks

    def run(self, id: str, needs: Needs, provider: str | None, *, internet: bool, network: str | None) -> Topology:
        """Start hosts with what the lab `id` needs; return their topology once the cluster is ready.

        Raises:
            LabError: this machine lacks something, something can't be had, a host or the cluster did not come up.
        """
        chosen, repo = doctor.choose_provider(provider), self._workspace.repo
        topology = load_topology(repo, network).demanding(needs.roles)
        software = self._check_machine(topology.network, needs)
        images = software.provide(needs, topology, self._tasks)
        hosts = Hosts(self._workspace, topology, load_edition(repo), chosen, self._engine)
        if self._workspace.root.exists() or self._engine.containers() or self._engine.networks():
            with self._tasks.task("Removing the hosts as they were"):
                hosts.destroy()
        state = {"lab": id, "phase": "starting", "provider": chosen, "internet": internet}
        state |= {"network": str(topology.network), "images": images}
        self._workspace.write_state(state)
        try:
            with self._tasks.task(f"Starting {len(topology.hosts)} hosts"):
                ports = hosts.lay_out(images, software.archives([needs]), internet=internet)
                self._workspace.write_state({**state, "ports": ports})
                self._create(hosts, topology, images)
        except KeyboardInterrupt:
            hosts.destroy()
            raise
        return topology

    def _check_machine(self, network: IPv4Network, needs: Needs) -> Software:
        """Refuse what can't come to a good end, before anything is built or removed."""
        doctor.check_room()
        self._engine.check_network(network)
        software = Software(self._workspace.repo, cache_dir(), self._engine.client)
        if software.missing(needs) and os.environ.get("F0_BUNDLE"):
            load_bundle(self._workspace.repo, cache_dir(), Path(os.environ["F0_BUNDLE"]), self._tasks)
        return software

    def _create(self, hosts: Hosts, topology: Topology, images: Mapping[str, str]) -> None:
        ports = self._workspace.read_state()["ports"]
        cluster = readiness.Api.of(self._workspace, topology)
        with ThreadPoolExecutor(1) as pool, Remote(self._workspace) as remote:
            created = pool.submit(hosts.create, images, ports)

            def up() -> bool:
                self._engine.require_alive()  # what will never be ready need not be waited for
                return cluster.is_ready()

            try:
                ready = readiness.wait_until(up, UP_SECONDS, failed=[created])
                created.result()
            except KeyboardInterrupt:
                hosts.abandon()
                raise
            readiness.require(ready, self._workspace, topology, remote)
