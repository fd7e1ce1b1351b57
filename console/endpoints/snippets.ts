/** How a receiver verifies what it gets, by language; with the libraries of Standard Webhooks. */
export const SNIPPETS = {
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
from standardwebhooks.webhooks import Webhook

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
} as const;

export type Language = keyof typeof SNIPPETS;
export const LANGUAGES = (Object.keys(SNIPPETS) as Language[]).map((name) => [name, name] as const);
