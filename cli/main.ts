import { proposeCompletions, run } from '@stricli/core';
import { createApp } from './app.ts';
import { EXIT } from './frame/failure.ts';
import { version } from './frame/version.ts';

/** What a shell calls for completions; not meant for people. */
const COMPLETE = '__complete';

const app = createApp(version);
const inputs = process.argv.slice(2);
// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.done);
  throw error;
});

if (inputs[0] === COMPLETE) {
  const proposed = await proposeCompletions(app, inputs.slice(1), { process });
  process.stdout.write(proposed.map(({ completion, brief }) => `${completion}\t${brief}\n`).join(''));
} else {
  await run(app, inputs, { process });
  // The library's own codes for what is wrong with the command line are negative.
  const { exitCode } = process;
  if (typeof exitCode === 'number' && exitCode < 0) process.exitCode = EXIT.usage;
}
