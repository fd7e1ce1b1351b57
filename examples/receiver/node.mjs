// Receives webhooks: WEBHOOK_SECRET=whsec_... PORT=9000 node node.mjs
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

/** Payloads stay under 20 kB; a larger body is not from the bridge. */
const MAX_BYTES = 65_536;

const missing = ['WEBHOOK_SECRET', 'PORT'].filter((name) => !process.env[name]);
if (missing.length > 0) {
  console.error(`Set ${missing.join(' and ')}.`);
  process.exit(1);
}
const webhook = new Webhook(process.env.WEBHOOK_SECRET);

// This example keeps its state in memory. Use a database instead, and write to it before you answer: after
// a 2xx the bridge does not send the event again.
const seen = new Set();
const latest = new Map();
let work = Promise.resolve();

const server = createServer(async (request, response) => {
  const { status, event } = await receive(request).catch(() => ({ status: 400 }));
  response.writeHead(status).end();
  if (event) work = work.then(() => handle(event)).catch(console.error);
});
server.listen(process.env.PORT, () => console.log(`Listening on port ${server.address().port}`));
process.on('SIGTERM', () => server.close());

/** How to answer, and the event if it is new. */
async function receive(request) {
  if (request.method !== 'POST') return { status: 405 };
  const body = await read(request);
  if (!body) return { status: 413 };
  const event = verified(body, request.headers);
  if (!event) return { status: 400 };
  return { status: 204, event: isNew(event) ? event : undefined };
}

/** The bytes as they came, since the signature covers them; undefined when there are too many. */
async function read(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= MAX_BYTES) chunks.push(chunk);
  }
  return size <= MAX_BYTES ? Buffer.concat(chunks) : undefined;
}

function verified(body, headers) {
  try {
    return webhook.verify(body, headers);
  } catch {
    return undefined;
  }
}

/** Whether an event has not come before and is not older than the last one of its request. */
function isNew({ id, timestamp, data: { requestId, sequence } }) {
  if (seen.has(id)) return false;
  seen.add(id);
  // An event about an endpoint.
  if (requestId === undefined) return true;
  const last = latest.get(requestId);
  // `progress.updated` carries the number of the event before it; the time orders equal numbers.
  const older = sequence < last?.sequence || (sequence === last?.sequence && timestamp < last.timestamp);
  if (!older) latest.set(requestId, { sequence, timestamp });
  return !older;
}

/** Your work. It may take long, since the answer is already sent. Ignore types that you do not know. */
async function handle({ type, data }) {
  console.log(type, data.requestId ?? data.endpointId, data.sequence ?? '-');
}
