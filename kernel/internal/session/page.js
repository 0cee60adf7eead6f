// gonb_comm: addresses that Go programs and the scripts of a notebook send values to
// and listen to. It talks to the kernel by a comm over a connection of its own, since
// what a cell shows cannot reach that of the page.
(() => {
  const kernel = "KERNEL", process = "PROCESS";
  const before = globalThis.gonb_comm;
  before?.close(1000, "replaced");

  // Where the Jupyter server is: JupyterLab and Notebook 7 say so in one place,
  // Notebook 6 in another.
  let config = {};
  try { config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}"); } catch { /* it is not theirs */ }
  const root = new URL(config.baseUrl ?? document.body.dataset.baseUrl ?? "/", location.href);
  const url = new URL(`${config.wsUrl || root.href.replace(/^http/, "ws")}`.replace(/\/*$/, "/") + `api/kernels/${kernel}/channels`);
  if (config.token) url.searchParams.set("token", config.token);

  // Pages that came by plain HTTP have no crypto.randomUUID.
  const uuid = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, "0")).join("");
  const session = uuid();
  url.searchParams.set("session_id", session);

  const socket = new WebSocket(url);
  const id = uuid();
  // Where the page was only too slow to answer, those who listen go on.
  const same = before?._process === process;
  const subscribers = same ? before._subscribers : new Map(); // address -> subscription -> function
  const variables = same ? before._variables : new Map();     // address -> variable
  let connect, fail;
  const connected = new Promise((resolve, reject) => { connect = resolve; fail = reject; });
  connected.catch(e => console.error("gonb_comm: the kernel cannot be reached, widgets do not work:", e));

  const post = (type, content) => socket.send(JSON.stringify({
    channel: "shell", parent_header: {}, metadata: {}, content: { comm_id: id, ...content }, buffers: [],
    header: { msg_id: uuid(), msg_type: type, session, username: "", version: "5.3", date: new Date().toISOString() },
  }));

  const comm = {
    debug: false,
    _kernel_id: kernel,
    _process: process,
    _subscribers: subscribers,
    _variables: variables,
    _is_connected: connected,

    // Sends a value, anything that JSON knows, to those in Go who listen to an address.
    send(address, value) {
      return connected.then(() => post("comm_msg", { data: { address, value } }),
        () => {}); // it was told
    },
    // Calls f(address, value) for each value that Go sends to an address.
    subscribe(address, f) {
      const subscription = Symbol(address);
      if (!subscribers.has(address)) subscribers.set(address, new Map());
      subscribers.get(address).set(subscription, f);
      return subscription;
    },
    unsubscribe(subscription) {
      subscribers.get(subscription.description)?.delete(subscription);
    },
    // A value at an address that both sides know and can set.
    newSyncedVariable(address, value) {
      let variable = variables.get(address);
      if (!variable) {
        variable = new SyncedVariable(address);
        variables.set(address, variable);
      }
      variable.set(value);
      return variable;
    },
    close(code, reason) {
      if (globalThis.gonb_comm === comm) delete globalThis.gonb_comm;
      fail(Error(reason));
      if (socket.readyState === WebSocket.OPEN) post("comm_close", { data: {} });
      socket.close(code, reason);
    },
  };

  class SyncedVariable {
    #address; #value = null; #subscribers = new Map();
    constructor(address) {
      this.#address = address;
      comm.subscribe(address, (_, value) => this.#take(value));
    }
    #take(value) {
      if (value === this.#value) return false;
      this.#value = value;
      for (const f of this.#subscribers.values()) f(value);
      return true;
    }
    get() { return this.#value; }
    set(value) { if (this.#take(value)) globalThis.gonb_comm?.send(this.#address, value); }
    subscribe(f) {
      const subscription = Symbol();
      this.#subscribers.set(subscription, f);
      return subscription;
    }
    unsubscribe(subscription) { this.#subscribers.delete(subscription); }
  }

  socket.onopen = () => post("comm_open", { target_name: "gonb_comm", data: {} });
  socket.onclose = () => comm.close(1000, "the connection was closed");
  socket.onerror = () => fail(Error("the connection failed"));
  socket.onmessage = event => {
    if (typeof event.data !== "string") return; // with buffers, which are not for us
    const { header, content } = JSON.parse(event.data);
    if (content?.comm_id !== id) return;
    if (header.msg_type === "comm_close") return comm.close(1000, "the kernel has closed it");
    if (header.msg_type !== "comm_msg") return;
    const { address, value, read_request } = content.data;
    if (comm.debug) console.log("gonb_comm:", address, value);
    if (address === "#comm_open_ack") return connect();
    if (address === "#heartbeat/ping") return comm.send("#heartbeat/pong", true);
    if (read_request) {
      const variable = variables.get(address);
      if (variable) comm.send(address, variable.get());
      return;
    }
    for (const f of [...(subscribers.get(address)?.values() ?? [])]) f(address, value);
  };
  globalThis.gonb_comm = comm;
})();
