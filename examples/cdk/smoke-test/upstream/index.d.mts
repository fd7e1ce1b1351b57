/** Takes a call of a function URL, payload format 2.0. */
export function handler(event: unknown): Promise<unknown>;
