import "./jm_nyanko.js";

export const { Client, NyankoError } = globalThis.JmNyanko;
