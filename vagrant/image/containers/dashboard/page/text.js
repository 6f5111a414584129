// What the page says, in the language of the browser.

const WORDS = {
  en: {
    about:
      "A small page of the f0 labs. It stands in for Headlamp, the dashboard of the Kubernetes project, where that image " +
      "can't be had: the same paths, far fewer pictures. It can do what your token can, and nothing by itself.",
    again: "Refresh",
    age: "Age",
    all: "All namespaces",
    back: "Back to the pods",
    container: "Container",
    count: "{what}: {number}",
    events: "Events",
    expired: "This token is not accepted: it may be mistyped, or its time is over.",
    kind: "Kind",
    last: "Last seen",
    loading: "Loading …",
    log: "Log, its last 200 lines",
    message: "Message",
    name: "Name",
    namespace: "Namespace",
    "no-answer": "The dashboard gets no answer from the cluster ({reason}).",
    "no-log": "The log is empty.",
    node: "Node",
    nothing: "There is nothing here.",
    object: "Object",
    pod: "Pod {name}",
    pods: "Pods",
    ready: "Ready",
    reason: "Reason",
    refused: "Your token does not allow this: {reason}",
    restarts: "Restarts",
    "sign-in": "Sign in",
    "sign-in-help":
      "With a token of a ServiceAccount, as kubectl create token makes it. It stays in this tab, and goes nowhere but to the cluster.",
    "sign-in-title": "Sign in to the cluster",
    "sign-out": "Sign out",
    "signed-out": "Signed out.",
    state: "State",
    token: "Token",
    type: "Type",
    user: "Signed in as {name}",
    views: "What to look at",
    workloads: "Workloads",
  },
  zh: {
    about:
      "f0 labs 的一个小页面。在拿不到 Headlamp（Kubernetes 项目的仪表盘）镜像的地方，由它代替：路径一样，画面简单得多。你的令牌能做什么，它就能做什么；它自己什么也做不了。",
    again: "刷新",
    age: "存在时间",
    all: "所有命名空间",
    back: "返回 Pod 列表",
    container: "容器",
    count: "{what}：{number}",
    events: "事件",
    expired: "这个令牌不被接受：可能输错了，也可能已经过期。",
    kind: "类型",
    last: "最近一次",
    loading: "正在读取……",
    log: "日志（最后 200 行）",
    message: "内容",
    name: "名称",
    namespace: "命名空间",
    "no-answer": "仪表盘得不到集群的应答（{reason}）。",
    "no-log": "日志是空的。",
    node: "节点",
    nothing: "这里什么也没有。",
    object: "对象",
    pod: "Pod {name}",
    pods: "Pod",
    ready: "就绪",
    reason: "原因",
    refused: "你的令牌没有这个权限：{reason}",
    restarts: "重启次数",
    "sign-in": "登录",
    "sign-in-help": "使用 ServiceAccount 的令牌，由 kubectl create token 签发。令牌只留在这个标签页里，除了集群，不会发给任何人。",
    "sign-in-title": "登录集群",
    "sign-out": "退出",
    "signed-out": "已退出。",
    state: "状态",
    token: "令牌",
    type: "类别",
    user: "当前身份：{name}",
    views: "查看内容",
    workloads: "工作负载",
  },
};

export const language = navigator.language.startsWith("zh") ? "zh" : "en";

export function say(key, values = {}) {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** How long ago a moment was, in the largest unit that fits: 12 s, 5 min, 3 h, 2 d. */
export function ago(moment) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(moment)) / 1000));
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([length]) => seconds >= length) ?? [1, "s"];
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** Fill in all words that the HTML leaves open. */
export function fillIn(root) {
  root.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of root.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
}
