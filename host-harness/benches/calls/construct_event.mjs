// The official Node SDK's side of a comparison: a delivery is verified and read, and the event written out again.
// Usage: node construct_event.mjs FOLDER        where FOLDER has the package `stripe` in its node_modules.
//
// On standard input the delivery, {"event", "signature", "secret"} in one line. Then each line asks for a turn of so many
// microseconds, and is answered with a line of times in nanoseconds: a turn is measured here, without what it takes to ask.
import {createRequire} from 'node:module';
import {resolve} from 'node:path';
import {createInterface} from 'node:readline';

const Stripe = createRequire(resolve(process.argv[2], 'package.json'))('stripe');
const {webhooks} = new Stripe(['sk', 'test', 'benchmark'].join('_'));
let delivery;
let written = 0;
for await (const line of createInterface({input: process.stdin})) {
  if (!delivery) {
    delivery = JSON.parse(line);
    delivery.body = Buffer.from(delivery.event);
    continue;
  }
  const times = [];
  const end = process.hrtime.bigint() + BigInt(line) * 1000n;
  for (let began = process.hrtime.bigint(); began < end; ) {
    // A benchmark may take longer than a delivery stays fresh.
    const event = webhooks.constructEvent(delivery.body, delivery.signature, delivery.secret, 86_400);
    written += JSON.stringify(event).length;
    const now = process.hrtime.bigint();
    times.push(Number(now - began));
    began = now;
  }
  console.log(times.join(' '));
}
if (written === 0) process.exit(1);
