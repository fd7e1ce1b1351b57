import { apiDocument } from '../reference/api-document.ts';
import type { Schema } from '../reference/document.ts';

type EventTypeInfo = {
  readonly type: string;
  readonly description: string;
  readonly example: unknown;
  /** Of its `data`. */
  readonly data: Schema | undefined;
};

type Webhook = {
  readonly post: {
    readonly summary: string;
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': { readonly schema: Schema; readonly example: unknown };
      };
    };
  };
};

/** Every type of event, as the API's document describes it. */
export async function eventTypes(): Promise<EventTypeInfo[]> {
  const { webhooks } = (await apiDocument()) as { webhooks: Record<string, Webhook> };
  return Object.entries(webhooks).map(([type, { post }]) => {
    const { schema, example } = post.requestBody.content['application/json'];
    return { type, description: post.summary, example, data: schema.properties?.data };
  });
}
