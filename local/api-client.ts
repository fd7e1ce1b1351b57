/** Calls the bridge's API with a key. Throws with the problem's detail unless the call succeeded. */
export class ApiClient {
  private readonly baseUrl: string;
  private readonly key: string;

  constructor(baseUrl: string, key: string) {
    this.baseUrl = baseUrl;
    this.key = key;
  }

  get<T>(path: string): Promise<T> {
    return this.call('GET', path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.call('POST', path, body);
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.baseUrl + path, {
      method,
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json().catch(() => ({}))) as { detail?: string; message?: string };
    if (!response.ok) {
      const reason = answer.detail ?? answer.message ?? 'no reason given';
      throw new Error(`${method} ${path} was answered with ${response.status}: ${reason}`);
    }
    return answer as T;
  }
}
