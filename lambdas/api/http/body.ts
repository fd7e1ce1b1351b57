import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { invalid, Problem } from './problem.ts';
import type { Route } from './route.ts';
import { parse, refusePrototypes } from './validation.ts';

const MAX_BODY_BYTES = 262_144;
const JSON_TYPE = /^application\/json *(;|$)/i;

/** The call's body as its route's schema wants it; throws a problem for any other. */
export function readBody(route: Route, event: APIGatewayProxyEventV2): unknown {
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  const limit = route.maxBodyBytes ?? MAX_BODY_BYTES;
  if (bytes.length > limit) {
    throw new Problem(413, `The body has ${bytes.length} bytes: send at most ${limit}.`);
  }
  if (bytes.length === 0) {
    if (!route.body) return undefined;
    if (route.bodyOptional) return parse(route.body, {});
    throw invalid([{ path: '', message: 'The body is missing: send a JSON object.' }]);
  }
  if (route.method === 'GET' || route.method === 'DELETE') return undefined;
  if (!JSON_TYPE.test(event.headers['content-type'] ?? '')) {
    throw new Problem(415, 'The body must be JSON: send it with "Content-Type: application/json".');
  }
  const value = parseJson(bytes);
  if (route.body) {
    if (!route.describedBody) refusePrototypes(value);
    return parse(route.body, value);
  }
  const fields = typeof value === 'object' && value !== null ? Object.keys(value) : [''];
  if (fields.length > 0) {
    throw invalid(fields.map((path) => ({ path, message: 'This call takes no fields: send no body.' })));
  }
  return undefined;
}

function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid([{ path: '', message: 'The body is not UTF-8; encode it as UTF-8.' }]);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw invalid([{ path: '', message: 'The body is not valid JSON; correct it.' }]);
  }
}
