// Buys at the stand-in as a shop would that is written for Node, and tells what it saw as one JSON object.
//
//   node drive.mjs API_URL API_KEY SCENARIO   (each scenario is a function below)
import Stripe from 'stripe';

const [apiUrl, apiKey, scenario] = process.argv.slice(2);
const api = new URL(apiUrl);

const stripe = new Stripe(apiKey, {
  host: api.hostname,
  port: api.port,
  protocol: 'http',
  maxNetworkRetries: 0,
  telemetry: false,
});
const order = {
  mode: 'payment',
  line_items: [
    { quantity: 2, price_data: { currency: 'jpy', unit_amount: 500, product_data: { name: 'ねこ缶' } } },
  ],
  metadata: { purchase_id: 'pur_node' },
  payment_intent_data: { metadata: { purchase_id: 'pur_node' } },
  success_url: 'https://nyanko.example/?session_id={CHECKOUT_SESSION_ID}',
};

async function buy() {
  const session = await stripe.checkout.sessions.create(order);
  const form = new URLSearchParams({ card_number: '4242424242424242', expiry: '12/40', cvc: '123' });
  const answer = await fetch(session.url, { method: 'POST', body: form, redirect: 'manual' });
  return { id: session.id, status: answer.status };
}

const scenarios = {
  async purchase() {
    const { id, status } = await buy();
    const session = await stripe.checkout.sessions.retrieve(id, {
      expand: ['payment_intent.latest_charge.balance_transaction', 'line_items'],
    });
    const charge = session.payment_intent.latest_charge;
    return {
      status,
      payment_status: session.payment_status,
      metadata: session.payment_intent.metadata,
      fee: charge.balance_transaction.fee,
      line: session.line_items.data[0].description,
      version: session.lastResponse.apiVersion,
    };
  },
};

// What was delivered comes on standard input: {body, signature, secret}.
scenarios.verify = async () => {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const { body, signature, secret } = JSON.parse(Buffer.concat(chunks).toString());
  const event = stripe.webhooks.constructEvent(body, signature, secret);
  let refused = null;
  try {
    stripe.webhooks.constructEvent(body.replace('paid', 'unpaid'), signature, secret);
  } catch (error) {
    refused = error.type;
  }
  return { type: event.type, api_version: event.api_version, status: event.data.object.payment_status, refused };
};

console.log(JSON.stringify(await scenarios[scenario]()));
