// What is shown of the cluster. Everything that comes from it becomes text, never HTML.

import { list, log, pod } from "./api.js";
import { ago, say } from "./text.js";

/** An element with properties and children; a child that is no element becomes text. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function table(caption, columns, rows) {
  if (!rows.length) return make("p", { className: "quiet" }, say("nothing"));
  const head = columns.map((column) => make("th", { scope: "col" }, say(column)));
  const body = rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))));
  const whole = make("table", { ariaLabel: caption }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
  return make("div", { className: "scroll" }, whole);
}

const newestFirst = (one, other) => Date.parse(seen(other)) - Date.parse(seen(one));
const seen = (event) => event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;

function state(of) {
  if (of.metadata.deletionTimestamp) return "Terminating";
  const containers = of.status.containerStatuses ?? [];
  return containers.map((one) => one.state?.waiting?.reason).find(Boolean) ?? of.status.phase;
}

function stateCell(of) {
  const name = state(of);
  return make("span", { className: ["Running", "Succeeded"].includes(name) ? "" : "bad" }, name);
}

function ready(of) {
  const containers = of.status.containerStatuses ?? [];
  return `${containers.filter((one) => one.ready).length}/${of.spec.containers.length}`;
}

const restarts = (of) => String((of.status.containerStatuses ?? []).reduce((sum, one) => sum + one.restartCount, 0));

const KINDS = [
  ["apis/apps/v1", "deployments", "Deployment", (one) => [one.status.readyReplicas ?? 0, one.spec.replicas]],
  ["apis/apps/v1", "daemonsets", "DaemonSet", (one) => [one.status.numberReady, one.status.desiredNumberScheduled]],
  ["apis/apps/v1", "statefulsets", "StatefulSet", (one) => [one.status.readyReplicas ?? 0, one.spec.replicas]],
  ["apis/batch/v1", "jobs", "Job", (one) => [one.status.succeeded ?? 0, one.spec.completions ?? 1]],
];

async function workloads(namespace) {
  const found = await Promise.all(
    KINDS.map(async ([group, plural, kind, count]) =>
      (await list(group, plural, namespace)).map((one) => [
        kind, one.metadata.name, one.metadata.namespace, count(one).join("/"), ago(one.metadata.creationTimestamp),
      ]),
    ),
  );
  return [table(say("workloads"), ["kind", "name", "namespace", "ready", "age"], found.flat())];
}

async function pods(namespace) {
  const rows = (await list("api/v1", "pods", namespace)).map((one) => {
    const { name, namespace: within, creationTimestamp } = one.metadata;
    const link = make("a", { href: `#/pods/${encodeURIComponent(within)}/${encodeURIComponent(name)}` }, name);
    return [link, within, ready(one), stateCell(one), restarts(one), one.spec.nodeName ?? "–", ago(creationTimestamp)];
  });
  return [table(say("pods"), ["name", "namespace", "ready", "state", "restarts", "node", "age"], rows)];
}

function eventTable(events) {
  const rows = events.sort(newestFirst).map((one) => [
    ago(seen(one)), one.type ?? "–", `${one.involvedObject.kind} ${one.involvedObject.name}`, one.reason ?? "–", one.message ?? "",
  ]);
  return table(say("events"), ["last", "type", "object", "reason", "message"], rows);
}

const events = async (namespace) => [eventTable(await list("api/v1", "events", namespace))];

async function onePod(namespace, name) {
  const of = await pod(namespace, name);
  const output = make("pre", { tabIndex: 0, ariaLabel: say("log") });
  const choice = make("select", { id: "container" }, ...of.spec.containers.map((one) => make("option", {}, one.name)));
  const read = async () => {
    // A log that may not be read is no reason to show nothing of the pod.
    output.textContent = await log(namespace, name, choice.value).then(
      (text) => text || say("no-log"),
      (error) => say("refused", { reason: error.message }),
    );
    output.scrollTop = output.scrollHeight;
  };
  choice.addEventListener("change", read);
  const [happened] = await Promise.all([list("api/v1", "events", namespace, `involvedObject.name=${name}`), read()]);
  return [
    make("p", {}, make("a", { href: "#/pods" }, say("back"))),
    table(name, ["namespace", "ready", "state", "restarts", "node", "age"], [
      [namespace, ready(of), stateCell(of), restarts(of), of.spec.nodeName ?? "–", ago(of.metadata.creationTimestamp)],
    ]),
    make("h3", {}, say("log")),
    make("p", {}, make("label", { htmlFor: "container" }, say("container")), " ", choice),
    output,
    make("h3", {}, say("events")),
    eventTable(happened),
  ];
}

const VIEWS = { workloads, pods, events };

/** The view that an address (#/pods, #/pods/NAMESPACE/NAME) stands for: its name, its title, and what makes its content. */
export function viewOf(address, namespace) {
  const [name, within, one] = address.replace(/^#\//, "").split("/").map(decodeURIComponent);
  if (name === "pods" && one) return { name, title: say("pod", { name: one }), content: () => onePod(within, one) };
  const known = Object.hasOwn(VIEWS, name) ? name : "workloads";
  return { name: known, title: say(known), content: () => VIEWS[known](namespace) };
}

export const heading = (text) => make("h2", {}, text);
export const paragraph = (className, text) => make("p", { className }, text);
export const option = (value, text) => make("option", { value }, text);
