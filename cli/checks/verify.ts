import { command } from '../command/command.ts';
import { Failure, usageError } from '../frame/failure.ts';

type Flags = { secret: string; headers: string; body: string; at?: string };

export const verify = command<Flags>({
  brief: 'Check the signature of a webhook, and say why it fails',
  examples: [
    [
      'verify --secret whsec_… --headers headers.txt --body body.json',
      'Headers as `curl -i` or JSON show them',
    ],
  ],
  flags: {
    secret: {
      kind: 'parsed',
      parse: String,
      brief: 'The secret of the endpoint or of callbacks',
      placeholder: 'SECRET',
    },
    headers: {
      kind: 'parsed',
      parse: String,
      brief: 'A file with the headers: lines, or one JSON object',
      placeholder: 'FILE',
    },
    body: {
      kind: 'parsed',
      parse: String,
      brief: 'A file with the body, byte for byte',
      placeholder: 'FILE',
    },
    at: {
      kind: 'parsed',
      parse: String,
      brief: 'When it arrived (default now), ISO 8601',
      placeholder: 'TIME',
      optional: true,
    },
  },
  offline: true,
  async run({ out }, { secret, headers, body, at }) {
    const now = at === undefined ? Date.now() : Date.parse(at);
    if (Number.isNaN(now)) throw usageError(`--at does not take "${at}": give a time in ISO 8601.`);
    const [{ readFileSync }, { explainSignature }] = await Promise.all([
      import('node:fs'),
      import('./explain-signature.ts'),
    ]);
    const findings = explainSignature({
      secret,
      headers: parseHeaders(readFileSync(headers, 'utf8')),
      body: readFileSync(body),
      now,
    });
    out.value({ valid: findings.length === 0, findings });
    if (findings.length > 0) throw new Failure(findings.join('\n'));
    out.line('The signature is right.');
  },
});

/** Name and value of each header, repeated ones too. Leaves out other lines, such as a status line. */
function parseHeaders(text: string): [string, string][] {
  if (text.trimStart().startsWith('{')) {
    let given: Record<string, unknown>;
    try {
      given = JSON.parse(text) as Record<string, unknown>;
    } catch {
      throw usageError(
        '--headers begins like JSON but is not JSON: correct it, or give one header per line.',
      );
    }
    return Object.entries(given).flatMap(([name, value]) =>
      [value].flat().map((each): [string, string] => [name.toLowerCase(), String(each)]),
    );
  }
  return text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const at = line.indexOf(':');
    return at > 0 ? [[line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]] : [];
  });
}
