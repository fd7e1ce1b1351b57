// Kills processes when standard input closes: the parent holds the other end, so it closes with the parent's death,
// `kill -9` included. Neither a program of others, nor one that is stopped (SIGSTOP) or never returns to its event
// loop, can watch its parent itself. Lines `+PID` and `-PID` say which ones to kill.
import { createInterface } from 'node:readline';

const pids = new Set<number>();
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const pid = Number(line.slice(1));
    if (line.startsWith('+')) pids.add(pid);
    else pids.delete(pid);
  })
  .on('close', () => {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it has ended
      }
    }
    process.exit(0);
  });
