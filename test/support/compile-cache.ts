import { join } from 'node:path';

// The processes that tests start load the same modules again and again, so Node keeps them compiled. A worker of vitest
// must not find this when it starts: on exit it would write a cache of its own modules that nothing reads.
const { BRIDGE_TEST_FOLDER: folder } = process.env;
if (folder) process.env.NODE_COMPILE_CACHE ??= join(folder, 'compiled');
