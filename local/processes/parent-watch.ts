// A thread that kills its process when standard input closes, that is, when the parent is gone. It is a thread of
// its own so that code which never returns to its event loop ends, too.
import { Socket } from 'node:net';

new Socket({ fd: 0 }).on('close', () => process.kill(process.pid, 'SIGKILL')).resume();
