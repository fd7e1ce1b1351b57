// A thread that kills its process when standard input closes, that is, when the parent is gone. It is a separate
// thread, so that it also ends code that never returns to its event loop.
import { Socket } from 'node:net';

new Socket({ fd: 0 }).on('close', () => process.kill(process.pid, 'SIGKILL')).resume();
