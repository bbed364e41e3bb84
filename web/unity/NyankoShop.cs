// The shop for a Unity WebGL game. Put it on a GameObject that stays for the whole game; docs/unity.md shows how.
using System;
using System.Collections.Generic;
using UnityEngine;
#if UNITY_WEBGL && !UNITY_EDITOR
using System.Runtime.InteropServices;
#endif

namespace JmNyanko
{
    [Serializable] public class Item { public string item_id; public int quantity; public int owed; }

    /// <summary>Amounts are integers of yen; <c>items</c> is what one pack holds.</summary>
    [Serializable] public class Product
    {
        public string product_id; public string name; public int unit_amount; public string currency; public Item[] items;
    }

    /// <summary>Times are epoch seconds UTC.</summary>
    [Serializable] public class Purchase
    {
        public string purchase_id; public string status; public string product_id; public string name;
        public int quantity; public int amount; public string currency;
        public int paid; public int refunded; public int granted; public long created_at; public long updated_at;
    }

    /// <summary><c>state</c>: granted, pending, canceled, failed, taken_back or unknown. Only the inventory says what
    /// the player owns.</summary>
    [Serializable] public class Outcome
    {
        public string purchase_id; public string state; public Purchase purchase; public string mode; public bool returned;
    }

    /// <summary><c>items</c> is the change of the inventory; quantities may be negative.</summary>
    [Serializable] public class Notice
    {
        public string notice_id; public long created_at; public string type; public string purchase_id;
        public string status; public Item[] items; public Purchase purchase;
    }

    [Serializable] public class Order
    {
        public string purchase_id; public string session_id; public string url; public long expires_at;
        public int amount; public string currency; public string mode;
    }

    [Serializable] public class Spent
    {
        public string spend_id; public int spent; public string item_id; public int quantity; public int owed;
    }

    /// <summary><c>Code</c> is for programs: see docs/openapi.yaml and jm_nyanko.d.ts.</summary>
    public class NyankoException : Exception
    {
        public string Code { get; }
        public NyankoException(string code, string message) : base(message) { Code = code; }
    }

    public class NyankoShop : MonoBehaviour
    {
        [SerializeField] string apiUrl = "https://api.stg.cat.joinmake.jp";

        /// <summary>A notice for the player to see; each comes once.</summary>
        public event Action<Notice> Noticed;
        /// <summary>All items of the player, whenever they may have changed.</summary>
        public event Action<Item[]> InventoryChanged;
        /// <summary>connecting, open or closed.</summary>
        public event Action<string> ConnectionChanged;

        readonly Dictionary<int, Action<Answer>> waiting = new Dictionary<int, Action<Answer>>();
        int calls;

        void Awake()
        {
            DontDestroyOnLoad(gameObject);
            JmNyankoStart(gameObject.name, apiUrl);
        }

        /// <summary>Call it once after the start: what became of purchases that were on their way.</summary>
        public void Resume(Action<Outcome[]> done, Action<NyankoException> failed) => Call("resume", Empty, done, failed);

        public void Products(Action<Product[]> done, Action<NyankoException> failed) => Call("products", Empty, done, failed);

        public void Inventory(Action<Item[]> done, Action<NyankoException> failed) => Call("inventory", Empty, done, failed);

        /// <summary>Use items up, once for each <paramref name="spendId"/>: ask again with the same one after a crash.
        /// </summary>
        public void Spend(string itemId, int count, string spendId, Action<Spent> done, Action<NyankoException> failed) =>
            Call("spend", $"{{\"value\":[{Quoted(itemId)},{count},{Quoted(spendId)}]}}", done, failed);

        /// <summary>Leave for Stripe's page, or open it in a tab. Show the final confirmation before, and call this in
        /// the player's click. The game is saved first; in the same tab it ends here, and Resume goes on.</summary>
        public void Buy(string productId, int quantity, bool inTab, Action<Order> done, Action<NyankoException> failed)
        {
            PlayerPrefs.Save();
            JmNyankoBuy(Expect(done, failed), productId, quantity, inTab);
        }

        // Called by JmNyanko.jslib

        void OnAnswer(string json)
        {
            var answer = JsonUtility.FromJson<Answer>(json);
            if (waiting.Remove(answer.call, out var settle)) settle(answer);
        }

        void OnNotice(string json) => Noticed?.Invoke(JsonUtility.FromJson<Notice>(json));

        void OnInventory(string json) => InventoryChanged?.Invoke(JsonUtility.FromJson<Wrapped<Item[]>>(json).value);

        void OnConnection(string state) => ConnectionChanged?.Invoke(state);

        const string Empty = "{\"value\":[]}";

        void Call<T>(string method, string arguments, Action<T> done, Action<NyankoException> failed) =>
            JmNyankoCall(Expect(done, failed), method, arguments);

        int Expect<T>(Action<T> done, Action<NyankoException> failed)
        {
            var call = ++calls;
            waiting[call] = answer =>
            {
                if (answer.ok) done(JsonUtility.FromJson<Wrapped<T>>(answer.result).value);
                else failed(new NyankoException(answer.code, answer.message));
            };
            return call;
        }

        static string Quoted(string text) => "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";

        [Serializable] class Answer { public int call; public bool ok; public string result; public string code; public string message; }

        [Serializable] class Wrapped<T> { public T value; }

#if UNITY_WEBGL && !UNITY_EDITOR
        [DllImport("__Internal")] static extern void JmNyankoStart(string gameObject, string apiUrl);
        [DllImport("__Internal")] static extern void JmNyankoCall(int call, string method, string arguments);
        [DllImport("__Internal")] static extern void JmNyankoBuy(int call, string productId, int quantity, bool inTab);
#else
        // In the editor there is no browser: one product, which is paid at once.
        int pawStamps;

        void JmNyankoStart(string gameObject, string apiUrl) => SendMessage("OnConnection", "open");

        void JmNyankoCall(int call, string method, string arguments)
        {
            switch (method)
            {
                case "resume": Answered(call, "[]"); break;
                case "products":
                    Answered(call, "[{\"product_id\":\"paw_stamp\",\"name\":\"肉球スタンプ\",\"unit_amount\":50," +
                        "\"currency\":\"jpy\",\"items\":[{\"item_id\":\"paw_stamp\",\"quantity\":1}]}]");
                    break;
                case "inventory": Answered(call, Stamps()); break;
                default: Refused(call, "NotEnough", "the editor spends nothing"); break;
            }
        }

        void JmNyankoBuy(int call, string productId, int quantity, bool inTab)
        {
            pawStamps += quantity;
            Answered(call, "{\"purchase_id\":\"pur_editor\",\"mode\":\"tab\",\"currency\":\"jpy\"}");
            SendMessage("OnInventory", $"{{\"value\":{Stamps()}}}");
            SendMessage("OnNotice", "{\"notice_id\":\"editor\",\"type\":\"purchase.updated\",\"status\":\"granted\"," +
                $"\"items\":[{{\"item_id\":\"paw_stamp\",\"quantity\":{quantity}}}]}}");
        }

        string Stamps() => $"[{{\"item_id\":\"paw_stamp\",\"quantity\":{pawStamps}}}]";

        void Answered(int call, string value) => SendMessage("OnAnswer", JsonUtility.ToJson(
            new Answer { call = call, ok = true, result = $"{{\"value\":{value}}}" }));

        void Refused(int call, string code, string message) => SendMessage("OnAnswer", JsonUtility.ToJson(
            new Answer { call = call, ok = false, code = code, message = message }));
#endif
    }
}
