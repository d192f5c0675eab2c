// The component in a host that none of its authors wrote: jco turns it into JavaScript, Node runs it, and wasi:http is
// Node's own. Every topic of the contract is asked, without network and against the simulator, and every value that
// comes out is held against the contract's shapes.
// Usage: node contract.mjs component.js http://127.0.0.1:PORT        exits 1 at the first thing that is wrong.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {once} from 'node:events';
import http from 'node:http';
import {pathToFileURL} from 'node:url';
import * as shapes from './shapes.mjs';

const [component, base = 'http://127.0.0.1:12111'] = process.argv.slice(2);
const {actions, connection, operations, queries, resources, triggers} = await import(pathToFileURL(component).href);

const run = Math.random().toString(36).slice(2);
// A key of the form that Stripe's have, and a webhook secret. Neither may come out again.
const key = ['sk', 'test', `jco${run}`].join('_');
const webhookSecret = `whsec_${run}judge`;
let runs = 0;
/** What comes with a call. Calls of one id are tries of one step. */
const context = (id = `${run}-${(runs += 1)}`, history = undefined) => ({
  connection: {
    method: undefined,
    fields: Object.entries({api_key: key, webhook_secret: webhookSecret, api_base: base}).map(([name, value]) => ({name, value})),
    environment: 'development',
  },
  invocation: {id, idempotencyKey: undefined, timeout: undefined, history},
});

const withoutBigInts = (_, value) => (typeof value === 'bigint' ? String(value) : value);
/** Nothing that came out has a secret in it. A subscription's state is the one place that is made for it. */
const discreet = (value) => {
  const said = typeof value === 'string' ? value : JSON.stringify({...value, state: undefined}, withoutBigInts);
  for (const secret of [key, webhookSecret]) assert.ok(!said.includes(secret), `a secret came out: ${said}`);
};
/** The result of a call, of the shape that the contract gives it. */
const ask = (shape, name, call) => {
  let value;
  try {
    value = call();
  } catch (problem) {
    if (problem.payload) problem.message = `${name}: ${JSON.stringify(problem.payload, withoutBigInts)}`;
    throw problem;
  }
  shape(value, name);
  discreet(value);
  return value;
};
/** The error of a call that must have one. */
const refused = (kind, call) => {
  let value;
  try {
    value = call();
  } catch (problem) {
    assert.ok(problem.payload, problem.stack);
    shapes.error(problem.payload, 'error');
    discreet(problem.payload);
    assert.ok([kind].flat().includes(problem.payload.kind.tag), `${problem.payload.kind.tag}: ${problem.payload.message}`);
    return problem.payload;
  }
  return assert.fail(`expected ${kind}, not ${JSON.stringify(value, withoutBigInts)}`);
};

const act = (operation, input, {id, history, files = []} = {}) =>
  ask(shapes.actionResult, operation, () => actions.run(context(id, history), operation, JSON.stringify(input), files));
const find = (operation, input, cursor) =>
  ask(shapes.queryResult, operation, () => queries.run(context(), operation, JSON.stringify(input), cursor));
const everything = {kind: undefined, resource: undefined, search: undefined, all: false};
const page = (filter, cursor, limit) =>
  ask(shapes.operationPage, 'list', () => operations.list({...everything, ...filter}, cursor, limit));
const describe = (id, degree, more = {}) =>
  ask(shapes.operation, `describe ${id}`, () => operations.describe({id, kind: undefined, degree, input: undefined, ...more}));
const allPages = (filter, limit) => {
  const found = [];
  let cursor;
  do {
    const next = page(filter, cursor, limit);
    assert.ok(next.operations.length <= limit);
    found.push(...next.operations);
    cursor = next.nextCursor;
  } while (cursor !== undefined);
  return found;
};
const shown = {tag: 'shown'};
const full = {tag: 'full'};

const steps = [];
const step = (name, body) => steps.push([name, body]);

step('connection.describe', () => {
  const form = ask(shapes.connectionType, 'form', () => connection.describe());
  assert.equal(form.title, 'Stripe');
  assert.deepEqual(form.methods[0].kind, {tag: 'fields'});
  const named = form.fields.map((field) => field.name);
  for (const method of form.methods) assert.ok(method.fields.every((name) => named.includes(name)), method.name);
  const secret = form.fields.find((field) => field.name === 'api_key');
  assert.deepEqual([secret.kind, secret.required], [{tag: 'secret'}, true]);
});

step('operations.list: the catalogue, in pages', () => {
  const whole = allPages({}, 1000);
  const inPages = allPages({}, 7);
  assert.deepEqual(inPages, whole);
  assert.equal(new Set(whole.map(({kind, id}) => `${kind} ${id}`)).size, whole.length);
  for (const {id, toolName, title} of whole) {
    assert.match(toolName, /^[A-Za-z0-9_]{1,64}$/, id);
    assert.ok(title, id);
  }
  const create = whole.find(({id}) => id === 'customer.create');
  assert.deepEqual([create.kind, create.resource, create.hints.readOnly], ['action', 'customer', false]);
  for (const kind of ['trigger', 'action', 'query']) {
    const some = allPages({kind}, 1000);
    assert.deepEqual(some, whole.filter((o) => o.kind === kind));
    assert.ok(some.length > 0, kind);
  }
});

step('operations.list: all of the API', () => {
  const all = allPages({all: true}, 1000);
  assert.ok(all.filter(({kind}) => kind !== 'trigger').length >= 648, `${all.length} operations`);
  assert.deepEqual(allPages({all: true}, 100), all);
  const found = page({all: true, search: 'refund'}, undefined, 5).operations;
  assert.equal(found.length, 5);
});

step('operations.list: what cannot be', () => {
  for (const [filter, cursor, limit] of [[{}, undefined, 0], [{}, undefined, 1001], [{}, 'no cursor', 5]]) {
    const error = refused('invalid-input', () => operations.list({...everything, ...filter}, cursor, limit));
    assert.equal(error.outcome, 'not-sent');
  }
});

step('operations.describe, by degree', () => {
  const [little, much] = [describe('customer.create', shown), describe('customer.create', full)];
  for (const text of [little.inputSchema, much.inputSchema]) {
    const schema = JSON.parse(text);
    assert.equal(schema.type, 'object');
    for (const combinator of ['oneOf', 'anyOf', 'allOf', 'not']) assert.ok(!(combinator in schema), combinator);
  }
  assert.ok(much.inputSchema.length > little.inputSchema.length);
  assert.ok(much.outputSchema.length > little.outputSchema.length);
  assert.ok('email' in JSON.parse(little.inputSchema).properties);
  assert.equal(JSON.parse(little.sampleOutput).object, 'customer');

  const both = ['action', 'trigger'].map((kind) => describe('customer.create', shown, kind === 'action' ? {kind} : {}));
  assert.deepEqual(both[0], both[1]);
  assert.equal(describe('customer.created', shown).summary.kind, 'trigger');
  const unknown = refused('unknown-operation', () =>
    operations.describe({id: 'customer.creat', kind: undefined, degree: shown, input: undefined}),
  );
  assert.match(`${unknown.message} ${unknown.hint}`, /customer\.create/);
  refused('invalid-input', () =>
    operations.describe({id: 'customer.create', kind: undefined, degree: {tag: 'other', val: 'nonsense'}, input: undefined}),
  );
});

step('operations.object-schema', () => {
  const schema = JSON.parse(ask(shapes.json, 'schema', () => operations.objectSchema('customer')));
  assert.ok('email' in schema.properties);
  const named = new Set();
  JSON.stringify(JSON.parse(describe('customer.retrieve', shown).outputSchema), (name, value) => {
    if (name === 'x-object') named.add(value);
    return value;
  });
  for (const name of named) ask(shapes.json, name, () => operations.objectSchema(name));
  refused(['invalid-input', 'unknown-operation'], () => operations.objectSchema('no such object'));
});

step('resources.list and resources.resolve', () => {
  const types = ask(shapes.resourceTypes, 'resources', () => resources.list());
  const customer = types.find((type) => type.name === 'customer');
  assert.deepEqual([customer.internal, customer.idPrefixes], ['contact', ['cus_']]);
  assert.ok(customer.operations.includes('customer.create'));
  assert.equal(resources.resolve('cus_NffrFeUfNV2Hib'), 'customer');
  assert.equal(resources.resolve('nothing at all'), undefined);
});

step('connection.test', () => {
  const report = ask(shapes.connectionReport, 'report', () => connection.test(context()));
  assert.deepEqual([report.mode, report.restricted], ['test', false]);
  const refusal = context();
  refusal.connection.fields = [{name: 'api_base', value: base}];
  assert.equal(refused('invalid-connection', () => connection.test(refusal)).field, 'api_key');
});

step('actions.run: a customer is created, and only once', () => {
  const input = {email: `${run}@example.com`, name: 'Zoë 株式会社 😀', metadata: {run}};
  const id = `${run}-create`;
  const made = act('customer.create', input, {id});
  const output = JSON.parse(made.output);
  assert.deepEqual([output.object, output.name], ['customer', input.name]);
  assert.deepEqual([made.record.resource, made.record.internal, made.record.id], ['customer', 'contact', output.id]);
  assert.deepEqual([made.metadata.attempts, made.metadata.replayed, made.metadata.mode], [1, false, 'test']);
  assert.ok(made.metadata.keyProtectsUntil > BigInt(Math.floor(Date.now() / 1000)));
  assert.deepEqual(made.files, []);

  const firstTry = BigInt(Math.floor(Date.now() / 1000)) - 5n;
  const again = act('customer.create', input, {id, history: {firstTry, tries: 1, inDoubt: true}});
  assert.equal(JSON.parse(again.output).id, output.id);
  assert.deepEqual([again.metadata.replayed, again.metadata.idempotencyKey], [true, made.metadata.idempotencyKey]);

  const other = refused('idempotency', () =>
    actions.run(context(id, {firstTry, tries: 2, inDoubt: false}), 'customer.create', '{"name":"Another"}', []),
  );
  assert.equal(other.outcome, 'unknown');
});

step('queries.run: one object, pages of a list, and none', () => {
  const made = [1, 2, 3].map((n) => JSON.parse(act('customer.create', {name: `n${n}`, email: `list-${run}@example.com`}).output));
  const one = find('customer.retrieve', {customer: made[0].id});
  assert.deepEqual(JSON.parse(one.output), made[0]);
  assert.deepEqual(one.records.map((r) => r.id), [made[0].id]);
  assert.equal(one.nextCursor, undefined);

  const seen = [];
  let cursor;
  do {
    const found = find('customer.list', {email: `list-${run}@example.com`, limit: 2}, cursor);
    assert.ok(found.records.length <= 2);
    seen.push(...found.records.map((r) => r.id));
    cursor = found.nextCursor;
  } while (cursor !== undefined);
  assert.deepEqual(seen, made.map((c) => c.id).reverse());

  const missing = refused('not-found', () =>
    queries.run(context(), 'customer.retrieve', '{"customer":"cus_NoSuchCustomer1"}', undefined),
  );
  assert.deepEqual([missing.field, missing.code, missing.httpStatus], ['customer', 'resource_missing', 404]);
  assert.deepEqual([missing.retry, missing.outcome], [{tag: 'never'}, 'rejected']);
});

step('actions.run: declined', () => {
  const input = {amount: 700, currency: 'usd', payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds', confirm: true};
  const error = refused('declined', () => actions.run(context(), 'payment_intent.create', JSON.stringify(input), []));
  assert.deepEqual([error.code, error.declineCode, error.httpStatus], ['card_declined', 'insufficient_funds', 402]);
  assert.ok(error.related.some(({resource}) => resource === 'payment_intent'), 'the payment is named');
});

step('actions.run: bad input leaves nothing', () => {
  const cases = [['{"emial":"a@example.com"}', 'emial'], ['{"email":1}', 'email'], ['{"email"', undefined]];
  for (const [input, field] of cases) {
    const error = refused('invalid-input', () => actions.run(context(), 'customer.create', input, []));
    assert.deepEqual([error.outcome, error.attempts, error.httpStatus, error.field], ['not-sent', 0, undefined, field]);
  }
  refused('unknown-operation', () => actions.run(context(), 'customer.nothing', '{}', []));
});

step('actions.run: a file goes in as bytes', () => {
  const content = new TextEncoder().encode('%PDF-1.4 receipt');
  const files = [{field: 'file', name: 'receipt.pdf', contentType: 'application/pdf', content}];
  const output = JSON.parse(act('v1.files.create', {purpose: 'dispute_evidence'}, {files}).output);
  assert.deepEqual([output.object, output.filename, output.size], ['file', 'receipt.pdf', content.length]);
});

step('resources.choices', () => {
  const request = {resource: 'customer', forField: undefined, search: undefined, cursor: undefined, limit: 2};
  const first = ask(shapes.choicePage, 'choices', () => resources.choices(context(), request));
  assert.equal(first.choices.length, 2);
  const next = ask(shapes.choicePage, 'choices', () => resources.choices(context(), {...request, cursor: first.nextCursor}));
  assert.notEqual(next.choices[0].value, first.choices[0].value);
});

/** A request as it arrives, signed as the service signs. */
const delivery = (body, secret = webhookSecret, at = Math.floor(Date.now() / 1000)) => ({
  method: 'POST',
  path: '/webhooks/stripe',
  query: undefined,
  headers: [
    ['Content-Type', 'application/json'],
    ['Stripe-Signature', `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`],
  ],
  body: new TextEncoder().encode(body),
});
const receive = (request, {state, uses = []} = {}) =>
  ask(shapes.receipt, 'receive', () => triggers.receive(context(), state, uses, request));

step('triggers.receive: genuine and not', async () => {
  act('customer.create', {name: 'Event'});
  const answer = await fetch(`${base}/v1/events?type=customer.created&limit=1`, {headers: {authorization: `Bearer ${key}`}});
  const [told] = (await answer.json()).data;
  const body = JSON.stringify(told);
  const {events, ignored} = receive(delivery(body));
  assert.deepEqual([events.length, ignored.length], [1, 0]);
  const [event] = events;
  assert.deepEqual([event.id, event.eventType, event.occurredAt], [told.id, 'customer.created', BigInt(told.created)]);
  assert.ok(event.triggers.includes('customer.created'), `${event.triggers}`);
  assert.deepEqual([event.complete, event.record.id], [true, told.data.object.id]);
  assert.deepEqual(JSON.parse(event.payload), told);

  const used = receive(delivery(body), {uses: [{trigger: 'customer.created', input: '{}'}]});
  assert.deepEqual(used.events[0].triggers, ['customer.created']);

  const forged = [
    delivery(body, 'whsec_another'),
    delivery(body, webhookSecret, Math.floor(Date.now() / 1000) - 3600),
    {...delivery(body), body: new TextEncoder().encode(body.replace('Event', 'Forged'))},
    {...delivery(body), headers: []},
  ];
  for (const request of forged) {
    const error = refused('signature', () => triggers.receive(context(), undefined, [], request));
    assert.deepEqual([error.retry, error.attempts], [{tag: 'never'}, 0]);
  }
});

step('triggers.subscribe, a delivery, triggers.renew, triggers.unsubscribe', async () => {
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const callbackUrl = `http://127.0.0.1:${server.address().port}/hooks?step=1`;
  const delivered = once(server, 'request', {signal: AbortSignal.timeout(10_000)}).then(async ([request, answer]) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    answer.end();
    const url = new URL(request.url, callbackUrl);
    return {
      method: request.method,
      path: url.pathname,
      query: url.search.slice(1),
      headers: Object.entries(request.headers),
      body: new Uint8Array(Buffer.concat(chunks)),
    };
  });
  const uses = [{trigger: 'customer.created', input: '{}'}];
  const made = ask(shapes.subscription, 'subscribe', () =>
    triggers.subscribe(context(), {callbackUrl, triggers: uses, state: undefined}),
  );
  assert.ok(made.eventTypes.includes('customer.created'));

  const customer = JSON.parse(act('customer.create', {name: 'Delivered'}).output);
  const {events} = receive(await delivered, {state: made.state, uses});
  assert.equal(events[0].record.id, customer.id);

  const renewed = ask(shapes.subscription, 'renew', () => triggers.renew(context(), made.state));
  assert.deepEqual([renewed.id, renewed.eventTypes], [made.id, made.eventTypes]);
  const ended = ask(shapes.unsubscribed, 'unsubscribe', () => triggers.unsubscribe(context(), renewed.state, undefined));
  assert.deepEqual([ended.state, ended.eventTypes], [undefined, []]);
  server.close();
  server.closeAllConnections();
});

step('triggers.poll, triggers.recent, triggers.sample', () => {
  const uses = [{trigger: 'customer.created', input: '{}'}];
  const poll = (cursor) => ask(shapes.pollResult, 'poll', () => triggers.poll(context(), uses, cursor));
  let {cursor, events} = poll(undefined);
  assert.deepEqual(events, []);
  const id = JSON.parse(act('customer.create', {name: 'Polled'}).output).id;
  const seen = [];
  for (let more = true; more; ) {
    const next = poll(cursor);
    seen.push(...next.events.map((event) => event.record.id));
    [cursor, more] = [next.cursor, next.hasMore];
  }
  assert.ok(seen.includes(id));
  const recent = ask(shapes.recentEvents, 'recent', () => triggers.recent(context(), uses[0], 3));
  assert.equal(recent.events[0].record.id, id);
  assert.equal(recent.events.length, 3);
  const sample = ask(shapes.event, 'sample', () => triggers.sample('customer.created'));
  assert.deepEqual([sample.eventType, sample.complete], ['customer.created', true]);
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
console.log(`jco in Node ${process.versions.node}: ${steps.length} steps passed`);
// The thread that wasi:http runs on would keep Node waiting.
process.exit(0);
