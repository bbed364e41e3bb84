/**
 * The game's way to the shop and back: orders, Stripe's page, the player's items, and live notices.
 *
 * Amounts are integers of yen and times are epoch seconds UTC; docs/openapi.yaml describes what the server
 * answers. The client never decides that a payment succeeded: give the player what the inventory says.
 */

export interface Product {
  product_id: string;
  name: string;
  /** What one pack costs, with nothing to be added. */
  unit_amount: number;
  currency: string;
  /** What one pack holds, by item id. */
  items: Record<string, number>;
}

export type PurchaseStatus =
  | "created" | "pending" | "paid" | "granted" | "expired" | "failed"
  | "partially_refunded" | "refunded" | "disputed";

export interface Purchase {
  purchase_id: string;
  status: PurchaseStatus;
  product_id: string;
  name: string;
  quantity: number;
  amount: number;
  currency: string;
  paid: number;
  refunded: number;
  /** Packs that the inventory holds for it. */
  granted: number;
  created_at: number;
  updated_at: number;
}

export interface Item {
  item_id: string;
  quantity: number;
  /** Taken back after it was spent; later purchases pay it off. */
  owed: number;
}

export interface Player {
  player_id: string;
  joinmake_user_id: string;
  display_name: string | null;
  birth_month: string | null;
}

export interface Notice {
  notice_id: string;
  created_at: number;
  type: "purchase.updated";
  purchase_id: string;
  status: string;
  /** The change of the inventory, by item id. */
  items: Record<string, number>;
  /** The purchase as it is now; only in notices that came over the socket. */
  purchase?: Purchase;
}

export type Mode = "redirect" | "tab";

export interface Order {
  purchase_id: string;
  session_id: string;
  /** Stripe's page. */
  url: string;
  expires_at: number;
  amount: number;
  currency: string;
}

/**
 * - `granted`: paid, and the items are in the inventory
 * - `pending`: not paid yet, or not confirmed yet: a konbini payment may take days; a notice will tell
 * - `canceled`: the player came back without paying
 * - `failed`: the payment failed, or the order expired
 * - `taken_back`: paid once, but refunded or disputed since
 * - `unknown`: the signed-in player has no such purchase; it may be that of another one who plays here
 */
export interface Outcome {
  purchase_id: string;
  state: "granted" | "pending" | "canceled" | "failed" | "taken_back" | "unknown";
  /** null if `unknown`. */
  purchase: Purchase | null;
  mode: Mode;
  /** Whether the player came from Stripe's page just now. */
  returned: boolean;
}

export interface ClientOptions {
  /** Base URL of the REST API, such as `https://api.cat.joinmake.jp`. */
  apiUrl: string;
  /**
   * Gives Web3Auth's identity token (`web3auth.getIdentityToken()`). Called when the first call needs one, and
   * with `refused` when the server has refused the one before, usually because it has expired; may take as long
   * as the player does. Once it rejects, the call fails with `NotSignedIn`.
   */
  signIn(asked: { refused: boolean }): Promise<string> | string;
  /** A notice for the player to see, each once whatever tabs, reloads and networks do. Shown when this returns. */
  onNotice?(notice: Notice): void;
  /** All items of the player, whenever they may have changed. */
  onInventory?(items: Item[]): void;
  onPurchase?(purchase: Purchase): void;
  onConnection?(state: "connecting" | "open" | "closed"): void;
  /** What went wrong in the background; by default it goes to the console. */
  onError?(error: unknown): void;
  /** Where purchases on their way and shown notices are remembered; by default localStorage, null for nowhere. */
  storage?: Storage | null;
  /** How long `resume` waits for Stripe's confirmation, 60 unless given. */
  patienceSeconds?: number;
}

export interface BuyOptions {
  /**
   * `redirect` leaves the game for Stripe's page. `tab` keeps it and opens another tab; call `buy` inside the
   * player's click for that. Where tabs are blocked it falls back to `redirect`: the answer's `mode` tells.
   */
  mode?: Mode;
  /** Called before the page is left, for the game to save; if it fails the page stays and nothing is bought. */
  beforeRedirect?(order: Order): Promise<void> | void;
}

/** All methods reject with `NyankoError`. Calls that fail for a moment are sent again; nothing happens twice. */
export class Client {
  constructor(options: ClientOptions);
  /** What is on sale; needs no player. */
  products(): Promise<Product[]>;
  me(): Promise<Player>;
  /** Order packs of a product and go to Stripe's page. */
  buy(productId: string, quantity?: number, options?: BuyOptions): Promise<Order & { mode: Mode }>;
  /**
   * Call this whenever the game starts: takes Stripe's return out of the page's address and tells what became
   * of every purchase that this browser knows to be on its way. Waits for the one the player returns from.
   */
  resume(): Promise<Outcome[]>;
  /** What becomes of a purchase; waits while it is neither paid nor a konbini payment. */
  outcome(purchaseId: string, options?: { patienceSeconds?: number }): Promise<Outcome>;
  purchase(purchaseId: string): Promise<Purchase>;
  /** Newest first. */
  purchases(page?: { limit?: number; cursor?: string }): Promise<{ purchases: Purchase[]; next_cursor: string | null }>;
  inventory(): Promise<Item[]>;
  /** Use items up, once for each `spendId`: a game that asks again after a crash passes the same one. */
  spend(itemId: string, count?: number, spendId?: string):
    Promise<{ spend_id: string; spent: number; item_id: string; quantity: number; owed: number }>;
  /** What no client has acknowledged; `onNotice` gets the same, so a game that connects does not need it. */
  notices(): Promise<Notice[]>;
  acknowledge(noticeId: string): Promise<{ notice_id: string; acknowledged: true }>;
  /** Listen from now on: missed notices first, then each as it comes, over a socket that is opened again and again. */
  connect(): void;
  disconnect(): void;
}

/**
 * `code` is the server's (docs/openapi.yaml) or one of:
 * - `Unreachable`: no answer, also after several attempts
 * - `Unreadable`: an answer that is not ours, such as a proxy's
 * - `NotSignedIn`: `signIn` gave no token
 */
export class NyankoError extends Error {
  readonly code: string;
  /** HTTP status, 0 if there was no answer. */
  readonly status: number;
  /** Numbers that belong to the code, such as the shortfall of `NotEnough`. */
  readonly figures: Record<string, number>;
}

declare global {
  /** What the classic script sets. */
  var JmNyanko: Readonly<{ Client: typeof Client; NyankoError: typeof NyankoError }>;
}
