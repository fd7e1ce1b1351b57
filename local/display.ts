import { randomUUID } from 'node:crypto';
import { styleText } from 'node:util';
import type { ReceivedWebhook } from './receiver.ts';

/** What the terminal shows of a running bridge. */
export type Running = {
  apiUrl: string;
  apiKey: string;
  consoleUrl: string;
  topazUrl: string;
  receiverUrl: string;
  bucket: string;
  /** Of the random choices of the AWS services. */
  seed: number;
};

/** A video as the API shows it. Sizes are in bytes. */
export type ShownVideo = {
  state: string;
  copiedBytes?: number;
  bytesPerSecond?: number;
  size?: number;
  bucket?: string;
  key?: string;
  checksum?: { algorithm: string; value: string };
  error?: unknown;
};

/** An event as the API shows it. */
export type ShownEvent = {
  id: string;
  type: string;
  data: { sequence?: number; status?: string; progress?: number; skipped?: string[] };
};

type Color = Parameters<typeof styleText>[0];

/** Writes what happens, one line each, with the seconds since the start. Colors only on a terminal. */
export class Display {
  private readonly out: NodeJS.WriteStream;
  private readonly now: () => number;
  private readonly start: number;
  private lastIsCopy = false;

  /** `now` in ms. */
  constructor(out: NodeJS.WriteStream, now: () => number = Date.now) {
    this.out = out;
    this.now = now;
    this.start = now();
  }

  note(text: string): void {
    this.line('dim', 'bridge', text);
  }

  problem(text: string): void {
    this.line('red', 'problem', text);
  }

  running({ apiUrl, apiKey, consoleUrl, topazUrl, receiverUrl, bucket, seed }: Running): void {
    const rows = [
      ['API', apiUrl],
      ['API key', apiKey],
      ['console', consoleUrl],
      ['Topaz API', topazUrl],
      ['receiver', receiverUrl],
      ['bucket', bucket],
      ['seed', String(seed)],
    ];
    const lines = rows.map(([name = '', value = '']) => `  ${this.paint('dim', name.padEnd(10))} ${value}`);
    this.out.write(`\n${this.paint('bold', 'The webhook bridge is running.')}\n${lines.join('\n')}\n\n`);
    const login = `npm run -s cli -- login local --url ${apiUrl} --key ${apiKey}`;
    this.out.write(`Save it as the profile "local" of the command line:\n  ${this.paint('cyan', login)}\n\n`);
  }

  registered(requestId: string): void {
    this.line('cyan', 'request', `${requestId} registered`);
  }

  transition({ type, data: { sequence, progress, skipped } }: ShownEvent): void {
    const percent = progress === undefined ? '' : `, ${progress} %`;
    const unseen = skipped?.length ? ` (${skipped.join(' and ')} passed between two polls)` : '';
    this.line('yellow', 'event', `#${sequence} ${type}${percent}${unseen}`);
  }

  progress(percent: number): void {
    this.line('dim', 'progress', `${percent} %`);
  }

  /** How far a copy is; on a terminal in place of the last such line, if nothing came between. */
  copying({ copiedBytes = 0, bytesPerSecond, size }: ShownVideo): void {
    const rate = bytesPerSecond ? `, ${megabytes(bytesPerSecond)}/s` : '';
    const text = size
      ? `${bar(copiedBytes / size)} ${megabytes(copiedBytes)} of ${megabytes(size)}${rate}`
      : `${megabytes(copiedBytes)}${rate}`;
    if (this.out.isTTY && this.lastIsCopy) this.out.write(LINE_BEFORE);
    this.line('blue', 'copy', text);
    this.lastIsCopy = true;
  }

  webhook({ body, verified, statusCode }: ReceivedWebhook): void {
    const { type = 'not JSON', data } = (body ?? {}) as Partial<ShownEvent>;
    const sequence = data?.sequence === undefined ? '' : `#${data.sequence} `;
    const signature = verified ? 'signature verified' : 'SIGNATURE NOT VERIFIED';
    this.line(
      verified ? 'green' : 'red',
      'webhook',
      `${sequence}${type}, ${signature}, answered ${statusCode}`,
    );
  }

  /** Where a stored video is, and what to do next. */
  stored(
    requestId: string,
    { bucket, key, size = 0, checksum }: ShownVideo,
    { apiUrl, apiKey, consoleUrl, receiverUrl }: Running,
  ): void {
    this.line('green', 'video', `stored as s3://${bucket}/${key}, ${count(size)} bytes`);
    if (checksum) this.line('green', 'video', `${checksum.algorithm} ${checksum.value}`);
    const authorization = `-H 'Authorization: Bearer ${apiKey}'`;
    const callback = `{"requestId": "${randomUUID()}", "callbackUrl": "${receiverUrl}/mine"}`;
    const json = "-H 'Content-Type: application/json'";
    this.out.write(
      `\n${this.paint('bold', 'Three things to try next:')}\n` +
        this.step(
          1,
          'Fetch the video.',
          `curl -L ${authorization} ${apiUrl}/v1/requests/${requestId}/video -o video.mp4`,
        ) +
        this.step(
          2,
          'Register a request of your own; its webhooks appear here.',
          `curl ${authorization} ${json} -d '${callback}' ${apiUrl}/v1/requests`,
        ) +
        this.step(
          3,
          'Let the receiver refuse two webhooks, then do step 2 with another UUID, and see them sent again.',
          `curl -d '{"path": "/mine", "status": 500, "times": 2}' ${receiverUrl}/_behave`,
        ) +
        `\nOr look at all of it in the console: open ${consoleUrl} and enter the API key.\n` +
        '\nThe bridge keeps running until you press Ctrl-C.\n',
    );
  }

  private step(number: number, what: string, command: string): string {
    return `\n  ${number}. ${what}\n     ${this.paint('cyan', command)}\n`;
  }

  private line(color: Color, what: string, text: string): void {
    this.lastIsCopy = false;
    const seconds = ((this.now() - this.start) / 1000).toFixed(1).padStart(6);
    const time = this.paint('dim', `${seconds}s`);
    this.out.write(`${time}  ${this.paint(color, what.padEnd(8))} ${printable(text)}\n`);
  }

  private paint(color: Color, text: string): string {
    return styleText(color, text, { stream: this.out });
  }
}

/** The text with control and formatting characters as `\\u{...}`: what others sent must not steer the terminal. */
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** Up by a line, and clear it. */
const LINE_BEFORE = '\u001b[1A\u001b[2K';
const BAR_WIDTH = 24;

function bar(share: number): string {
  const done = Math.min(1, share);
  const filled = Math.floor(done * BAR_WIDTH);
  const percent = String(Math.floor(done * 100)).padStart(3);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${percent} %`;
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

const count = (bytes: number) => bytes.toLocaleString('en-US');
