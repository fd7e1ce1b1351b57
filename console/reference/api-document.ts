import { publicClient } from '../session/session.ts';

let document: Promise<Record<string, unknown>> | undefined;

/** The API's own document (OpenAPI 3.1). It is loaded once for all pages; a load that failed is tried again. */
export function apiDocument(): Promise<Record<string, unknown>> {
  document ??= publicClient.openApi().catch((error: unknown) => {
    document = undefined;
    throw error;
  });
  return document;
}
