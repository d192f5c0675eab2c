// What a value of the component looks like in JavaScript, as the component model's bindings define it: a record is an
// object with exactly its members, `option` is the value or undefined, an enum is its name, a variant is {tag, val},
// u64 is a BigInt, list<u8> a Uint8Array, and the error of a `result` is thrown with the error as its `payload`.
//
// A shape is a function of a value and of the place where it stands; it throws where the value is of another shape.
import assert from 'node:assert/strict';

const of = (type) => (value, at) => assert.equal(typeof value, type, `${at} is ${typeof value} and no ${type}`);

export const text = of('string');
export const boolean = of('boolean');
export const bytes = (value, at) => assert.ok(value instanceof Uint8Array, `${at} is no Uint8Array`);
/** u8, u16 and u32. */
export const count = (value, at) => assert.ok(Number.isInteger(value) && value >= 0, `${at} is no count: ${value}`);
/** u64. */
export const large = (value, at) => assert.ok(typeof value === 'bigint' && value >= 0n, `${at} is no BigInt: ${value}`);
export const json = (value, at) => {
  text(value, at);
  JSON.parse(value);
};
export const option = (inner) => (value, at) => value === undefined || inner(value, at);
export const list = (inner) => (value, at) => {
  assert.ok(Array.isArray(value), `${at} is no list`);
  value.forEach((item, index) => inner(item, `${at}[${index}]`));
};
export const pair = (first, second) => (value, at) => {
  assert.ok(Array.isArray(value) && value.length === 2, `${at} is no pair`);
  first(value[0], `${at}[0]`);
  second(value[1], `${at}[1]`);
};
export const oneOf = (...names) => (value, at) => assert.ok(names.includes(value), `${at} is none of ${names}: ${value}`);
export const record = (members) => (value, at) => {
  assert.ok(value !== null && typeof value === 'object', `${at} is no record`);
  assert.deepEqual(Object.keys(value).sort(), Object.keys(members).sort(), `the members of ${at}`);
  for (const [name, inner] of Object.entries(members)) inner(value[name], `${at}.${name}`);
};
/** Cases by name: the shape of what a case carries, or undefined where it carries nothing. */
export const variant = (cases) => (value, at) => {
  assert.ok(value !== null && typeof value === 'object' && value.tag in cases, `${at} is no case: ${JSON.stringify(value)}`);
  const inner = cases[value.tag];
  if (inner) inner(value.val, `${at}.${value.tag}`);
  else assert.equal(value.val, undefined, `${at}.${value.tag} carries something`);
};
/** A kind that may grow: cases that carry nothing, and `other` with the name of one that is not known here. */
const open = (...names) => variant({...Object.fromEntries(names.map((name) => [name, undefined])), other: text});

// types
const extras = list(record({name: text, value: json}));
const mode = oneOf('test', 'live');
const file = record({field: text, name: text, contentType: text, content: bytes});
const metadata = record({
  idempotencyKey: option(text),
  keyProtectsUntil: option(large),
  replayed: boolean,
  requestId: option(text),
  attempts: count,
  mode,
  apiVersion: text,
  account: option(text),
  extras,
});
const resourceRecord = record({resource: text, internal: text, id: text, title: text, url: option(text), fields: json});
export const error = record({
  kind: open(
    'unknown-operation', 'invalid-input', 'invalid-connection', 'authentication', 'permission', 'not-found', 'declined',
    'conflict', 'idempotency', 'rate-limited', 'rejected', 'service', 'timeout', 'network', 'denied', 'signature',
  ),
  message: text,
  hint: option(text),
  field: option(text),
  serviceType: option(text),
  code: option(text),
  declineCode: option(text),
  httpStatus: option(count),
  requestId: option(text),
  docUrl: option(text),
  retry: variant({never: undefined, 'same-key': undefined, after: large}),
  outcome: oneOf('not-sent', 'rejected', 'unknown', 'committed'),
  related: list(record({resource: text, id: text})),
  idempotencyKey: option(text),
  keyProtectsUntil: option(large),
  replayed: boolean,
  attempts: count,
  extras,
});

// connection
export const connectionType = record({
  title: text,
  apiVersion: text,
  methods: list(
    record({
      name: text,
      title: text,
      kind: variant({
        fields: undefined,
        oauth: record({authorizeUrl: text, tokenUrl: text, scopes: list(text), pkce: boolean, tokenField: text}),
        other: text,
      }),
      fields: list(text),
    }),
  ),
  fields: list(
    record({
      name: text,
      kind: open('secret', 'text', 'url'),
      title: text,
      help: text,
      required: boolean,
      placeholder: option(text),
      link: option(text),
      defaultValue: option(text),
    }),
  ),
});
export const connectionReport = record({
  mode,
  accountId: option(text),
  accountName: option(text),
  apiVersion: text,
  restricted: boolean,
  permissions: list(
    record({title: text, operations: list(text), access: oneOf('allowed', 'denied', 'unknown'), grant: option(text)}),
  ),
  extras,
});

// operations
const summary = record({
  id: text,
  toolName: text,
  kind: oneOf('trigger', 'action', 'query'),
  title: text,
  description: text,
  resource: text,
  hints: record({readOnly: boolean, destructive: boolean, idempotent: boolean, movesMoney: boolean}),
  inverse: option(text),
  extras,
});
export const operationPage = record({operations: list(summary), nextCursor: option(text)});
export const operation = record({
  summary,
  aliases: list(text),
  inputSchema: json,
  outputSchema: json,
  sampleInput: json,
  sampleOutput: json,
});

// actions and queries
export const actionResult = record({output: json, record: option(resourceRecord), files: list(file), metadata});
export const queryResult = record({
  output: json,
  records: list(resourceRecord),
  files: list(file),
  nextCursor: option(text),
  metadata,
});

// resources
export const resourceTypes = list(
  record({
    name: text,
    internal: text,
    title: text,
    idPrefixes: list(text),
    mapping: list(
      record({
        internal: text,
        external: text,
        kind: open('text', 'integer', 'boolean', 'timestamp', 'money', 'reference', 'labels'),
      }),
    ),
    hasChoices: boolean,
    choicesNeed: list(text),
    operations: list(text),
  }),
);
export const choicePage = record({
  choices: list(record({value: text, label: text, detail: option(text)})),
  nextCursor: option(text),
  metadata,
});

// triggers
export const event = record({
  id: text,
  eventType: text,
  triggers: list(text),
  occurredAt: large,
  mode,
  account: option(text),
  apiVersion: option(text),
  payload: json,
  complete: boolean,
  record: option(resourceRecord),
  extras,
});
export const receipt = record({
  events: list(event),
  ignored: list(record({id: text, eventType: text, reason: text})),
  response: option(record({status: count, headers: list(pair(text, text)), body: bytes})),
});
export const subscription = record({
  id: text,
  state: text,
  eventTypes: list(text),
  expiresAt: option(large),
  metadata,
  extras,
});
export const unsubscribed = record({state: option(text), eventTypes: list(text), metadata});
export const pollResult = record({events: list(event), cursor: text, hasMore: boolean, metadata});
export const recentEvents = record({events: list(event), metadata});
