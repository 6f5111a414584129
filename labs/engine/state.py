"""What a workspace remembers of its hosts."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Ports = dict[str, dict[str, int]]  # host → name of a published port ("ssh", "api" …) → port on loopback


class State(BaseModel):
    """The hosts of a workspace, from the moment they are being made until they are removed.

    Attributes:
        version: of this schema
        generation: another for every set of hosts: a result of earlier ones is told by it
        lab: the lab that the hosts are for
        phase: "starting" until they are at the lab's starting state, then "ready"; "removing" while they are removed
        provider: what made the hosts, and must remove them
        network: the lab network, a /24
        internet: whether the hosts may leave this machine
        checkpoint: whether the provider keeps the hosts' starting state
        ports: where the hosts' ports are on loopback
        hints: how many hints were shown, by `lab/objective`
        planted: the faults that are planted and not repaired, by lab, the last one last
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    version: Literal[1] = 1
    generation: str
    lab: str
    phase: Literal["starting", "ready", "removing"] = "starting"
    provider: str
    network: str
    internet: bool = False
    checkpoint: bool = False
    ports: Ports = {}
    hints: dict[str, int] = {}
    planted: dict[str, list[str]] = {}
