// Questions to the cluster. The token is kept by this tab alone (sessionStorage) and sent in a header alone.

const KEY = "f0-token";

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const session = {
  begin: (token) => sessionStorage.setItem(KEY, token),
  end: () => sessionStorage.removeItem(KEY),
  get token() {
    return sessionStorage.getItem(KEY);
  },
};

async function ask(path, options = {}) {
  const answer = await fetch(`clusters/main/${path}`, {
    ...options,
    headers: { ...options.headers, Authorization: `Bearer ${session.token}` },
    cache: "no-store",
    credentials: "omit",
  });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, said.message ?? `${answer.status} ${answer.statusText}`.trim());
}

/** The name that the cluster knows the token's owner by. */
export async function whoAmI() {
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const answer = await ask("apis/authentication.k8s.io/v1/selfsubjectreviews", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(review),
  });
  return (await answer.json()).status.userInfo.username;
}

/** The objects of a kind, of one namespace or of all (""). */
export async function list(group, plural, namespace = "", selector = "") {
  const within = namespace ? `namespaces/${encodeURIComponent(namespace)}/` : "";
  const query = new URLSearchParams({ limit: "500", ...(selector && { fieldSelector: selector }) });
  return (await (await ask(`${group}/${within}${plural}?${query}`)).json()).items;
}

export async function pod(namespace, name) {
  return (await ask(`api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`)).json();
}

export async function log(namespace, name, container) {
  const query = new URLSearchParams({ container, tailLines: "200" });
  const path = `api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log?${query}`;
  return (await ask(path)).text();
}
