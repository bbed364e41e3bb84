// Plays the game's part on the local stack: all that it knows of purchases comes through web/client.
import { Client } from "../client/jm_nyanko.mjs";

const TOKEN = "nyanko_shop.token";

const ITEMS = {
  nyan_coin: "にゃんコイン",
  catnip: "またたび",
  red_ribbon: "赤いリボン",
  churu: "ちゅ〜る",
  maneki_neko: "招き猫",
  paw_stamp: "肉球スタンプ",
};

const STATUS = {
  created: "お支払い前",
  pending: "コンビニでのお支払い待ち",
  paid: "お届け準備中",
  granted: "お届け済み",
  expired: "期限切れ",
  failed: "お支払い不成立",
  partially_refunded: "一部返金済み",
  refunded: "返金済み",
  disputed: "確認中",
};

const REFUSALS = {
  LimitReached: "ご購入の上限に達しています。",
  NotEnough: "数が足りません。",
  NotFound: "いまは販売していません。",
  Unreachable: "サーバーにつながりません。しばらくしてからもう一度お試しください。",
  ServiceUnavailable: "ただいま混み合っています。しばらくしてからもう一度お試しください。",
};

const yen = new Intl.NumberFormat("ja-JP", { style: "currency", currency: "JPY" });
const moment = new Intl.DateTimeFormat("ja-JP", { dateStyle: "short", timeStyle: "short" });
const byId = (id) => document.getElementById(id);

const config = await (await fetch("/config.json")).json();
const nyanko = new Client({
  apiUrl: config.api,
  signIn,
  onNotice: showNotice,
  onInventory: showInventory,
  onPurchase: showHistory,
  onConnection: showConnection,
  onError: (error) => console.warn(error),
});

// Signing in

let given = null;

function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  localStorage.setItem(TOKEN, token);
  history.replaceState(null, "", location.pathname + location.search);
}

function signIn({ refused }) {
  const token = localStorage.getItem(TOKEN);
  // A token that another tab got meanwhile is worth a try.
  if (token && !(refused && token === given)) {
    given = token;
    return token;
  }
  byId("signed-out").showModal();
  return new Promise(() => {}); // the page is left for that of Web3Auth
}

function leaveForSignIn() {
  localStorage.removeItem(TOKEN);
  const here = location.origin + location.pathname + location.search;
  location.assign(`${config.web3auth}/?${new URLSearchParams({ redirect_uri: here })}`);
}

// What the player sees

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function picture(itemId) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `pictures.svg#${itemId in ITEMS ? itemId : "cat"}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

function row(...children) {
  return element("li", {}, ...children);
}

function fill(id, rows, whenEmpty) {
  byId(id).replaceChildren(...(rows.length ? rows : [element("li", { className: "empty" }, whenEmpty)]));
}

function say(text, className = "") {
  Object.assign(byId("message"), { textContent: text, className });
}

function itemName(itemId) {
  return ITEMS[itemId] ?? itemId;
}

function listed(items, packs = 1) {
  return Object.entries(items)
    .map(([itemId, count]) => `${itemName(itemId)} ${(count * packs).toLocaleString("ja-JP")}`)
    .join("、");
}

function refusal(error) {
  console.warn(error);
  say(REFUSALS[error.code] ?? `うまくいきませんでした（${error.code ?? error}）。`, "bad");
}

async function attempt(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    refusal(error);
  } finally {
    button.disabled = false;
  }
}

function showProducts(products) {
  fill(
    "products",
    products.map((product) => {
      const quantity = element("input", { type: "number", min: 1, max: 99, value: 1, required: true });
      const buy = element("button", { type: "button" }, "購入する");
      buy.setAttribute("aria-label", `${product.name}を購入する`);
      buy.addEventListener("click", () => {
        if (quantity.reportValidity()) confirm(product, quantity.valueAsNumber);
      });
      return row(
        picture(Object.keys(product.items)[0]),
        element("h3", {}, product.name),
        element("p", { className: "contents" }, listed(product.items)),
        element("p", { className: "price" }, yen.format(product.unit_amount)),
        element("div", { className: "order" }, element("label", {}, "個数", quantity), buy),
      );
    }),
    "いま販売している商品はありません。",
  );
}

function showInventory(items) {
  const had = new Map([...byId("inventory").querySelectorAll("button")].map((one) => [one.dataset.item, one]));
  const focused = document.activeElement?.dataset?.item;
  fill(
    "inventory",
    items.map(({ item_id, quantity, owed }) => {
      const use = had.get(item_id) ?? useButton(item_id);
      const name = element("span", { className: "grow" }, itemName(item_id));
      if (owed) name.append(element("small", {}, `返金された分 ${owed} を、次のご購入から差し引きます`));
      const count = element("strong", {}, quantity.toLocaleString("ja-JP"));
      count.dataset.quantityOf = item_id;
      return row(picture(item_id), name, count, use);
    }),
    "まだ何もありません。",
  );
  if (focused) had.get(focused)?.focus();
}

function useButton(itemId) {
  const button = element("button", { type: "button", className: "quiet small" }, "使う");
  button.dataset.item = itemId;
  button.setAttribute("aria-label", `${itemName(itemId)}を1つ使う`);
  button.addEventListener("click", () =>
    attempt(button, async () => {
      await nyanko.spend(itemId);
      say(`${itemName(itemId)}を1つ使いました。`, "good");
      showInventory(await nyanko.inventory());
      button.focus();
    }),
  );
  return button;
}

function showNotice(notice) {
  const name = notice.purchase?.name ?? "ご購入の商品";
  const text = `${name}：${STATUS[notice.status] ?? notice.status}`;
  const change = Object.entries(notice.items).map(
    ([itemId, count]) => `${itemName(itemId)} ${count > 0 ? "+" : ""}${count.toLocaleString("ja-JP")}`,
  );
  const shown = row(
    picture("cat"),
    element("span", { className: "grow" }, text, element("small", {}, change.join("、"))),
  );
  shown.dataset.notice = notice.notice_id;
  byId("notices").querySelector(".empty")?.remove();
  byId("notices").prepend(shown);
}

async function showHistory() {
  try {
    const { purchases } = await nyanko.purchases();
    fill(
      "history",
      purchases.map((purchase) => {
        const when = moment.format(new Date(purchase.created_at * 1000));
        const shown = row(
          element(
            "span",
            { className: "grow" },
            `${purchase.name} × ${purchase.quantity}`,
            element("small", {}, `${when}　${yen.format(purchase.amount)}`),
          ),
          element("span", { className: "badge" }, STATUS[purchase.status]),
        );
        shown.dataset.purchase = purchase.purchase_id;
        shown.dataset.status = purchase.status;
        return shown;
      }),
      "まだ購入していません。",
    );
  } catch (error) {
    refusal(error);
  }
}

function showConnection(state) {
  const shown = { connecting: "接続中…", open: "自動で更新中", closed: "再接続を待っています" }[state];
  Object.assign(byId("connection"), { textContent: shown, className: `badge ${state}` });
}

// Buying

let ordered = null;

function confirm(product, quantity) {
  if (localStorage.getItem(TOKEN) === null) return leaveForSignIn();
  ordered = { product, quantity };
  byId("confirmed-goods").textContent = `${product.name} × ${quantity}（${listed(product.items, quantity)}）`;
  byId("confirmed-amount").textContent = yen.format(product.unit_amount * quantity);
  byId("confirmed-price").textContent = `${yen.format(product.unit_amount)} × ${quantity}`;
  byId("confirmation").showModal();
}

function order() {
  return attempt(byId("order"), async () => {
    try {
      const mode = byId("in-tab").checked ? "tab" : "redirect";
      const bought = await nyanko.buy(ordered.product.product_id, ordered.quantity, { mode });
      if (bought.mode !== "tab") return;
      byId("confirmation").close();
      say("新しいタブでお支払いください。確認できしだい、ここに届きます。");
      tell(await nyanko.outcome(bought.purchase_id, { patienceSeconds: bought.expires_at - Date.now() / 1000 }));
    } catch (error) {
      byId("confirmation").close();
      throw error;
    }
  });
}

function tell({ state, purchase, mode, returned }) {
  switch (state) {
    case "granted":
      return say(`お支払いを確認しました。${purchase.name}をお届けしました。${mode === "tab" && returned ? "このタブは閉じてかまいません。" : ""}`, "good");
    case "pending":
      if (purchase.status === "pending") return say("コンビニでのお支払いをお待ちしています。確認できしだい届きます。");
      if (returned) return say("お支払いの確認に時間がかかっています。確認できしだい届きます。");
      return undefined;
    case "canceled":
      return say("お支払いを取りやめました。代金はいただいていません。");
    case "failed":
      if (purchase.status === "failed") return say("お支払いが成立しませんでした。代金はいただいていません。", "bad");
      return undefined;
  }
  return undefined;
}

async function start() {
  takeToken();
  byId("sign-in").addEventListener("click", leaveForSignIn);
  byId("sign-in-again").addEventListener("click", leaveForSignIn);
  byId("signed-out").addEventListener("cancel", (event) => event.preventDefault());
  byId("sign-out").addEventListener("click", () => {
    localStorage.removeItem(TOKEN);
    location.reload();
  });
  byId("decline").addEventListener("click", () => byId("confirmation").close());
  byId("order").addEventListener("click", order);
  // Back from Stripe's page the browser may wake this one as it was left.
  addEventListener("pageshow", (event) => event.persisted && location.reload());

  const shopping = nyanko.products().then(showProducts);
  const signedIn = localStorage.getItem(TOKEN) !== null;
  byId("sign-in").hidden = signedIn;
  byId("sign-out").hidden = !signedIn;
  if (!signedIn) return shopping;

  document.querySelector(".mine").hidden = false;
  fill("inventory", [], "まだ何もありません。");
  fill("notices", [], "新しいお知らせはありません。");
  fill("history", [], "まだ購入していません。");
  nyanko.connect();
  const [player, items] = await Promise.all([nyanko.me(), nyanko.inventory(), showHistory(), shopping]);
  byId("player").textContent = player.display_name ?? `プレイヤー ${player.player_id.slice(-6)}`;
  showInventory(items);
  const outcomes = await nyanko.resume();
  outcomes.sort((one, other) => one.returned - other.returned).forEach(tell);
}

start().catch(refusal);
