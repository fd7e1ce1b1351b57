import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a receiver got. `now`: when, ms since epoch. */
type Received = {
  readonly secret: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  readonly now: number;
};

const NAMES = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;
/** How far a timestamp may be from now, by Standard Webhooks, s. */
const TOLERANCE_S = 300;
const PREFIX = 'whsec_';

/** Why a signature of Standard Webhooks is wrong, a sentence each; empty when it is right. */
export function explainSignature({ secret, headers, body, now }: Received): string[] {
  const findings: string[] = [];
  const key = keyOf(secret);
  if (!key) return ['This is not a secret: give whsec_ and base64 of 24 to 64 bytes.'];
  const values = NAMES.map((name) => {
    const found = headers.filter(([each]) => each === name).map(([, value]) => value);
    if (found.length === 0) findings.push(`The header ${name} is missing: does a proxy remove it?`);
    if (found.length > 1)
      findings.push(`The header ${name} comes ${found.length} times: a proxy may add it.`);
    return found[0] ?? '';
  });
  if (findings.length > 0) return findings;
  const [id = '', timestamp = '', signature = ''] = values;

  const age = Math.round(now / 1000) - Number(timestamp);
  if (!/^\d+$/.test(timestamp))
    findings.push(`webhook-timestamp is not a number of seconds: "${timestamp}".`);
  else if (age > TOLERANCE_S)
    findings.push(
      `The timestamp is ${age} s old, more than ${TOLERANCE_S} s: it was repeated or delayed, or the clock is wrong. Give --at if it arrived earlier.`,
    );
  else if (age < -TOLERANCE_S)
    findings.push(`The timestamp is ${-age} s in the future: the clock of the receiver is wrong.`);

  const given = signature
    .split(' ')
    .filter((each) => each.startsWith('v1,'))
    .map((each) => each.slice(3));
  if (given.length === 0) return [...findings, 'webhook-signature has no signature of version v1.'];
  const matches = (content: Uint8Array) => {
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(content).digest();
    return given.some((each) => {
      const bytes = Buffer.from(each, 'base64');
      return bytes.length === expected.length && timingSafeEqual(bytes, expected);
    });
  };
  if (matches(body)) return findings;
  const changed = changes(body).find(([, content]) => matches(content));
  return [
    ...findings,
    changed
      ? `The body was changed on its way: ${changed[0]}. Verify the bytes as they came, before they are parsed.`
      : 'The signature does not match: the secret is another one (rotated, or of another endpoint), or the body was changed.',
  ];
}

function keyOf(secret: string): Buffer | undefined {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  const key = Buffer.from(text, 'base64');
  return key.length >= 24 && key.length <= 64 ? key : undefined;
}

/** What receivers commonly do to a body, undone. */
function changes(body: Uint8Array): [string, Uint8Array][] {
  const text = new TextDecoder().decode(body);
  const found: [string, string][] = [
    ['a newline was added at its end', text.replace(/\r?\n$/, '')],
    ['a newline was lost at its end', `${text}\n`],
    ['line ends were turned into CR LF', text.replaceAll('\r\n', '\n')],
    ['a byte order mark was added', text.replace(/^\uFEFF/, '')],
  ];
  try {
    found.push(['JSON was parsed and written again with other blanks', JSON.stringify(JSON.parse(text))]);
  } catch {
    // It is no JSON.
  }
  return found.map(([what, content]) => [what, new TextEncoder().encode(content)]);
}
