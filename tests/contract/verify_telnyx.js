// Whether Telnyx's own SDK takes a webhook: one JSON object {"key", "headers", "body"} a line in, {"valid", "why"} out.
"use strict";
const { Telnyx } = require("telnyx");
const client = new Telnyx({ apiKey: "KEY" });

(async () => {
  for await (const line of require("readline").createInterface({ input: process.stdin })) {
    const { key, headers, body } = JSON.parse(line);
    let said = { valid: true };
    try {
      await client.webhooks.unwrap(body, { headers, key });
    } catch (error) {
      said = { valid: false, why: error.message };
    }
    console.log(JSON.stringify(said));
  }
})();
