/**
 * An `import` of node:http reads every name that it exports, `WebSocket` among them, which loads undici: about 40 ms of
 * CPU at each cold start. A built-in module that is asked for in this way reads none.
 */
const http = process.getBuiltinModule('node:http');
export default http;
export const { Agent, request, STATUS_CODES } = http;
