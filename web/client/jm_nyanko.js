/*
 * The game's way to the shop and back. A classic script that sets `JmNyanko`, because a .jslib cannot import;
 * jm_nyanko.mjs exports the same for pages. jm_nyanko.d.ts says what everything means.
 *
 *   buy ──► POST /checkout ──► beforeRedirect ──► Stripe's page ──► back to the game ──► resume
 *                                                                                          │
 *   onNotice ◄── the item is in the inventory ◄── WebSocket, and polling where there is none ◄┘
 *
 * Nothing here decides that a payment succeeded: what the server says of a purchase is all there is.
 */
(() => {
  "use strict";

  const PURCHASES = "jm_nyanko.purchases";
  const SHOWN = "jm_nyanko.shown";

  const REQUEST_ATTEMPTS = 4;
  const REQUEST_TIMEOUT_MS = 35_000; // API Gateway gives up after 29 s
  const RETRY_MS = 1_000;
  const POLL_MS = { first: 500, last: 10_000, growth: 1.5 };
  const RECONNECT_MS = { first: 500, last: 30_000, growth: 2 };
  const PING_MS = 4 * 60_000; // API Gateway closes what is idle for 10 minutes
  const PONG_MS = 10_000;
  const STORED_MS = 100;
  const KEPT_SHOWN = 500;
  const KEPT_SECONDS = 60 * 24 * 3600; // the latest that a konbini voucher can be paid

  const WORTH_RETRYING = new Set([429, 502, 503, 504]);
  const FAILED = new Set(["expired", "failed"]);
  const UNDECIDED = new Set(["created", "pending", "paid"]);
  const TAKEN_BACK = new Set(["refunded", "disputed"]);

  class NyankoError extends Error {
    constructor(code, message, { status = 0, figures = {}, cause } = {}) {
      super(message, { cause });
      this.name = "NyankoError";
      this.code = code;
      this.status = status;
      this.figures = figures;
    }
  }

  class Client {
    #apiUrl;
    #signIn;
    #on;
    #storage;
    #patience;
    #token = null;
    #refused = false;
    #signingIn = null;
    #wakers = new Set();
    #newest = "";
    #realtime = null;

    constructor({
      apiUrl,
      signIn,
      onNotice = () => {},
      onInventory = () => {},
      onPurchase = () => {},
      onConnection = () => {},
      onError = (error) => console.error(error),
      storage = browserStorage(),
      patienceSeconds = 60,
    }) {
      if (typeof apiUrl !== "string" || typeof signIn !== "function") {
        throw new NyankoError("InvalidRequest", "a client needs an apiUrl and a signIn function");
      }
      this.#apiUrl = apiUrl.replace(/\/+$/, "");
      this.#signIn = signIn;
      this.#on = {
        notice: onNotice,
        inventory: onInventory,
        purchase: onPurchase,
        connection: onConnection,
        error: onError,
      };
      this.#storage = new Storage(storage);
      this.#patience = patienceSeconds * 1000;
    }

    // The shop

    async products() {
      return (await this.#request("GET", "/products", { anonymous: true })).products;
    }

    me() {
      return this.#request("GET", "/me");
    }

    purchase(purchaseId) {
      return this.#request("GET", `/purchases/${encodeURIComponent(purchaseId)}`);
    }

    purchases({ limit = 20, cursor } = {}) {
      const query = new URLSearchParams({ limit, ...(cursor && { cursor }) });
      return this.#request("GET", `/purchases?${query}`);
    }

    async buy(productId, quantity = 1, { mode = "redirect", beforeRedirect = () => {} } = {}) {
      // A tab can only be opened inside the click, which is over once the server has answered.
      const tab = mode === "tab" ? globalThis.open("about:blank", "_blank") : null;
      try {
        const order = await this.#request("POST", "/checkout", {
          body: { product_id: productId, quantity },
          headers: { "Idempotency-Key": randomId() },
        });
        const inTab = tab !== null && !tab.closed;
        this.#storage.remember(order, inTab ? "tab" : "redirect");
        try {
          await beforeRedirect(order);
        } catch (error) {
          this.#storage.markSettled(order.purchase_id);
          throw error;
        }
        if (inTab && !tab.closed) {
          tab.opener = null;
          tab.location.replace(order.url);
        } else {
          globalThis.location.assign(order.url);
        }
        return { ...order, mode: inTab ? "tab" : "redirect" };
      } catch (error) {
        tab?.close();
        throw error;
      }
    }

    async resume() {
      const returned = takeReturn();
      const underway = new Set(this.#storage.underway());
      if (returned) underway.add(returned.purchase_id);
      return Promise.all(
        [...underway].map((purchaseId) => {
          const ours = returned?.purchase_id === purchaseId ? returned : null;
          return this.#settle(purchaseId, {
            returned: ours !== null,
            canceled: ours?.canceled ?? false,
            patience: ours && !ours.canceled ? this.#patience : 0,
          });
        }),
      );
    }

    outcome(purchaseId, { patienceSeconds = this.#patience / 1000 } = {}) {
      return this.#settle(purchaseId, { returned: false, canceled: false, patience: patienceSeconds * 1000 });
    }

    // The player's things

    async inventory() {
      return (await this.#request("GET", "/inventory")).items;
    }

    spend(itemId, count = 1, spendId = randomId()) {
      return this.#request("POST", `/inventory/${encodeURIComponent(itemId)}/spend`, {
        body: { spend_id: spendId, count },
      });
    }

    async notices() {
      return (await this.#request("GET", "/notices")).notices;
    }

    acknowledge(noticeId) {
      return this.#request("POST", `/notices/${encodeURIComponent(noticeId)}/ack`);
    }

    // Live

    connect() {
      this.#realtime ??= new Realtime({
        ticket: () => this.#request("POST", "/realtime/ticket"),
        onNotice: (notice) => this.#hear(notice),
        onConnection: (state) => this.#tell("connection", state),
        onError: (error) => this.#tell("error", error),
        onMissed: () => this.#catchUp(),
      });
    }

    disconnect() {
      this.#realtime?.close();
      this.#realtime = null;
    }

    async #settle(purchaseId, { returned, canceled, patience }) {
      const mode = this.#storage.mode(purchaseId);
      const end = Date.now() + patience;
      for (const pause of backoff(POLL_MS)) {
        let purchase;
        try {
          purchase = await this.purchase(purchaseId);
        } catch (error) {
          if (error.code === "NotFound") {
            // Another player's, who may come back to this browser.
            return { purchase_id: purchaseId, state: "unknown", purchase: null, mode, returned };
          }
          throw error;
        }
        const state = stateOf(purchase, { canceled });
        const decided = state !== "pending" || purchase.status === "pending";
        if (decided || Date.now() >= end) {
          if (state !== "pending") this.#storage.markSettled(purchaseId);
          this.#tell("purchase", purchase);
          return { purchase_id: purchaseId, state, purchase, mode, returned };
        }
        await this.#news(Math.min(pause, Math.max(end - Date.now(), 0)));
      }
    }

    // Returns when something has happened to a purchase, or after so long.
    #news(milliseconds) {
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#wakers.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, milliseconds);
        this.#wakers.add(wake);
      });
    }

    // Tells the game of a notice unless another tab did; once this returns it may be acknowledged.
    async #hear(notice) {
      // Ids sort by time: what an older notice shows of the purchase and the inventory is no news.
      if (notice.notice_id >= this.#newest) {
        this.#newest = notice.notice_id;
        if (notice.purchase) this.#tell("purchase", notice.purchase);
        await this.#freshInventory(notice);
      }
      for (const wake of [...this.#wakers]) wake();
      await visible();
      return exclusively(`${SHOWN}.${notice.notice_id}`, async () => {
        if (!this.#storage.wasShown(notice.notice_id)) {
          this.#on.notice(notice);
          this.#storage.markShown(notice.notice_id);
          // Other tabs see what is stored a moment later, and the next of them looks as soon as this one is done.
          await new Promise((resolve) => setTimeout(resolve, STORED_MS));
        }
      });
    }

    async #freshInventory({ inventory }) {
      try {
        this.#tell("inventory", inventory?.items ?? (await this.inventory()));
      } catch (error) {
        this.#tell("error", error);
      }
    }

    // What the socket would have told, for networks that let no socket through.
    async #catchUp() {
      for (const notice of await this.notices()) {
        await this.#hear(notice);
        await this.acknowledge(notice.notice_id);
      }
    }

    #tell(kind, ...values) {
      try {
        this.#on[kind](...values);
      } catch (error) {
        console.error(error);
      }
    }

    // HTTP

    async #request(method, path, { body, headers = {}, anonymous = false } = {}) {
      let refusals = 0;
      for (let attempt = 1; ; attempt++) {
        const token = anonymous ? null : await this.#currentToken();
        try {
          return await this.#send(method, path, body, {
            ...headers,
            ...(body && { "Content-Type": "application/json" }),
            ...(token && { Authorization: `Bearer ${token}` }),
          });
        } catch (error) {
          if (error.status === 401 && !anonymous && ++refusals === 1) {
            if (this.#token === token) {
              this.#token = null;
              this.#refused = true;
            }
            continue;
          }
          const retry = error.code === "Unreachable" || WORTH_RETRYING.has(error.status);
          if (!retry || attempt >= REQUEST_ATTEMPTS) throw error;
          await sleep(error.retryAfter ?? RETRY_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
        }
      }
    }

    async #send(method, path, body, headers) {
      let response;
      let answer;
      try {
        response = await fetch(this.#apiUrl + path, {
          method,
          headers,
          body: body && JSON.stringify(body),
          signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        });
        answer = await response.text();
      } catch (cause) {
        throw new NyankoError("Unreachable", "the server cannot be reached", { cause });
      }
      const json = parse(answer);
      if (response.ok && json) return json;
      const { code = "Unreadable", message = `answered ${response.status}`, ...figures } = json?.error ?? {};
      const error = new NyankoError(code, message, { status: response.status, figures });
      const seconds = Number(response.headers.get("Retry-After"));
      if (seconds > 0) error.retryAfter = seconds * 1000;
      throw error;
    }

    // However many calls need a token, the player is asked once.
    async #currentToken() {
      if (this.#token) return this.#token;
      this.#signingIn ??= this.#askForToken().finally(() => {
        this.#signingIn = null;
      });
      return this.#signingIn;
    }

    async #askForToken() {
      let token;
      let cause;
      try {
        token = await this.#signIn({ refused: this.#refused });
      } catch (error) {
        cause = error;
      }
      if (typeof token !== "string" || token === "") {
        throw new NyankoError("NotSignedIn", "nobody is signed in", { status: 401, cause });
      }
      this.#token = token;
      this.#refused = false;
      return token;
    }
  }

  // One socket at a time, for as long as it is wanted.
  class Realtime {
    #options;
    #socket = null;
    #wanted = true;
    #welcomed = false;
    #pauses = backoff(RECONNECT_MS);
    #timer;
    #pong;

    constructor(options) {
      this.#options = options;
      this.retryNow = this.retryNow.bind(this);
      globalThis.addEventListener("online", this.retryNow);
      this.#open();
    }

    close() {
      this.#wanted = false;
      globalThis.removeEventListener("online", this.retryNow);
      clearTimeout(this.#timer);
      clearTimeout(this.#pong);
      this.#socket?.close(1000);
    }

    retryNow() {
      if (this.#wanted && this.#socket === null && this.#timer) {
        clearTimeout(this.#timer);
        this.#open();
      }
    }

    async #open() {
      this.#timer = undefined;
      this.#options.onConnection("connecting");
      let socket;
      try {
        const { url, ticket } = await this.#options.ticket();
        if (!this.#wanted) return;
        socket = new WebSocket(`${url}?ticket=${encodeURIComponent(ticket)}`);
      } catch (error) {
        if (!this.#wanted) return;
        this.#options.onConnection("closed");
        this.#options.onError(error);
        if (error.status !== 401) this.#retry();
        return;
      }
      this.#socket = socket;
      this.#welcomed = false;
      socket.onopen = () => {
        this.#say({ type: "hello" });
        this.#schedulePing();
      };
      socket.onmessage = ({ data }) => this.#hear(parse(data));
      socket.onclose = () => {
        this.#socket = null;
        clearTimeout(this.#timer);
        clearTimeout(this.#pong);
        if (!this.#wanted) return;
        this.#options.onConnection("closed");
        if (!this.#welcomed) this.#options.onMissed().catch(this.#options.onError);
        this.#retry();
      };
    }

    #retry() {
      if (this.#wanted) this.#timer = setTimeout(() => this.#open(), this.#pauses.next().value);
    }

    #say(message) {
      if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
    }

    #schedulePing() {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.#say({ type: "ping" });
        // A network that vanished closes nothing by itself.
        this.#pong = setTimeout(() => this.#socket?.close(), PONG_MS);
      }, PING_MS);
    }

    async #hear(told) {
      switch (told?.type) {
        case "purchase.updated":
          try {
            await this.#options.onNotice(told);
            this.#say({ type: "ack", notice_id: told.notice_id });
          } catch (error) {
            this.#options.onError(error);
          }
          break;
        case "welcome":
          this.#welcomed = true;
          this.#pauses = backoff(RECONNECT_MS);
          this.#options.onConnection("open");
          if (told.more) this.#say({ type: "hello" });
          break;
        case "pong":
          clearTimeout(this.#pong);
          this.#schedulePing();
          break;
        case "error":
          this.#options.onError(new NyankoError(told.error.code, told.error.message));
      }
    }
  }

  // What this browser remembers: purchases on their way, and which notices the player saw.
  class Storage {
    #store;
    #memory = new Map();

    constructor(store) {
      this.#store = store;
    }

    // Whose outcome no tab has seen yet.
    underway() {
      return Object.entries(this.#purchases())
        .filter(([, { settled }]) => !settled)
        .map(([purchaseId]) => purchaseId);
    }

    mode(purchaseId) {
      return this.#purchases()[purchaseId]?.mode ?? "redirect";
    }

    remember({ purchase_id, expires_at }, mode) {
      this.#keep(purchase_id, { mode, settled: false, forget_at: expires_at + KEPT_SECONDS });
    }

    // It is still known: the tab of the payment may come back after the game's own saw the outcome.
    markSettled(purchaseId) {
      const known = this.#purchases()[purchaseId];
      if (known) this.#keep(purchaseId, { ...known, settled: true });
    }

    #purchases() {
      const now = Date.now() / 1000;
      const known = Object.entries(this.#read(PURCHASES, {})).filter(([, one]) => one.forget_at > now);
      return Object.fromEntries(known);
    }

    #keep(purchaseId, purchase) {
      this.#write(PURCHASES, { ...this.#purchases(), [purchaseId]: purchase });
    }

    wasShown(noticeId) {
      return this.#read(SHOWN, []).includes(noticeId);
    }

    markShown(noticeId) {
      this.#write(SHOWN, [...this.#read(SHOWN, []), noticeId].slice(-KEPT_SHOWN));
    }

    #read(key, otherwise) {
      return parse(this.#store?.getItem(key) ?? this.#memory.get(key)) ?? otherwise;
    }

    // A full or forbidden storage costs comfort, not items: the server knows the purchases.
    #write(key, value) {
      const text = JSON.stringify(value);
      this.#memory.set(key, text);
      try {
        this.#store?.setItem(key, text);
      } catch {
        this.#store = null;
      }
    }
  }

  // The one word that a game needs; anything but "granted" gives nothing to the player.
  function stateOf(purchase, { canceled }) {
    if (FAILED.has(purchase.status)) return "failed";
    if (canceled && purchase.status === "created") return "canceled";
    if (TAKEN_BACK.has(purchase.status)) return "taken_back";
    return UNDECIDED.has(purchase.status) ? "pending" : "granted";
  }

  // Where Stripe's page sent the player back to; the address is cleaned, so that a reload is no return.
  function takeReturn() {
    const url = new URL(globalThis.location.href);
    const purchaseId = url.searchParams.get("purchase_id");
    if (!purchaseId) return null;
    const canceled = url.searchParams.has("canceled");
    for (const name of ["purchase_id", "session_id", "canceled"]) url.searchParams.delete(name);
    globalThis.history.replaceState(globalThis.history.state, "", url);
    return { purchase_id: purchaseId, canceled };
  }

  // A browser may forbid even to look for it, as in a frame of another site.
  function browserStorage() {
    try {
      return globalThis.localStorage;
    } catch {
      return null;
    }
  }

  function* backoff({ first, last, growth }) {
    for (let pause = first; ; pause = Math.min(pause * growth, last)) {
      yield pause * (0.5 + Math.random() / 2);
    }
  }

  // Tabs of one browser take turns; where there are no locks, which is outside https, they do not.
  function exclusively(name, work) {
    return globalThis.navigator?.locks ? globalThis.navigator.locks.request(name, work) : work();
  }

  // A notice in a tab that nobody looks at would count as shown.
  function visible() {
    const page = globalThis.document;
    if (page.visibilityState === "visible") return undefined;
    return new Promise((resolve) => {
      const look = () => {
        if (page.visibilityState !== "visible") return;
        page.removeEventListener("visibilitychange", look);
        resolve();
      };
      page.addEventListener("visibilitychange", look);
    });
  }

  function randomId() {
    const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function sleep(milliseconds) {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
  }

  function parse(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  globalThis.JmNyanko = Object.freeze({ Client, NyankoError });
})();
