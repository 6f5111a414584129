// Signing in and out, and which view is shown.

import { Refused, list, session, whoAmI } from "./api.js";
import { fillIn, say } from "./text.js";
import { heading, option, paragraph, viewOf } from "./views.js";

const at = (id) => document.getElementById(id);

function explain(error) {
  if (!(error instanceof Refused)) return say("no-answer", { reason: error.message });
  if (error.status === 401) return say("expired");
  return error.status === 403 ? say("refused", { reason: error.message }) : say("no-answer", { reason: error.message });
}

function showSignIn(reason = "") {
  session.end();
  at("cluster").hidden = at("sign-out").hidden = true;
  at("view").replaceChildren();
  at("namespace").replaceChildren();
  at("user").textContent = "";
  at("sign-in").hidden = false;
  at("token").value = "";
  at("refused").textContent = reason;
  document.title = `${say("sign-in")} – f0 dashboard`;
  at("token").focus();
}

/** The namespaces to choose from; who may not list them has at least the one of the own ServiceAccount. */
async function offerNamespaces(user) {
  try {
    const names = (await list("api/v1", "namespaces")).map((one) => one.metadata.name);
    at("namespace").replaceChildren(option("", say("all")), ...names.map((name) => option(name, name)));
  } catch (error) {
    if (error.status !== 403) throw error;
    const own = user.match(/^system:serviceaccount:([^:]+):/)?.[1] ?? "default";
    at("namespace").replaceChildren(...new Set([own, "default"]).values().map((name) => option(name, name)));
  }
}

async function enter() {
  try {
    const user = await whoAmI();
    await offerNamespaces(user);
    at("user").textContent = say("user", { name: user });
  } catch (error) {
    showSignIn(explain(error));
    return;
  }
  at("sign-in").hidden = true;
  at("token").value = "";
  at("refused").textContent = "";
  at("cluster").hidden = at("sign-out").hidden = false;
  await show();
}

async function show() {
  if (!session.token) return;
  const asked = location.hash;
  const view = viewOf(asked, at("namespace").value);
  document.title = `${view.title} – f0 dashboard`;
  at("status").textContent = say("loading");
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#/${view.name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  let content;
  try {
    content = await view.content();
  } catch (error) {
    if (error.status === 401) return showSignIn(explain(error));
    content = [paragraph("problem", explain(error))];
  }
  if (location.hash !== asked || !session.token) return; // something else is wanted by now
  at("view").replaceChildren(heading(view.title), ...content);
  at("status").textContent = say("count", { what: view.title, number: at("view").querySelectorAll("tbody tr").length });
}

async function moveTo() {
  await show();
  at("view").focus({ preventScroll: true });
}

fillIn(document);
at("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = at("token").value.trim();
  if (!/^[\w.~+/=-]+$/.test(token)) return showSignIn(say("expired")); // no token at all: it could not even be sent
  session.begin(token);
  enter();
});
at("sign-out").addEventListener("click", () => {
  showSignIn();
  at("status").textContent = say("signed-out");
});
at("namespace").addEventListener("change", () => (location.hash.split("/").length > 2 ? (location.hash = "#/pods") : show()));
at("again").addEventListener("click", show);
addEventListener("hashchange", moveTo);
if (session.token) enter();
else showSignIn();
