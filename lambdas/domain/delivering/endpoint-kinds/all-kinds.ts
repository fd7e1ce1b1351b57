export { callback } from './callback.ts';
export { eventbridge } from './eventbridge.ts';
export { http } from './http.ts';
export { pull } from './pull.ts';
