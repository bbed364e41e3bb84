// Between NyankoShop.cs and jm_nyanko.js, which the page must have loaded. Written without newer syntax, because
// old versions of Emscripten have to read it. Put it into Assets/Plugins/WebGL/.
mergeInto(LibraryManager.library, {
  $JmNyankoBridge: {
    client: null,
    gameObject: "",

    send: function (method, message) {
      SendMessage(JmNyankoBridge.gameObject, method, JSON.stringify(message));
    },

    // Unity's JsonUtility reads no dictionaries: {"churu": 12} becomes [{"item_id": "churu", "quantity": 12}].
    listed: function (value) {
      if (Array.isArray(value)) return value.map(JmNyankoBridge.listed);
      if (value === null || typeof value !== "object") return value;
      var copy = {};
      Object.keys(value).forEach(function (name) {
        var inner = value[name];
        var isMap = name === "items" && inner !== null && !Array.isArray(inner);
        copy[name] = isMap
          ? Object.keys(inner).map(function (item) {
              return { item_id: item, quantity: inner[item] };
            })
          : JmNyankoBridge.listed(inner);
      });
      return copy;
    },

    answer: function (call, promise) {
      promise.then(
        function (result) {
          var text = JSON.stringify({ value: JmNyankoBridge.listed(result) });
          JmNyankoBridge.send("OnAnswer", { call: call, ok: true, result: text, code: "", message: "" });
        },
        function (error) {
          var code = error.code || "Unexpected";
          JmNyankoBridge.send("OnAnswer", { call: call, ok: false, result: "", code: code, message: error.message });
        }
      );
    },

    // What the game wrote to its file system is in memory until it is flushed to IndexedDB.
    save: function () {
      return new Promise(function (resolve, reject) {
        if (typeof FS === "undefined" || !FS.syncfs) return resolve();
        FS.syncfs(false, function (error) {
          if (error) reject(error);
          else resolve();
        });
      });
    },
  },

  JmNyankoStart__deps: ["$JmNyankoBridge"],
  JmNyankoStart: function (gameObject, apiUrl) {
    JmNyankoBridge.gameObject = UTF8ToString(gameObject);
    JmNyankoBridge.client = new JmNyanko.Client({
      apiUrl: UTF8ToString(apiUrl),
      // The page has Web3Auth's SDK, see docs/unity.md.
      signIn: function (asked) {
        return window.JmNyankoSignIn(asked);
      },
      onNotice: function (notice) {
        JmNyankoBridge.send("OnNotice", JmNyankoBridge.listed(notice));
      },
      onInventory: function (items) {
        JmNyankoBridge.send("OnInventory", { value: items });
      },
      onConnection: function (state) {
        SendMessage(JmNyankoBridge.gameObject, "OnConnection", state);
      },
    });
    JmNyankoBridge.client.connect();
  },

  JmNyankoCall__deps: ["$JmNyankoBridge"],
  JmNyankoCall: function (call, method, argumentsJson) {
    var parameters = JSON.parse(UTF8ToString(argumentsJson)).value;
    var client = JmNyankoBridge.client;
    JmNyankoBridge.answer(call, client[UTF8ToString(method)].apply(client, parameters));
  },

  JmNyankoBuy__deps: ["$JmNyankoBridge"],
  JmNyankoBuy: function (call, productId, quantity, inTab) {
    var options = { mode: inTab ? "tab" : "redirect", beforeRedirect: JmNyankoBridge.save };
    JmNyankoBridge.answer(call, JmNyankoBridge.client.buy(UTF8ToString(productId), quantity, options));
  },
});
