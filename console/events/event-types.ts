import { publicClient } from '../session/session.ts';

type EventTypeInfo = {
  readonly type: string;
  readonly description: string;
  readonly example: unknown;
};

type Webhook = {
  readonly post: {
    readonly summary: string;
    readonly requestBody: {
      readonly content: { readonly 'application/json': { readonly example: unknown } };
    };
  };
};

/** Every type of event, as the API's document describes it. */
export async function eventTypes(signal: AbortSignal): Promise<EventTypeInfo[]> {
  const { webhooks } = (await publicClient.openApi({ signal })) as { webhooks: Record<string, Webhook> };
  return Object.entries(webhooks).map(([type, { post }]) => ({
    type,
    description: post.summary,
    example: post.requestBody.content['application/json'].example,
  }));
}
