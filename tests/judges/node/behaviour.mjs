// What the simulator does, asked by the official Node SDK: payments, billing, checkout, Connect, v2, events, errors, keys.
// Usage: node behaviour.mjs http://127.0.0.1:PORT        exits 1 at the first thing that is wrong.
import assert from 'node:assert/strict';
import http from 'node:http';
import Stripe from 'stripe';

const base = new URL(process.argv[2] ?? 'http://127.0.0.1:12111');
// Keys of the form that Stripe's have; data of the two modes are apart.
const key = (mode) => ['sk', mode, 'nodesdkjudge'].join('_');
const client = (mode = 'test', more = {}) =>
  new Stripe(key(mode), {
    protocol: base.protocol.slice(0, -1),
    host: base.hostname,
    port: base.port,
    telemetry: false,
    ...more,
  });
const stripe = client();
const run = Math.random().toString(36).slice(2);

const steps = [];
const step = (name, body) => steps.push([name, body]);
const refused = async (promise, type, expected = {}) => {
  const error = await promise.then(
    () => assert.fail(`expected ${type}`),
    (error) => error,
  );
  assert.equal(error.type, type, `${error.type}: ${error.message}`);
  for (const [name, value] of Object.entries(expected)) {
    if (value instanceof RegExp) assert.match(String(error[name]), value);
    else assert.deepEqual(error[name], value, `${name} of "${error.message}"`);
  }
  return error;
};
const until = async (what, test) => {
  const end = Date.now() + 10_000;
  for (;;) {
    const found = await test();
    if (found) return found;
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const customerWithCard = async (card = 'pm_card_visa', more = {}) => {
  const customer = await stripe.customers.create({email: 'card@example.com', ...more});
  const method = await stripe.paymentMethods.attach(card, {customer: customer.id});
  await stripe.customers.update(customer.id, {invoice_settings: {default_payment_method: method.id}});
  return {customer, method};
};

step('account', async () => {
  const account = await stripe.accounts.retrieveCurrent();
  assert.equal(account.object, 'account');
  assert.match(account.id, /^acct_/);
});

step('customer: create, retrieve, update, delete', async () => {
  const made = await stripe.customers.create({
    email: 'zoë@example.com',
    name: 'Zoë Ångström',
    address: {line1: 'Storgatan 1', country: 'SE'},
    metadata: {run, drop: 'x'},
  });
  assert.match(made.id, /^cus_/);
  assert.equal(made.name, 'Zoë Ångström');
  assert.equal(made.address.city, null);
  assert.equal(made.lastResponse.headers['stripe-version'], stripe.getApiField('version'));
  assert.match(made.lastResponse.requestId, /^req_/);
  const changed = await stripe.customers.update(made.id, {name: 'Zoë', metadata: {drop: '', add: 'y'}});
  assert.deepEqual(changed.metadata, {run, add: 'y'});
  assert.equal((await stripe.customers.update(made.id, {address: ''})).address, null);
  assert.equal((await stripe.customers.retrieve(made.id)).name, 'Zoë');
  assert.deepEqual((await stripe.customers.update(made.id, {metadata: ''})).metadata, {});
  const gone = await stripe.customers.del(made.id);
  assert.deepEqual([gone.id, gone.deleted], [made.id, true]);
  assert.equal((await stripe.customers.retrieve(made.id)).deleted, true);
  await refused(stripe.customers.update(made.id, {name: 'x'}), 'StripeInvalidRequestError', {statusCode: 404});
});

step('product and price', async () => {
  const product = await stripe.products.create({
    name: 'Tea',
    default_price_data: {currency: 'eur', unit_amount: 450},
    expand: ['default_price'],
  });
  assert.equal(product.default_price.unit_amount, 450);
  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 1200,
    recurring: {interval: 'month'},
    product_data: {name: 'Tea club'},
    lookup_key: `club-${run}`,
  });
  assert.equal(price.type, 'recurring');
  assert.equal(price.unit_amount_decimal.toString(), '1200');
  const found = await stripe.prices.list({lookup_keys: [`club-${run}`], expand: ['data.product']});
  assert.equal(found.data[0].product.name, 'Tea club');
  await refused(stripe.products.del(product.id), 'StripeInvalidRequestError');
  const plain = await stripe.products.create({name: 'No price', id: `plain-${run}`});
  assert.equal((await stripe.products.update(plain.id, {active: false})).active, false);
  await refused(stripe.products.create({name: 'again', id: plain.id}), 'StripeInvalidRequestError', {
    code: 'resource_already_exists',
  });
  assert.equal((await stripe.products.del(plain.id)).deleted, true);
  await refused(stripe.products.retrieve(plain.id), 'StripeInvalidRequestError', {
    code: 'resource_missing',
    statusCode: 404,
    param: 'id',
  });
});

step('payment intent: confirmed at once, in steps, captured by hand, canceled', async () => {
  const paid = await stripe.paymentIntents.create({
    amount: 2000,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
    expand: ['latest_charge.balance_transaction', 'payment_method'],
  });
  assert.equal(paid.status, 'succeeded');
  assert.equal(paid.latest_charge.balance_transaction.fee, 88);
  assert.equal(paid.payment_method.card.last4, '4242');

  const open = await stripe.paymentIntents.create({amount: 2000, currency: 'usd'});
  assert.equal(open.status, 'requires_payment_method');
  await refused(stripe.paymentIntents.confirm(open.id), 'StripeInvalidRequestError', {
    code: 'payment_intent_unexpected_state',
  });
  const ready = await stripe.paymentIntents.update(open.id, {payment_method: 'pm_card_mastercard', amount: 2500});
  assert.equal(ready.status, 'requires_confirmation');
  const confirmed = await stripe.paymentIntents.confirm(open.id);
  assert.deepEqual([confirmed.status, confirmed.amount_received], ['succeeded', 2500]);
  await refused(stripe.paymentIntents.cancel(open.id), 'StripeInvalidRequestError', {
    code: 'payment_intent_unexpected_state',
  });

  const held = await stripe.paymentIntents.create({
    amount: 3000,
    currency: 'usd',
    capture_method: 'manual',
    payment_method: 'pm_card_visa',
    confirm: true,
  });
  assert.deepEqual([held.status, held.amount_capturable], ['requires_capture', 3000]);
  const captured = await stripe.paymentIntents.capture(held.id, {amount_to_capture: 1000});
  assert.deepEqual([captured.status, captured.amount_received], ['succeeded', 1000]);

  const canceled = await stripe.paymentIntents.cancel(
    (await stripe.paymentIntents.create({amount: 500, currency: 'jpy'})).id,
    {cancellation_reason: 'abandoned'},
  );
  assert.deepEqual([canceled.status, canceled.cancellation_reason], ['canceled', 'abandoned']);
});

step('payment intent: every class of decline', async () => {
  const declines = {
    pm_card_visa_chargeDeclined: ['card_declined', 'generic_decline'],
    pm_card_visa_chargeDeclinedInsufficientFunds: ['card_declined', 'insufficient_funds'],
    pm_card_visa_chargeDeclinedLostCard: ['card_declined', 'lost_card'],
    pm_card_visa_chargeDeclinedStolenCard: ['card_declined', 'stolen_card'],
    pm_card_chargeDeclinedExpiredCard: ['expired_card', 'expired_card'],
    pm_card_chargeDeclinedIncorrectCvc: ['incorrect_cvc', 'incorrect_cvc'],
    pm_card_chargeDeclinedProcessingError: ['processing_error', 'processing_error'],
  };
  for (const [payment_method, [code, decline_code]] of Object.entries(declines)) {
    const error = await refused(
      stripe.paymentIntents.create({amount: 700, currency: 'usd', payment_method, confirm: true}),
      'StripeCardError',
      {code, decline_code, statusCode: 402},
    );
    assert.equal(error.payment_intent.status, 'requires_payment_method');
    assert.equal(error.payment_intent.last_payment_error.code, code);
    const charge = await stripe.charges.retrieve(error.charge);
    assert.deepEqual([charge.status, charge.failure_code, charge.paid], ['failed', code, false]);
    const again = await stripe.paymentIntents.confirm(error.payment_intent.id, {payment_method: 'pm_card_visa'});
    assert.equal(again.status, 'succeeded');
  }
});

step('payment intent: 3D Secure', async () => {
  const create = (payment_method, more = {}) =>
    stripe.paymentIntents.create({amount: 900, currency: 'eur', payment_method, confirm: true, ...more});
  const answer = async (url, outcome) => {
    const reply = await fetch(url, {method: 'POST', body: new URLSearchParams({outcome}), redirect: 'manual'});
    assert.equal(reply.status, 303);
    return reply.headers.get('location');
  };
  const asked = await create('pm_card_threeDSecure2Required', {return_url: 'https://shop.example/back'});
  assert.equal(asked.status, 'requires_action');
  const back = await answer(asked.next_action.redirect_to_url.url, 'succeeded');
  assert.match(back, new RegExp(`^https://shop.example/back\\?payment_intent=${asked.id}.*redirect_status=succeeded$`));
  assert.equal((await stripe.paymentIntents.retrieve(asked.id)).status, 'succeeded');

  const failed = await create('pm_card_threeDSecure2Required', {return_url: 'https://shop.example/back'});
  await answer(failed.next_action.redirect_to_url.url, 'failed');
  const after = await stripe.paymentIntents.retrieve(failed.id);
  assert.equal(after.last_payment_error.code, 'payment_intent_authentication_failure');

  const away = {off_session: true};
  await refused(create('pm_card_authenticationRequired', away), 'StripeCardError', {code: 'authentication_required'});
});

step('payment methods', async () => {
  const {customer, method} = await customerWithCard();
  const made = await stripe.paymentMethods.create({
    type: 'card',
    card: {number: '5555555555554444', exp_month: 12, exp_year: 2034, cvc: '123'},
    billing_details: {name: 'Ana'},
  });
  assert.deepEqual([made.card.brand, made.card.last4], ['mastercard', '4444']);
  const visa = await stripe.paymentMethods.create({type: 'card', card: {token: 'tok_visa'}});
  assert.equal(visa.card.last4, '4242');
  await stripe.paymentMethods.attach(made.id, {customer: customer.id});
  const listed = await stripe.customers.listPaymentMethods(customer.id, {type: 'card'});
  assert.deepEqual(listed.data.map((m) => m.id), [made.id, method.id]);
  assert.equal((await stripe.paymentMethods.detach(made.id)).customer, null);
  await refused(stripe.paymentMethods.attach('pm_card_chargeDeclined', {customer: customer.id}), 'StripeCardError', {
    code: 'card_declined',
    statusCode: 402,
  });
  const later = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {customer: customer.id});
  await refused(
    stripe.paymentIntents.create({
      amount: 500,
      currency: 'usd',
      customer: customer.id,
      payment_method: later.id,
      confirm: true,
    }),
    'StripeCardError',
    {code: 'card_declined'},
  );
  await refused(
    stripe.paymentMethods.create({type: 'card', card: {number: '4242424242424241', exp_month: 1, exp_year: 2034}}),
    'StripeCardError',
    {code: 'incorrect_number'},
  );
});

step('refunds and the balance', async () => {
  const sum = (balance) =>
    [...balance.available, ...balance.pending].filter((b) => b.currency === 'gbp').reduce((n, b) => n + b.amount, 0);
  const before = sum(await stripe.balance.retrieve());
  const paid = await stripe.paymentIntents.create({
    amount: 5000,
    currency: 'gbp',
    payment_method: 'pm_card_visa',
    confirm: true,
    expand: ['latest_charge.balance_transaction'],
  });
  const net = paid.latest_charge.balance_transaction.net;
  assert.equal(sum(await stripe.balance.retrieve()), before + net);
  const part = await stripe.refunds.create({payment_intent: paid.id, amount: 1500, reason: 'requested_by_customer'});
  assert.deepEqual([part.status, part.amount], ['succeeded', 1500]);
  await refused(stripe.refunds.create({payment_intent: paid.id, amount: 3501}), 'StripeInvalidRequestError', {
    message: 'Refund amount (£35.01) is greater than unrefunded amount on charge (£35.00)',
  });
  await stripe.refunds.create({charge: paid.latest_charge.id});
  await refused(stripe.refunds.create({charge: paid.latest_charge.id}), 'StripeInvalidRequestError', {
    code: 'charge_already_refunded',
  });
  const charge = await stripe.charges.retrieve(paid.latest_charge.id, {expand: ['refunds']});
  assert.deepEqual([charge.refunded, charge.amount_refunded, charge.refunds.data.length], [true, 5000, 2]);
  assert.equal(sum(await stripe.balance.retrieve()), before + net - 5000);
  const moved = await stripe.balanceTransactions.list({source: part.id});
  assert.deepEqual(moved.data.map((t) => [t.amount, t.type]), [[-1500, 'refund']]);
});

step('subscriptions and invoices', async () => {
  const {customer, method} = await customerWithCard();
  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 1500,
    recurring: {interval: 'month'},
    product_data: {name: 'Club'},
  });
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{price: price.id, quantity: 2}],
    expand: ['latest_invoice.payments', 'latest_invoice.confirmation_secret'],
  });
  assert.equal(subscription.status, 'active');
  const item = subscription.items.data[0];
  assert.ok(item.current_period_end > item.current_period_start);
  const invoice = subscription.latest_invoice;
  assert.deepEqual([invoice.status, invoice.amount_paid, invoice.billing_reason], ['paid', 3000, 'subscription_create']);
  assert.equal(invoice.parent.subscription_details.subscription, subscription.id);
  assert.equal(invoice.payments.data[0].status, 'paid');
  assert.equal((await stripe.invoices.list({subscription: subscription.id})).data[0].id, invoice.id);

  const ending = await stripe.subscriptions.update(subscription.id, {cancel_at_period_end: true});
  assert.equal(ending.cancel_at, item.current_period_end);
  const ended = await stripe.subscriptions.cancel(subscription.id);
  assert.equal(ended.status, 'canceled');
  assert.equal((await stripe.subscriptions.list({customer: customer.id})).data.length, 0);
  assert.equal((await stripe.subscriptions.list({customer: customer.id, status: 'all'})).data.length, 1);

  const trial = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{price: price.id}],
    trial_period_days: 14,
    default_payment_method: method.id,
  });
  assert.equal(trial.status, 'trialing');
  assert.equal(trial.trial_end - trial.trial_start, 14 * 86400);

  const waiting = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{price: price.id}],
    payment_behavior: 'default_incomplete',
    expand: ['latest_invoice.payments', 'latest_invoice.confirmation_secret'],
  });
  assert.equal(waiting.status, 'incomplete');
  const intent = waiting.latest_invoice.payments.data[0].payment.payment_intent;
  assert.match(waiting.latest_invoice.confirmation_secret.client_secret, new RegExp(`^${intent}_secret_`));
  await stripe.paymentIntents.confirm(intent, {payment_method: method.id});
  assert.equal((await stripe.subscriptions.retrieve(waiting.id)).status, 'active');

  const poor = await customerWithCard('pm_card_chargeCustomerFail');
  const allowed = await stripe.subscriptions.create({customer: poor.customer.id, items: [{price: price.id}]});
  assert.equal(allowed.status, 'incomplete');
  const count = async () => (await stripe.subscriptions.list({customer: poor.customer.id, status: 'all'})).data.length;
  const strict = {customer: poor.customer.id, items: [{price: price.id}], payment_behavior: 'error_if_incomplete'};
  await refused(stripe.subscriptions.create(strict), 'StripeCardError', {code: 'card_declined'});
  assert.equal(await count(), 1);
  const nobody = await stripe.customers.create();
  await refused(
    stripe.subscriptions.create({customer: nobody.id, items: [{price: price.id}]}),
    'StripeInvalidRequestError',
    {code: 'resource_missing', message: /no attached payment source/},
  );
});

step('checkout sessions', async () => {
  const pay = async (session, card) =>
    fetch(session.url, {
      method: 'POST',
      body: new URLSearchParams({card, email: 'buyer@example.com', name: 'Bo'}),
      redirect: 'manual',
    });
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    success_url: 'https://shop.example/done?session={CHECKOUT_SESSION_ID}',
    cancel_url: 'https://shop.example/cart',
    customer_creation: 'always',
    line_items: [{price_data: {currency: 'usd', unit_amount: 800, product_data: {name: 'Cup <3'}}, quantity: 3}],
  });
  assert.deepEqual([session.status, session.payment_status, session.amount_total], ['open', 'unpaid', 2400]);
  const shown = await (await fetch(session.url)).text();
  assert.ok(shown.includes('Cup &lt;3') && shown.includes('$24.00'));
  assert.equal((await pay(session, 'pm_card_visa_chargeDeclined')).status, 402);
  const reply = await pay(session, 'pm_card_visa');
  assert.equal(reply.headers.get('location'), `https://shop.example/done?session=${session.id}`);
  const done = await stripe.checkout.sessions.retrieve(session.id, {expand: ['line_items', 'payment_intent', 'customer']});
  assert.deepEqual([done.status, done.payment_status, done.payment_intent.status], ['complete', 'paid', 'succeeded']);
  assert.equal(done.customer.email, 'buyer@example.com');
  assert.equal(done.line_items.data[0].description, 'Cup <3');

  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 1500,
    recurring: {interval: 'year'},
    product_data: {name: 'Year'},
  });
  const subscribing = await stripe.checkout.sessions.create({
    mode: 'subscription',
    success_url: 'https://shop.example/done',
    line_items: [{price: price.id, quantity: 1}],
  });
  const challenge = (await pay(subscribing, 'pm_card_threeDSecure2Required')).headers.get('location');
  const back = await fetch(challenge, {
    method: 'POST',
    body: new URLSearchParams({outcome: 'succeeded'}),
    redirect: 'manual',
  });
  assert.equal(back.headers.get('location'), 'https://shop.example/done');
  const subscribed = await stripe.checkout.sessions.retrieve(subscribing.id, {expand: ['subscription.latest_invoice']});
  assert.deepEqual([subscribed.status, subscribed.subscription.status], ['complete', 'active']);
  assert.equal(subscribed.subscription.latest_invoice.status, 'paid');

  const saving = await stripe.checkout.sessions.create({mode: 'setup', currency: 'usd', success_url: 'https://a.example'});
  await pay(saving, 'pm_card_visa');
  const saved = await stripe.checkout.sessions.retrieve(saving.id, {expand: ['setup_intent']});
  assert.deepEqual([saved.status, saved.setup_intent.status], ['complete', 'succeeded']);

  const dropped = await stripe.checkout.sessions.create({mode: 'setup', currency: 'usd', success_url: 'https://a.example'});
  assert.equal((await stripe.checkout.sessions.expire(dropped.id)).status, 'expired');
  await refused(stripe.checkout.sessions.expire(dropped.id), 'StripeInvalidRequestError');
});

step('lists: both ways, filters, auto-pagination', async () => {
  const email = `list-${run}@example.com`;
  const made = [];
  for (let i = 0; i < 25; i += 1) made.push((await stripe.customers.create({email, description: String(i)})).id);
  const newest = [...made].reverse();
  const forward = [];
  for await (const customer of stripe.customers.list({email, limit: 7})) forward.push(customer.id);
  assert.deepEqual(forward, newest);
  const backward = [];
  for await (const customer of stripe.customers.list({email, limit: 7, ending_before: newest[24]})) backward.push(customer.id);
  assert.deepEqual(backward, made.slice(1));
  const page = await stripe.customers.list({email, limit: 3, ending_before: newest[10]});
  assert.deepEqual(page.data.map((c) => c.id), newest.slice(7, 10));
  assert.equal(page.has_more, true);
  assert.equal((await stripe.customers.list({email, created: {gt: 4102444800}})).data.length, 0);
  assert.equal((await stripe.customers.list({email})).data.length, 10);
  await refused(stripe.customers.list({limit: 101}), 'StripeInvalidRequestError', {param: 'limit'});
  await refused(stripe.customers.list({starting_after: 'cus_none'}), 'StripeInvalidRequestError', {
    code: 'resource_missing',
    param: 'starting_after',
  });
});

step('search', async () => {
  for (let i = 0; i < 5; i += 1) await stripe.customers.create({name: `Find Me ${i}`, metadata: {search: run, n: String(i)}});
  const query = `metadata["search"]:"${run}" AND -metadata["n"]:"4"`;
  const first = await stripe.customers.search({query, limit: 3});
  assert.deepEqual([first.data.length, first.has_more], [3, true]);
  const rest = await stripe.customers.search({query, limit: 3, page: first.next_page});
  assert.deepEqual([rest.data.length, rest.has_more, rest.next_page], [1, false, null]);
  const all = await stripe.customers.search({query, limit: 2}).autoPagingToArray({limit: 100});
  assert.equal(all.length, 4);
  assert.equal((await stripe.customers.search({query: `name~"find me" AND metadata["search"]:"${run}"`})).data.length, 5);
  await refused(stripe.customers.search({query: 'color:"red"'}), 'StripeInvalidRequestError', {
    message: /unsupported search field/,
  });
});

step('errors by class', async () => {
  await refused(stripe.customers.create({colour: 'red'}), 'StripeInvalidRequestError', {
    code: 'parameter_unknown',
    param: 'colour',
    message: 'Received unknown parameter: colour',
    statusCode: 400,
  });
  await refused(stripe.paymentIntents.create({currency: 'usd'}), 'StripeInvalidRequestError', {
    code: 'parameter_missing',
    param: 'amount',
    message: 'Missing required param: amount.',
  });
  await refused(stripe.paymentIntents.create({amount: 'ten', currency: 'usd'}), 'StripeInvalidRequestError', {
    code: 'parameter_invalid_integer',
    message: 'Invalid integer: ten',
  });
  await refused(stripe.paymentIntents.create({amount: 100, currency: 'xx'}), 'StripeInvalidRequestError', {
    message: /^Invalid currency: xx/,
    param: 'currency',
  });
  await refused(stripe.paymentIntents.create({amount: 10, currency: 'usd'}), 'StripeInvalidRequestError', {
    code: 'amount_too_small',
  });
  await refused(stripe.customers.retrieve('cus_none'), 'StripeInvalidRequestError', {
    code: 'resource_missing',
    param: 'id',
    statusCode: 404,
    message: "No such customer: 'cus_none'",
  });
  await refused(stripe.paymentIntents.create({amount: 100, currency: 'usd', customer: 'cus_none'}), 'StripeInvalidRequestError', {
    code: 'resource_missing',
    param: 'customer',
    statusCode: 400,
  });
  await refused(stripe.customers.list({expand: ['data.nothing']}), 'StripeInvalidRequestError', {
    message: 'This property cannot be expanded (data.nothing).',
  });
  await refused(stripe.rawRequest('GET', '/v1/nowhere'), 'StripeInvalidRequestError', {
    statusCode: 404,
    message: /^Unrecognized request URL \(GET: \/v1\/nowhere\)/,
  });
  const live = await client('live').customers.create({name: 'live'});
  await refused(stripe.customers.retrieve(live.id), 'StripeInvalidRequestError', {
    message: /a similar object exists in live mode, but a test mode key was used/,
  });
  const bad = new Stripe('nonsense', {protocol: 'http', host: base.hostname, port: base.port});
  await refused(bad.customers.list(), 'StripeAuthenticationError', {statusCode: 401, message: /^Invalid API Key provided/});
});

step('connected accounts have data of their own', async () => {
  const there = {stripeAccount: `acct_1${run}`};
  const customer = await stripe.customers.create({name: 'theirs'}, there);
  assert.equal((await stripe.customers.retrieve(customer.id, {}, there)).name, 'theirs');
  await refused(stripe.customers.retrieve(customer.id), 'StripeInvalidRequestError', {code: 'resource_missing'});
});

step('idempotency', async () => {
  const idempotencyKey = `key-${run}`;
  const first = await stripe.customers.create({name: 'once'}, {idempotencyKey});
  const again = await stripe.customers.create({name: 'once'}, {idempotencyKey});
  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true');
  assert.equal(again.lastResponse.headers['original-request'], first.lastResponse.requestId);
  assert.equal(again.lastResponse.headers['idempotency-key'], idempotencyKey);
  await refused(stripe.customers.create({name: 'other'}, {idempotencyKey}), 'StripeIdempotencyError', {statusCode: 400});
  await refused(stripe.products.create({name: 'once'}, {idempotencyKey}), 'StripeIdempotencyError', {statusCode: 400});
  const declined = {amount: 900, currency: 'usd', payment_method: 'pm_card_visa_chargeDeclined', confirm: true};
  const one = await refused(stripe.paymentIntents.create(declined, {idempotencyKey: `d-${run}`}), 'StripeCardError');
  const two = await refused(stripe.paymentIntents.create(declined, {idempotencyKey: `d-${run}`}), 'StripeCardError');
  assert.equal(two.charge, one.charge);
  // A request that failed validation is not kept: the key is still free.
  await refused(stripe.customers.create({nope: 1}, {idempotencyKey: `v-${run}`}), 'StripeInvalidRequestError');
  await stripe.customers.create({name: 'fine'}, {idempotencyKey: `v-${run}`});
});

step('events and webhooks', async () => {
  const received = [];
  let failures = 1;
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      if (failures > 0) {
        failures -= 1;
        response.writeHead(500).end();
        return;
      }
      received.push({body: Buffer.concat(chunks), headers: request.headers});
      response.writeHead(200).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = await stripe.webhookEndpoints.create({
    url: `http://127.0.0.1:${server.address().port}/hook`,
    enabled_events: ['customer.created', 'customer.updated'],
    api_version: stripe.getApiField('version'),
  });
  try {
    assert.match(endpoint.secret, /^whsec_/);
    assert.equal((await stripe.webhookEndpoints.retrieve(endpoint.id)).secret, undefined);
    const customer = await stripe.customers.create({name: 'Old'}, {idempotencyKey: `hook-${run}`});
    await stripe.customers.update(customer.id, {name: 'New'});
    await stripe.products.create({name: 'not of interest'});
    await until('two deliveries', () => received.length >= 2);
    const events = received.map(({body, headers}) => {
      assert.equal(headers['user-agent'], 'Stripe/1.0 (+https://stripe.com/docs/webhooks)');
      return stripe.webhooks.constructEvent(body, headers['stripe-signature'], endpoint.secret);
    });
    assert.throws(() =>
      stripe.webhooks.constructEvent(received[0].body, received[0].headers['stripe-signature'], `${endpoint.secret}x`),
    );
    const updated = events.find((e) => e.type === 'customer.updated');
    assert.deepEqual(updated.data.previous_attributes, {name: 'Old'});
    assert.equal(updated.data.object.name, 'New');
    const created = events.find((e) => e.type === 'customer.created');
    assert.equal(created.request.idempotency_key, `hook-${run}`);
    assert.equal(created.api_version, stripe.getApiField('version'));
    const listed = await stripe.events.list({types: ['customer.created', 'customer.updated'], limit: 2});
    assert.deepEqual(listed.data.map((e) => e.type), ['customer.updated', 'customer.created']);
    assert.equal((await stripe.events.retrieve(created.id)).data.object.id, customer.id);
    await until('nothing pending', async () => (await stripe.events.retrieve(created.id)).pending_webhooks === 0);
  } finally {
    assert.equal((await stripe.webhookEndpoints.del(endpoint.id)).deleted, true);
    server.closeAllConnections();
    server.close();
  }
  await refused(stripe.webhookEndpoints.create({url: 'nowhere', enabled_events: ['*']}), 'StripeInvalidRequestError', {
    code: 'url_invalid',
  });
});

// Something that thin events are sent to, and the destination that sends them there.
const thinDestination = async (events, body) => {
  const received = [];
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      received.push({body: Buffer.concat(chunks), signature: request.headers['stripe-signature']});
      response.writeHead(200).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const destination = await stripe.v2.core.eventDestinations.create({
    name: `thin ${run}`,
    type: 'webhook_endpoint',
    event_payload: 'thin',
    enabled_events: events,
    webhook_endpoint: {url: `http://127.0.0.1:${server.address().port}/thin`},
    include: ['webhook_endpoint.signing_secret'],
  });
  const secret = destination.webhook_endpoint.signing_secret;
  const next = async (type) => {
    const {body, signature} = await until(type, () => received.shift());
    assert.throws(() => stripe.parseEventNotification(body, signature, `${secret}x`));
    assert.throws(() => stripe.webhooks.constructEvent(body, signature, secret), /thin/);
    const notification = stripe.parseEventNotification(body, signature, secret);
    assert.equal(notification.type, type);
    return notification;
  };
  try {
    await body(destination, next);
  } finally {
    const gone = await stripe.v2.core.eventDestinations.del(destination.id);
    assert.deepEqual([gone.id, gone.object], [destination.id, 'v2.core.event_destination']);
    server.closeAllConnections();
    server.close();
  }
};

step('v2: an event destination, its ping, its thin events', async () => {
  await thinDestination(['v1.customer.created', 'v2.core.account.created'], async (destination, next) => {
    assert.match(destination.id, /^ed_test_/);
    assert.equal(destination.webhook_endpoint.url, null);
    const ping = await stripe.v2.core.eventDestinations.ping(destination.id, {}, {idempotencyKey: `ping-${run}`});
    const told = await next('v2.core.event_destination.ping');
    assert.deepEqual([told.id, told.context], [ping.id, null]);
    assert.deepEqual(told.reason.request, {id: ping.lastResponse.requestId, idempotency_key: `ping-${run}`});
    assert.equal((await told.fetchEvent()).id, ping.id);
    assert.equal((await told.fetchRelatedObject()).id, destination.id);

    const customer = await stripe.customers.create({name: 'Thin'});
    const created = await next('v1.customer.created');
    assert.equal((await created.fetchRelatedObject()).name, 'Thin');
    const event = await created.fetchEvent();
    assert.equal((await stripe.events.retrieve(event.snapshot_event)).data.object.id, customer.id);
    const {data} = await stripe.v2.core.events.list({object_id: customer.id});
    assert.deepEqual(data.map((e) => e.id), [created.id]);
    assert.equal((await data[0].fetchRelatedObject()).id, customer.id);

    const account = await stripe.v2.core.accounts.create({display_name: 'Ann', contact_email: 'ann@example.com'});
    const made = await next('v2.core.account.created');
    assert.equal((await made.fetchRelatedObject()).id, account.id);

    const off = await stripe.v2.core.eventDestinations.disable(destination.id);
    assert.deepEqual([off.status, off.status_details], ['disabled', {disabled: {reason: 'user'}}]);
    await stripe.v2.core.eventDestinations.enable(destination.id);
    const changed = await stripe.v2.core.eventDestinations.update(destination.id, {metadata: {a: '1'}, description: 'd'});
    assert.deepEqual([changed.metadata, changed.description], [{a: '1'}, 'd']);
  });
});

step('v2: events of a connected account carry their context', async () => {
  const context = {stripeContext: `acct_thin${run}`};
  const made = await stripe.v2.core.eventDestinations.create(
    {
      name: 'theirs',
      type: 'webhook_endpoint',
      event_payload: 'thin',
      enabled_events: ['*'],
      webhook_endpoint: {url: 'http://127.0.0.1:9/'},
    },
    context,
  );
  await refused(stripe.v2.core.eventDestinations.retrieve(made.id), 'StripeInvalidRequestError', {statusCode: 404});
  const ping = await stripe.v2.core.eventDestinations.ping(made.id, {}, context);
  assert.equal(ping.context, context.stripeContext);
  const fetched = await stripe.v2.core.events.retrieve(ping.id, {}, context);
  assert.equal((await fetched.fetchRelatedObject()).id, made.id);
  await stripe.v2.core.eventDestinations.del(made.id, {}, context);
});

step('v2: pages, keys and errors', async () => {
  const names = Array.from({length: 7}, (_, i) => `page ${i}`);
  const params = (name) => ({
    name,
    type: 'webhook_endpoint',
    event_payload: 'snapshot',
    enabled_events: ['*'],
    webhook_endpoint: {url: 'http://127.0.0.1:9/'},
  });
  const made = [];
  for (const name of names) made.unshift(await stripe.v2.core.eventDestinations.create(params(name)));
  const found = await stripe.v2.core.eventDestinations.list({limit: 3}).autoPagingToArray({limit: 100});
  assert.deepEqual(found.map((d) => d.id), made.map((d) => d.id));
  for (const {id} of made) await stripe.v2.core.eventDestinations.del(id);

  const key = {idempotencyKey: `v2-${run}`};
  const first = await stripe.v2.core.eventDestinations.create(params('once'), key);
  const again = await stripe.v2.core.eventDestinations.create(params('once'), key);
  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true');
  const once = client('test', {maxNetworkRetries: 0});
  await refused(once.v2.core.eventDestinations.create(params('other'), key), 'StripeIdempotencyError');
  const gone = {idempotencyKey: `v2-del-${run}`};
  await stripe.v2.core.eventDestinations.del(first.id, {}, gone);
  assert.equal((await stripe.v2.core.eventDestinations.del(first.id, {}, gone)).id, first.id);

  await refused(stripe.v2.core.eventDestinations.retrieve('ed_none'), 'StripeInvalidRequestError', {
    code: 'not_found',
    statusCode: 404,
  });
  await refused(stripe.v2.core.eventDestinations.create({...params('x'), nope: 1}), 'StripeInvalidRequestError', {
    code: 'invalid_fields',
    message: /'nope: Unknown field\.'/,
  });
});

step('v2: usage, and what failed is tried again under its key', async () => {
  const name = `usage_${run}`;
  const customer = await stripe.customers.create({name: 'Meter'});
  const payload = {stripe_customer_id: customer.id, value: '4'};
  const once = {idempotencyKey: `usage-${run}`};
  const report = () => stripe.v2.billing.meterEvents.create({event_name: name, payload}, once);
  await refused(report(), 'StripeInvalidRequestError');
  const meter = await stripe.billing.meters.create({
    display_name: 'Usage',
    event_name: name,
    default_aggregation: {formula: 'sum'},
  });
  assert.equal((await report()).event_name, name);
  await thinDestination(['v1.billing.meter.error_report_triggered'], async (_, next) => {
    const session = await stripe.v2.billing.meterEventSession.create();
    const events = ['cus_no', customer.id].map((id) => ({
      event_name: name,
      payload: {...payload, stripe_customer_id: id},
    }));
    const stream = (apiKey) => stripe.v2.billing.meterEventStream.create({events}, {apiKey});
    await refused(stream(key('test')), 'StripeAuthenticationError');
    await stream(session.authentication_token);
    const event = await (await next('v1.billing.meter.error_report_triggered')).fetchEvent();
    assert.equal(event.data.reason.error_types[0].code, 'meter_event_customer_not_found');
    assert.equal(event.related_object.id, meter.id);
  });
  const now = Math.floor(Date.now() / 1000);
  const window = {customer: customer.id, start_time: now - 600, end_time: now + 600};
  const {data} = await stripe.billing.meters.listEventSummaries(meter.id, window);
  assert.equal(data[0].aggregated_value, 8);
});

step('everything else answers in the right shape', async () => {
  assert.equal((await stripe.coupons.create({percent_off: 25, duration: 'once'})).object, 'coupon');
  assert.equal((await stripe.taxRates.list()).object, 'list');
  assert.equal((await stripe.reviews.retrieve('prv_123')).id, 'prv_123');
});

step('invoice: items, discount, finalize, pay, credit note', async () => {
  const {customer} = await customerWithCard();
  const coupon = await stripe.coupons.create({percent_off: 50, duration: 'once'});
  await stripe.invoiceItems.create({customer: customer.id, amount: 2000, currency: 'usd'});
  const draft = await stripe.invoices.create({
    customer: customer.id,
    pending_invoice_items_behavior: 'include',
    discounts: [{coupon: coupon.id}],
  });
  assert.deepEqual([draft.status, draft.subtotal, draft.total], ['draft', 2000, 1000]);
  await stripe.invoices.finalizeInvoice(draft.id);
  assert.equal((await stripe.invoices.pay(draft.id)).status, 'paid');
  const note = await stripe.creditNotes.create({invoice: draft.id, amount: 400, refund_amount: 400});
  assert.equal(note.type, 'post_payment');
});

step('test clock: a trial ends and is billed', async () => {
  const start = 1_893_456_000;
  const clock = await stripe.testHelpers.testClocks.create({frozen_time: start});
  const customer = await stripe.customers.create({test_clock: clock.id});
  const method = await stripe.paymentMethods.attach('pm_card_visa', {customer: customer.id});
  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 900,
    recurring: {interval: 'month'},
    product_data: {name: 'Clock club'},
  });
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    default_payment_method: method.id,
    items: [{price: price.id}],
    trial_period_days: 7,
  });
  assert.equal(subscription.status, 'trialing');
  await stripe.testHelpers.testClocks.advance(clock.id, {frozen_time: start + 8 * 86_400});
  await until('the clock', async () => (await stripe.testHelpers.testClocks.retrieve(clock.id)).status === 'ready');
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'active');
  const invoices = await stripe.invoices.list({subscription: subscription.id});
  assert.deepEqual(invoices.data.map((i) => [i.status, i.total]), [['paid', 900], ['paid', 0]]);
});

step('dispute: won with evidence', async () => {
  const intent = await stripe.paymentIntents.create({
    amount: 5000,
    currency: 'usd',
    payment_method: 'pm_card_createDispute',
    confirm: true,
  });
  const {data} = await stripe.disputes.list({payment_intent: intent.id});
  assert.equal(data[0].status, 'needs_response');
  const won = await stripe.disputes.update(data[0].id, {evidence: {uncategorized_text: 'winning_evidence'}});
  assert.equal(won.status, 'won');
});

step('file: upload, contents, link', async () => {
  const bytes = Buffer.from('%PDF-1.4 receipt');
  const file = await stripe.files.create({
    purpose: 'dispute_evidence',
    file: {data: bytes, name: 'receipt.pdf', type: 'application/pdf'},
    file_link_data: {create: true},
  });
  assert.deepEqual([file.filename, file.size, file.type], ['receipt.pdf', bytes.length, 'pdf']);
  const contents = await fetch(file.url, {headers: {authorization: `Bearer ${key('test')}`}});
  assert.deepEqual(Buffer.from(await contents.arrayBuffer()), bytes);
  const shared = await fetch(file.links.data[0].url);
  assert.deepEqual(Buffer.from(await shared.arrayBuffer()), bytes);
  const expired = await stripe.fileLinks.update(file.links.data[0].id, {expires_at: 'now'});
  assert.equal(expired.expired, true);
  assert.equal((await fetch(expired.url)).status, 404);
  await refused(
    stripe.files.create({purpose: 'dispute_evidence', file: {data: Buffer.from('text'), name: 'a.txt'}}),
    'StripeInvalidRequestError',
    {param: 'file'},
  );
});

step('token: a card, once', async () => {
  const token = await stripe.tokens.create({
    card: {number: '4242424242424242', exp_month: '8', exp_year: '2044', cvc: '314'},
  });
  const customer = await stripe.customers.create({source: token.id});
  assert.equal(customer.default_source, token.card.id);
  await refused(stripe.customers.create({source: token.id}), 'StripeInvalidRequestError', {code: 'token_already_used'});
  assert.equal((await stripe.tokens.retrieve(token.id)).used, true);
});

step('tax ids', async () => {
  const customer = await stripe.customers.create({tax_id_data: [{type: 'eu_vat', value: 'DE123456789'}]});
  const [known] = (await stripe.customers.listTaxIds(customer.id)).data;
  assert.deepEqual([known.country, known.verification.status], ['DE', 'pending']);
  await refused(
    stripe.customers.createTaxId(customer.id, {type: 'eu_vat', value: '1'}),
    'StripeInvalidRequestError',
    {code: 'tax_id_invalid'},
  );
  assert.equal((await stripe.customers.deleteTaxId(customer.id, known.id)).deleted, true);
});

step('confirmation token', async () => {
  const token = await stripe.testHelpers.confirmationTokens.create({payment_method: 'pm_card_visa'});
  const params = {amount: 1000, currency: 'usd', confirm: true, confirmation_token: token.id};
  const intent = await stripe.paymentIntents.create(params);
  assert.equal(intent.status, 'succeeded');
  assert.equal((await stripe.confirmationTokens.retrieve(token.id)).payment_intent, intent.id);
  await refused(stripe.paymentIntents.create(params), 'StripeInvalidRequestError', {param: 'confirmation_token'});
});

step('connect: an account, a destination charge, a direct charge', async () => {
  const account = await stripe.accounts.create({
    type: 'express',
    capabilities: {card_payments: {requested: true}, transfers: {requested: true}},
  });
  assert.equal(account.charges_enabled, false);
  const link = await stripe.accountLinks.create({
    account: account.id,
    type: 'account_onboarding',
    refresh_url: 'https://example.com/again',
    return_url: 'https://example.com/done',
  });
  const done = await fetch(link.url, {method: 'POST', redirect: 'manual'});
  assert.equal(done.headers.get('location'), 'https://example.com/done');
  assert.equal((await stripe.accounts.retrieve(account.id)).charges_enabled, true);
  const paid = {amount: 1000, currency: 'usd', payment_method: 'pm_card_visa', confirm: true, expand: ['latest_charge']};
  const passed = await stripe.paymentIntents.create({
    ...paid,
    application_fee_amount: 100,
    transfer_data: {destination: account.id},
  });
  const fee = await stripe.applicationFees.retrieve(passed.latest_charge.application_fee);
  assert.deepEqual([fee.amount, fee.account], [100, account.id]);
  await stripe.refunds.create({payment_intent: passed.id, reverse_transfer: true, refund_application_fee: true});
  assert.equal((await stripe.transfers.retrieve(passed.latest_charge.transfer)).reversed, true);
  assert.equal((await stripe.applicationFees.retrieve(fee.id)).refunded, true);
  const direct = await stripe.paymentIntents.create({...paid, application_fee_amount: 50}, {stripeAccount: account.id});
  assert.equal((await stripe.applicationFees.list({charge: direct.latest_charge.id})).data.length, 1);
  const events = await stripe.events.list({type: 'payment_intent.succeeded'}, {stripeAccount: account.id});
  assert.equal(events.data[0].data.object.id, direct.id);
  assert.equal((await stripe.accounts.del(account.id)).deleted, true);
});

for (const [name, body] of steps) {
  try {
    await body();
    console.log(`ok   ${name}`);
  } catch (error) {
    console.error(`FAIL ${name}\n`, error);
    process.exit(1);
  }
}
console.log(`node SDK ${Stripe.PACKAGE_VERSION}: ${steps.length} steps passed`);
