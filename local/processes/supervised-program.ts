// Runs the program named by the arguments and kills it when standard input closes: the parent holds the other end,
// so it closes with the parent's death, `kill -9` included. It is for programs that we cannot change.
import { spawn } from 'node:child_process';

const [command = '', ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
process.stdin.on('close', () => child.kill('SIGKILL')).resume();
child.on('error', ({ message }) => {
  console.error(message);
  process.exit(127);
});
child.on('exit', (code) => process.exit(code ?? 1));
