// Every resource of the simulator through the official Node SDK, each in the same way: made, read, changed, listed both
// ways a page at a time, filtered by time, searched and expanded where the API has it, and ended.
// Usage: node resources.mjs http://127.0.0.1:PORT        exits 1 when anything is wrong, after trying all.
import assert from 'node:assert/strict';
import Stripe from 'stripe';

const base = new URL(process.argv[2] ?? 'http://127.0.0.1:12111');
const stripe = new Stripe(['sk', 'test', 'resourcejudge'].join('_'), {
  protocol: base.protocol.slice(0, -1),
  host: base.hostname,
  port: base.port,
  telemetry: false,
});
const run = Math.random().toString(36).slice(2);
const begun = Math.floor(Date.now() / 1000);

// What others are made of.
const customer = await stripe.customers.create({name: 'Owner', email: `${run}@example.com`});
const card = await stripe.paymentMethods.attach('pm_card_visa', {customer: customer.id});
await stripe.customers.update(customer.id, {invoice_settings: {default_payment_method: card.id}});
const product = await stripe.products.create({name: 'Thing'});
const once = await stripe.prices.create({currency: 'usd', unit_amount: 1000, product: product.id});
const monthly = await stripe.prices.create({currency: 'usd', unit_amount: 900, product: product.id, recurring: {interval: 'month'}});
const coupon = await stripe.coupons.create({percent_off: 10, duration: 'once'});
const connected = await stripe.accounts.create({type: 'custom', country: 'US', capabilities: {transfers: {requested: true}}});
const paid = (more = {}) =>
  stripe.paymentIntents.create({amount: 2000, currency: 'usd', customer: customer.id, payment_method: card.id, confirm: true, ...more});
const invoice = async (finalize) => {
  const draft = await stripe.invoices.create({customer: customer.id, auto_advance: false});
  await stripe.invoiceItems.create({customer: customer.id, invoice: draft.id, amount: 1500, currency: 'usd'});
  return finalize ? stripe.invoices.finalizeInvoice(draft.id) : draft;
};
const funds = () => stripe.charges.create({amount: 50_000, currency: 'usd', source: 'tok_bypassPending'});
const metadata = {run};

// name: what it is made by; `change` and what must then be seen; how it ends; what it is listed, searched, expanded by.
const resources = {
  customer: {
    api: stripe.customers,
    make: () => stripe.customers.create({name: 'One', email: `${run}@example.org`, metadata}),
    change: {name: 'Two'},
    list: {email: `${run}@example.org`},
    expand: ['subscriptions', 'tax_ids'],
    end: (id) => stripe.customers.del(id),
    ended: {deleted: true},
  },
  'payment method': {
    api: stripe.paymentMethods,
    make: async () => {
      const made = await stripe.paymentMethods.create({type: 'card', card: {token: 'tok_mastercard'}, metadata});
      return stripe.paymentMethods.attach(made.id, {customer: customer.id});
    },
    change: {billing_details: {name: 'Ana'}},
    list: {customer: customer.id, type: 'card'},
    timeless: true,
    expand: ['customer'],
    end: (id) => stripe.paymentMethods.detach(id),
    ended: {customer: null},
  },
  'payment intent': {
    api: stripe.paymentIntents,
    make: () => stripe.paymentIntents.create({amount: 700, currency: 'usd', customer: customer.id, metadata}),
    change: {description: 'changed'},
    list: {customer: customer.id},
    expand: ['customer', 'payment_method', 'latest_charge'],
    searched: true,
    end: (id) => stripe.paymentIntents.cancel(id),
    ended: {status: 'canceled'},
  },
  'setup intent': {
    api: stripe.setupIntents,
    make: () => stripe.setupIntents.create({customer: customer.id, metadata}),
    change: {description: 'changed'},
    list: {customer: customer.id},
    expand: ['customer', 'latest_attempt'],
    end: (id) => stripe.setupIntents.cancel(id),
    ended: {status: 'canceled'},
  },
  charge: {
    api: stripe.charges,
    make: async () => stripe.charges.update((await paid()).latest_charge, {metadata}),
    change: {description: 'changed'},
    list: {customer: customer.id},
    expand: ['balance_transaction', 'payment_intent.payment_method', 'refunds'],
    searched: true,
  },
  refund: {
    api: stripe.refunds,
    make: async () => stripe.refunds.create({payment_intent: (await paid()).id, amount: 500, metadata}),
    change: {metadata: {...metadata, more: '1'}},
    list: {},
    expand: ['charge.balance_transaction', 'payment_intent'],
  },
  dispute: {
    api: stripe.disputes,
    make: async () => {
      const made = await stripe.paymentIntents.create({amount: 800, currency: 'usd', payment_method: 'pm_card_createDispute', confirm: true});
      const [dispute] = (await stripe.disputes.list({payment_intent: made.id})).data;
      return stripe.disputes.update(dispute.id, {metadata});
    },
    change: {evidence: {product_description: 'a book'}},
    list: {},
    expand: ['charge', 'payment_intent'],
    end: (id) => stripe.disputes.close(id),
    ended: {status: 'lost'},
  },
  'balance transaction': {api: stripe.balanceTransactions, make: async () => {
    const {latest_charge} = await paid({expand: ['latest_charge.balance_transaction']});
    return latest_charge.balance_transaction;
  }, list: {type: 'charge'}, expand: ['source']},
  product: {
    api: stripe.products,
    make: () => stripe.products.create({name: `Kept ${run}`, metadata, url: `https://shop.example/${run}`}),
    change: {active: false},
    list: {url: `https://shop.example/${run}`},
    expand: ['default_price'],
    searched: true,
    end: (id) => stripe.products.del(id),
    ended: {deleted: true},
  },
  price: {
    api: stripe.prices,
    make: () => stripe.prices.create({currency: 'usd', unit_amount: 100, product: product.id, metadata}),
    change: {nickname: 'changed'},
    list: {product: product.id},
    expand: ['product', 'tiers'],
    searched: true,
    end: (id) => stripe.prices.update(id, {active: false}),
    ended: {active: false},
  },
  coupon: {
    api: stripe.coupons,
    make: () => stripe.coupons.create({amount_off: 500, currency: 'usd', duration: 'once', metadata}),
    change: {name: 'changed'},
    list: {},
    expand: ['applies_to'],
    end: (id) => stripe.coupons.del(id),
    ended: {deleted: true},
  },
  'promotion code': {
    api: stripe.promotionCodes,
    make: () => stripe.promotionCodes.create({promotion: {type: 'coupon', coupon: coupon.id}, metadata}),
    change: {metadata: {...metadata, more: '1'}},
    list: {coupon: coupon.id},
    expand: ['customer', 'promotion.coupon'],
    end: (id) => stripe.promotionCodes.update(id, {active: false}),
    ended: {active: false},
  },
  subscription: {
    api: stripe.subscriptions,
    make: () => stripe.subscriptions.create({customer: customer.id, items: [{price: monthly.id}], metadata}),
    change: {description: 'changed'},
    list: {customer: customer.id, status: 'all'},
    expand: ['latest_invoice.payments', 'customer', 'items.data.price.product'],
    searched: true,
    end: (id) => stripe.subscriptions.cancel(id),
    ended: {status: 'canceled'},
  },
  'subscription schedule': {
    api: stripe.subscriptionSchedules,
    make: () => stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: 'now',
      phases: [{items: [{price: monthly.id}], duration: {interval: 'month', interval_count: 2}}],
      metadata,
    }),
    change: {end_behavior: 'cancel'},
    list: {customer: customer.id},
    expand: ['subscription.latest_invoice', 'customer'],
    end: (id) => stripe.subscriptionSchedules.release(id),
    ended: {status: 'released'},
  },
  invoice: {
    api: stripe.invoices,
    make: async () => stripe.invoices.update((await invoice(true)).id, {metadata}),
    change: {metadata: {...metadata, more: '1'}},
    list: {customer: customer.id, status: 'open'},
    expand: ['customer', 'payments', 'lines.data'],
    searched: true,
    end: (id) => stripe.invoices.voidInvoice(id),
    ended: {status: 'void'},
  },
  'invoice item': {
    api: stripe.invoiceItems,
    make: () => stripe.invoiceItems.create({customer: customer.id, amount: 100, currency: 'usd', metadata}),
    change: {description: 'changed'},
    list: {customer: customer.id, pending: true},
    expand: ['customer'],
    end: (id) => stripe.invoiceItems.del(id),
    ended: {deleted: true},
  },
  'credit note': {
    api: stripe.creditNotes,
    make: async () => stripe.creditNotes.create({invoice: (await invoice(true)).id, amount: 100, metadata}),
    change: {memo: 'changed'},
    list: {customer: customer.id},
    expand: ['invoice.customer', 'customer'],
    end: (id) => stripe.creditNotes.voidCreditNote(id),
    ended: {status: 'void'},
  },
  quote: {
    api: stripe.quotes,
    make: () => stripe.quotes.create({customer: customer.id, line_items: [{price: once.id, quantity: 2}], metadata}),
    change: {header: 'changed'},
    list: {customer: customer.id},
    timeless: true,
    expand: ['customer', 'line_items'],
    end: (id) => stripe.quotes.cancel(id),
    ended: {status: 'canceled'},
  },
  'checkout session': {
    api: stripe.checkout.sessions,
    make: () => stripe.checkout.sessions.create({
      mode: 'payment',
      success_url: 'https://shop.example/done',
      customer: customer.id,
      line_items: [{price: once.id, quantity: 1}],
      metadata,
    }),
    change: {metadata: {...metadata, more: '1'}},
    list: {customer: customer.id},
    expand: ['customer', 'line_items.data.price.product'],
    end: (id) => stripe.checkout.sessions.expire(id),
    ended: {status: 'expired'},
  },
  'payment link': {
    api: stripe.paymentLinks,
    make: () => stripe.paymentLinks.create({line_items: [{price: once.id, quantity: 1}], metadata}),
    change: {active: false},
    list: {},
    timeless: true,
    expand: ['line_items.data.price'],
  },
  payout: {
    api: stripe.payouts,
    make: async () => {
      await funds();
      return stripe.payouts.create({amount: 1000, currency: 'usd', metadata});
    },
    change: {metadata: {...metadata, more: '1'}},
    list: {},
    expand: ['balance_transaction', 'destination'],
    end: (id) => stripe.payouts.cancel(id),
    ended: {status: 'canceled'},
  },
  transfer: {
    api: stripe.transfers,
    make: async () => {
      await funds();
      return stripe.transfers.create({amount: 1000, currency: 'usd', destination: connected.id, metadata});
    },
    change: {description: 'changed'},
    list: {destination: connected.id},
    expand: ['balance_transaction', 'destination'],
  },
  'tax rate': {
    api: stripe.taxRates,
    make: () => stripe.taxRates.create({display_name: 'VAT', percentage: 25, inclusive: true, metadata}),
    change: {description: 'changed'},
    list: {inclusive: true},
    end: (id) => stripe.taxRates.update(id, {active: false}),
    ended: {active: false},
  },
  'shipping rate': {
    api: stripe.shippingRates,
    make: () => stripe.shippingRates.create({
      display_name: 'Post',
      type: 'fixed_amount',
      fixed_amount: {amount: 500, currency: 'usd'},
      metadata,
    }),
    change: {metadata: {...metadata, more: '1'}},
    list: {currency: 'usd'},
    end: (id) => stripe.shippingRates.update(id, {active: false}),
    ended: {active: false},
  },
  'billing meter': {
    api: stripe.billing.meters,
    make: () => stripe.billing.meters.create({
      display_name: 'Calls',
      event_name: `calls-${run}-${Math.random()}`,
      default_aggregation: {formula: 'sum'},
    }),
    change: {display_name: 'changed'},
    list: {status: 'active'},
    timeless: true,
    end: (id) => stripe.billing.meters.deactivate(id),
    ended: {status: 'inactive'},
  },
  account: {
    api: stripe.accounts,
    make: () => stripe.accounts.create({type: 'custom', country: 'US', metadata}),
    change: {email: 'changed@example.com'},
    list: {},
    missing: {code: 'account_invalid', statusCode: 403},
    end: (id) => stripe.accounts.del(id),
    ended: {deleted: true},
  },
  event: {
    api: stripe.events,
    make: async () => {
      await stripe.customers.create({metadata});
      return (await stripe.events.list({limit: 1})).data[0];
    },
    list: {type: 'customer.created'},
  },
  'file link': {
    api: stripe.fileLinks,
    make: async () => {
      const file = await stripe.files.create(
        {purpose: 'dispute_evidence', file: {data: Buffer.from('%PDF-1.4'), name: 'a.pdf', type: 'application/pdf'}},
        {host: base.hostname},
      );
      return stripe.fileLinks.create({file: file.id, metadata});
    },
    change: {expires_at: 'now'},
    changed: (link) => assert.equal(link.expired, true),
    list: {},
    expand: ['file'],
  },
  'webhook endpoint': {
    api: stripe.webhookEndpoints,
    make: () => stripe.webhookEndpoints.create({url: 'http://127.0.0.1:9/', enabled_events: ['charge.expired'], metadata}),
    change: {description: 'changed'},
    list: {},
    timeless: true,
    end: (id) => stripe.webhookEndpoints.del(id),
    ended: {deleted: true},
  },
  'test clock': {
    api: stripe.testHelpers.testClocks,
    make: () => stripe.testHelpers.testClocks.create({frozen_time: begun, name: run}),
    list: {},
    timeless: true,
    end: (id) => stripe.testHelpers.testClocks.del(id),
    ended: {deleted: true},
  },
  'portal configuration': {
    api: stripe.billingPortal.configurations,
    make: () => stripe.billingPortal.configurations.create({features: {invoice_history: {enabled: true}}, metadata}),
    change: {active: false},
    list: {},
    timeless: true,
    // It is answered in shape, whatever its id.
    missing: null,
  },
};

// The members that were sent are there; of members that are objects, those that were sent.
const holds = (object, sent) => {
  for (const [name, value] of Object.entries(sent)) {
    if (value && typeof value === 'object' && object[name]) holds(object[name], value);
    else assert.deepEqual(object[name], value, `${name} is ${object[name]}`);
  }
};

const judge = async ({api, make, change, changed, list, timeless, expand = [], searched, end, ended, missing = {code: 'resource_missing', statusCode: 404}}) => {
  const made = [await make(), await make(), await make()];
  const ids = made.map((object) => object.id);
  assert.equal(new Set(ids).size, 3);
  const first = await api.retrieve(ids[0]);
  assert.deepEqual([first.id, first.object], [ids[0], made[0].object]);
  if (made[0].metadata?.run) assert.equal(first.metadata.run, run);
  if (change) {
    const after = await api.update(ids[0], change);
    (changed ?? ((object) => holds(object, change)))(after);
    (changed ?? ((object) => holds(object, change)))(await api.retrieve(ids[0]));
  }
  for (const path of expand) {
    const expanded = await api.retrieve(ids[1], {expand: [path]});
    assert.equal(expanded.id, ids[1]);
  }
  await assert.rejects(api.retrieve(ids[1], {expand: ['nothing']}), {type: 'StripeInvalidRequestError', statusCode: 400});

  const forward = [];
  for await (const object of api.list({...list, limit: 2})) {
    forward.push(object.id);
    if (ids.every((id) => forward.includes(id))) break;
  }
  const mine = forward.filter((id) => ids.includes(id));
  assert.deepEqual(mine, [...ids].reverse(), 'newest first');
  const backward = [];
  for await (const object of api.list({...list, limit: 1, ending_before: ids[0]})) {
    backward.push(object.id);
    if (backward.length > 50) break;
  }
  assert.deepEqual(backward.filter((id) => ids.includes(id)).slice(0, 2), ids.slice(1), 'nearest first');
  assert.ok((await api.list({limit: 1})).data.length === 1);
  if (!timeless) {
    assert.equal((await api.list({...list, created: {lt: 1}})).data.length, 0, 'nothing is older than all');
    assert.ok((await api.list({...list, created: {gte: begun - 60}})).data.length >= 3);
  }
  if (searched) {
    const found = await api.search({query: `metadata["run"]:"${run}"`, limit: 100});
    for (const id of ids) assert.ok(found.data.some((object) => object.id === id), `${id} is not found`);
  }
  if (end) {
    holds(await end(ids[2]), ended);
    if (ended.deleted) {
      const left = await api.list({...list, limit: 100});
      assert.ok(!left.data.some((object) => object.id === ids[2]), 'it is no longer listed');
    } else {
      holds(await api.retrieve(ids[2]), ended);
    }
  }
  if (missing) await assert.rejects(api.retrieve(`${ids[0]}x`), missing);
};

let wrong = 0;
for (const [name, resource] of Object.entries(resources)) {
  try {
    await judge(resource);
    console.log(`ok   ${name}`);
  } catch (error) {
    wrong += 1;
    console.error(`FAIL ${name}: ${error.message}`, error.code === 'ERR_ASSERTION' ? error.stack : '');
  }
}
console.log(`node SDK ${Stripe.PACKAGE_VERSION}: ${Object.keys(resources).length - wrong} resources passed, ${wrong} are wrong`);
process.exit(wrong === 0 ? 0 : 1);
