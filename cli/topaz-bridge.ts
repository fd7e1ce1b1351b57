#!/usr/bin/env node
import module from 'node:module';

/** Where compiled code is kept between runs: in a folder of the user's own, since what lies there is run. */
const { XDG_CACHE_HOME, HOME, LOCALAPPDATA } = process.env;
const folder = XDG_CACHE_HOME ?? (HOME ? `${HOME}/.cache` : LOCALAPPDATA);
// Node 20 has no such cache, and starts without it.
if (folder) module.enableCompileCache?.(`${folder}/topaz-bridge`);
await import('./main.ts');
