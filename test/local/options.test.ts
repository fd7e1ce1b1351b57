import { describe, expect, it } from 'vitest';
import { help, readOptions } from '../../local/options.ts';

describe('the command line', () => {
  it('has defaults for everything', () => {
    expect(readOptions([], {})).toEqual({
      help: false,
      port: 8787,
      dataDir: undefined,
      topazUrl: undefined,
      topazKey: undefined,
      apiKey: undefined,
      demo: true,
      speed: 1,
      tickSeconds: 60,
      workers: undefined,
      harsh: false,
      seed: undefined,
      json: false,
    });
  });

  it('takes every option', () => {
    const args =
      '--port 0 --data d --topaz-url https://t/ --topaz-key k --api-key a --no-demo --speed 2.5 --tick 5 --workers 3 --harsh --seed 7 --json';
    expect(readOptions(args.split(' '), {})).toEqual({
      help: false,
      port: 0,
      dataDir: 'd',
      topazUrl: 'https://t',
      topazKey: 'k',
      apiKey: 'a',
      demo: false,
      speed: 2.5,
      tickSeconds: 5,
      workers: 3,
      harsh: true,
      seed: 7,
      json: true,
    });
  });

  it('takes the key to Topaz from the environment, and rather from the option', () => {
    expect(readOptions(['--topaz-url', 'http://t'], { TOPAZ_API_KEY: 'e' }).topazKey).toBe('e');
    expect(readOptions(['--topaz-key', 'o'], { TOPAZ_API_KEY: 'e' }).topazKey).toBe('o');
  });

  it.each([
    [['--port', '65536'], '--port'],
    [['--port', 'x'], '--port'],
    [['--port', ''], '--port'],
    [['--speed', '0'], '--speed'],
    [['--tick', '0'], '--tick'],
    [['--workers', '0'], '--workers'],
    [['--seed', '-1'], '--seed'],
    [['--topaz-url', 'ftp://t', '--topaz-key', 'k'], '--topaz-url'],
    [['--topaz-url', 'https://t'], 'TOPAZ_API_KEY'],
    [['--api-key', 'a b'], '--api-key takes printable ASCII characters only'],
    [['--color'], "Unknown option '--color'; see --help."],
    [['demo'], 'demo'],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args, {})).toThrow(message);
  });

  it('is explained option by option', () => {
    const options = [
      'port',
      'data',
      'topaz-url',
      'topaz-key',
      'api-key',
      'no-demo',
      'speed',
      'tick',
      'workers',
      'harsh',
      'seed',
      'json',
      'help',
    ];
    for (const option of options) expect(help).toContain(`--${option} `);
  });
});
