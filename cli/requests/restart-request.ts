import type { Client, PostOptions, VideoRequest } from '../../client/client.ts';

/** Polls an ended or stopped request again. @throws {ApiError} 404: the bridge does not know it */
export async function restartRequest(
  bridge: Client,
  requestId: string,
  call: PostOptions = {},
): Promise<VideoRequest> {
  // Of a request that the bridge does not know there is nothing to begin again.
  await bridge.requests.get(requestId, call);
  return bridge.requests.register({ requestId }, { ...call, restart: true });
}
