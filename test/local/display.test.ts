import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Display } from '../../local/display.ts';

const webhook = {
  receivedAt: '2026-01-01T00:00:00.000Z',
  path: '/',
  headers: {},
  rawBody: '',
  statusCode: 204,
  body: { type: 'video.stored', data: { sequence: 4 } },
};

beforeEach(() => {
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'NODE_DISABLE_COLORS']) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

describe('the display', () => {
  it('tells what happens in one line each, with the time since the start', () => {
    const { display, written } = displayOn(false);
    display.transition({ id: 'msg_1', type: 'video.processing', data: { sequence: 3, progress: 12 } });
    display.copying({
      state: 'copying',
      copiedBytes: 13_100_000,
      bytesPerSecond: 5_250_000,
      size: 39_300_000,
    });
    display.webhook({ ...webhook, verified: true });
    expect(written()).toBe(
      '   1.0s  event    #3 video.processing, 12 %\n' +
        '   2.0s  copy     ████████░░░░░░░░░░░░░░░░  33 % 13.1 MB of 39.3 MB, 5.3 MB/s\n' +
        '   3.0s  webhook  #4 video.stored, signature verified, answered 204\n',
    );
  });

  it('offers a profile of the command line for the bridge that runs', () => {
    const { display, written } = displayOn(false);
    const urls = {
      consoleUrl: 'http://127.0.0.1:8787/console/',
      topazUrl: 'http://127.0.0.1:2',
      receiverUrl: 'http://127.0.0.1:3',
    };
    display.running({ apiUrl: 'http://127.0.0.1:8787', apiKey: 'k', ...urls, bucket: 'videos', seed: 1 });
    expect(written()).toContain('  npm run -s cli -- login local --url http://127.0.0.1:8787 --key k\n');
  });

  it('names the statuses that passed between two polls', () => {
    const { display, written } = displayOn(false);
    const skipped = ['initializing', 'preprocessing'];
    display.transition({ id: 'msg_1', type: 'video.processing', data: { sequence: 3, skipped } });
    expect(written()).toContain(
      '#3 video.processing (initializing and preprocessing passed between two polls)',
    );
  });

  it('draws a copy that goes on over its own line, on a terminal and nowhere else', () => {
    const up = '\u001b[1A';
    const show = (isTTY: boolean, between: boolean) => {
      const { display, written } = displayOn(isTTY);
      display.copying({ state: 'copying', copiedBytes: 1, size: 2 });
      if (between) display.note('x');
      display.copying({ state: 'copying', copiedBytes: 2, size: 2 });
      return written();
    };
    expect(show(true, false)).toContain(up);
    expect(show(true, true)).not.toContain(up);
    expect(show(false, false)).not.toContain(up);
  });

  it('tells of a copy without a known size how many bytes it has', () => {
    const { display, written } = displayOn(false);
    display.copying({ state: 'copying', copiedBytes: 2_000_000 });
    expect(written()).toContain('copy     2.0 MB\n');
  });

  it('does not let a wrong signature pass unnoticed', () => {
    const { display, written } = displayOn(false);
    display.webhook({ ...webhook, verified: false });
    expect(written()).toContain('SIGNATURE NOT VERIFIED');
  });

  it('shows control characters of others as text, so that they cannot steer the terminal', () => {
    const { display, written } = displayOn(false);
    const type = 'x\u001b[2J\u001b]0;owned\u0007\r\n\u202egpj\u009b31m';
    display.webhook({ ...webhook, body: { type }, verified: false });
    display.problem(`deliver: ${type}`);
    const text = written();
    expect(text.split('\n')).toHaveLength(3);
    expect(text).not.toMatch(/[\p{Cf}]|(?!\n)\p{Cc}/u);
  });

  it('tells where a video is and how to fetch it, and two more things to try', () => {
    const { display, written } = displayOn(false);
    const running = {
      apiUrl: 'http://127.0.0.1:1',
      apiKey: 'key',
      consoleUrl: 'http://127.0.0.1:1/console/',
      topazUrl: '',
      receiverUrl: 'http://127.0.0.1:2',
      bucket: '',
      seed: 1,
    };
    display.stored('r1', { state: 'stored', bucket: 'b', key: 'k', size: 5 }, running);
    const text = written();
    expect(text).toContain('s3://b/k, 5 bytes');
    expect(text).toContain("curl -L -H 'Authorization: Bearer key' http://127.0.0.1:1/v1/requests/r1/video");
    expect(text).toContain('"callbackUrl": "http://127.0.0.1:2/mine"');
    expect(text).toContain('http://127.0.0.1:2/_behave');
    expect(text).toContain('open http://127.0.0.1:1/console/ and enter the API key');
  });

  it('uses colors on a terminal only', () => {
    const color = '\u001b[';
    const terminal = displayOn(true);
    terminal.display.note('x');
    expect(terminal.written()).toContain(color);
    const file = displayOn(false);
    file.display.note('x');
    expect(file.written()).not.toContain(color);
  });
});

/** A display whose clock goes on by a second a line. */
function displayOn(isTTY: boolean) {
  const out = Object.assign(new PassThrough(), { isTTY, getColorDepth: () => 8, hasColors: () => true });
  let now = 0;
  const display = new Display(out as unknown as NodeJS.WriteStream, () => {
    now += 1000;
    return now;
  });
  return { display, written: () => String(out.read() ?? '') };
}
