import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/**
 * Where Debian and others put it; `CHROMIUM` names another one, and then that alone counts. The headless shell comes
 * first: it takes about two thirds of the CPU time of the whole browser.
 */
const PLACES = process.env.CHROMIUM
  ? [process.env.CHROMIUM]
  : [
      '/usr/bin/chromium-headless-shell',
      '/usr/bin/chromium',
      '/usr/bin/chromium-browser',
      '/usr/bin/google-chrome',
    ];

/** The browser on this machine, if there is one. */
export const chromiumPath = PLACES.find((path) => existsSync(path));

export const startChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath ?? '',
    // Containers run as root and have a small /dev/shm.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--autoplay-policy=no-user-gesture-required'],
  });
