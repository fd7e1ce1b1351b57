import type { Endpoint } from '../../client/client.ts';
import { KINDS } from './endpoint-kinds.ts';

/** How a receiver verifies what it gets, by language; with the libraries of Standard Webhooks. */
const RECEIVING = {
  JavaScript: `// npm install standardwebhooks
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.WEBHOOK_SECRET);

app.post('/hooks', express.raw({ type: '*/*' }), (request, response) => {
  const event = webhook.verify(request.body, request.headers);
  // The same id may come again: remember those that you handled.
  console.log(event.id, event.type, event.data);
  response.sendStatus(204);
});`,
  Python: `# pip install standardwebhooks
import os
from standardwebhooks import Webhook

webhook = Webhook(os.environ["WEBHOOK_SECRET"])

@app.post("/hooks")
def receive():
    event = webhook.verify(request.get_data(), dict(request.headers))
    # The same id may come again: remember those that you handled.
    print(event["id"], event["type"], event["data"])
    return "", 204`,
  Go: `// go get github.com/standard-webhooks/standard-webhooks/libraries/go
webhook, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET"))

func receive(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if err := webhook.Verify(body, r.Header); err != nil {
		http.Error(w, "bad signature", http.StatusBadRequest)
		return
	}
	// The same webhook-id may come again: remember those that you handled.
	w.WriteHeader(http.StatusNoContent)
}`,
  Ruby: `# gem install standardwebhooks
require "standardwebhooks"

WEBHOOK = StandardWebhooks::Webhook.new(ENV.fetch("WEBHOOK_SECRET"))

run(lambda do |env|
  headers = {
    "webhook-id" => env["HTTP_WEBHOOK_ID"],
    "webhook-timestamp" => env["HTTP_WEBHOOK_TIMESTAMP"],
    "webhook-signature" => env["HTTP_WEBHOOK_SIGNATURE"]
  }
  event = WEBHOOK.verify(env["rack.input"].read, headers)
  # The same id may come again: remember those that you handled.
  puts headers["webhook-id"], event
  [204, {}, []]
end)`,
  PHP: `<?php // composer require standard-webhooks/standard-webhooks
require __DIR__ . '/vendor/autoload.php';

$webhook = new StandardWebhooks\\Webhook(getenv('WEBHOOK_SECRET'));
$event = $webhook->verify(file_get_contents('php://input'), [
    'webhook-id' => $_SERVER['HTTP_WEBHOOK_ID'] ?? null,
    'webhook-timestamp' => $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? null,
    'webhook-signature' => $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? null,
]);
// The same id may come again: remember those that you handled.
error_log($event['id'] . ' ' . $event['type']);
http_response_code(204);`,
} as const;

/** How a client of a pull endpoint fetches, verifies and acknowledges. */
const pulling = (url: string) => ({
  JavaScript: `// npm install standardwebhooks
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const url = '${url}/messages';
const headers = { authorization: \`Bearer \${process.env.BRIDGE_KEY}\`, 'content-type': 'application/json' };

for (;;) {
  const { items } = await (await fetch(\`\${url}?wait=20\`, { headers })).json();
  for (const message of items) {
    const event = webhook.verify(message.body, message.headers);
    // The same id may come again: remember those that you handled.
    console.log(event.id, event.type, event.data);
  }
  const ids = items.map((message) => message.headers['webhook-id']);
  if (ids.length > 0)
    await fetch(\`\${url}/ack\`, { method: 'POST', headers, body: JSON.stringify({ ids }) });
}`,
  Python: `# pip install standardwebhooks requests
import os, requests
from standardwebhooks import Webhook

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
url = "${url}/messages"
headers = {"Authorization": f"Bearer {os.environ['BRIDGE_KEY']}"}

while True:
    items = requests.get(url, params={"wait": 20}, headers=headers).json()["items"]
    for message in items:
        event = webhook.verify(message["body"], message["headers"])
        # The same id may come again: remember those that you handled.
        print(event["id"], event["type"], event["data"])
    ids = [message["headers"]["webhook-id"] for message in items]
    if ids:
        requests.post(f"{url}/ack", json={"ids": ids}, headers=headers)`,
});

/** What the receiver of an endpoint runs, by language. */
export const snippetsFor = ({ id, kind }: Pick<Endpoint, 'id' | 'kind'>): Readonly<Record<string, string>> =>
  KINDS[kind].isFetched ? pulling(`${location.origin}/v1/endpoints/${id}`) : RECEIVING;
