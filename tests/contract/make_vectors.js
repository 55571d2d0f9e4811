// Webhook signatures by the providers' own SDKs, good and bad, each with the SDK's verdict:
//   make_vectors.js twilio > tests/data/twilio/signatures.json     (the same each time)
//   make_vectors.js telnyx > tests/data/telnyx/signatures.json     (of keys that are made for it and thrown away)
//   make_vectors.js telnyx-verdicts < tests/data/telnyx/signatures.json
// Run where package.json is installed (npm ci).
"use strict";
const crypto = require("crypto");
const { dependencies: versions } = require("./package.json");

// --- Twilio: HMAC-SHA1 over URL and sorted parameters; of JSON over the URL with the body's hash in it
const TOKEN = "12345678901234567890123456789012"; // nobody's
const OTHER_TOKEN = "x".repeat(32);
const BASE = "https://gateway.example.org/webhooks/0198c5d0-0000-7000-8000-0000000000e1";
const FORM = "application/x-www-form-urlencoded; charset=UTF-8";
const SMS = [
  ["ToCountry", "US"], ["ToState", "NY"], ["SmsMessageSid", `SM${"1".repeat(32)}`], ["NumMedia", "0"], ["ToCity", ""], ["FromZip", ""],
  ["SmsSid", `SM${"1".repeat(32)}`], ["SmsStatus", "received"], ["Body", "Are we on? 1+1=2 & 100% “ok” 🍕"], ["To", "+12125550100"],
  ["MessageSid", `SM${"1".repeat(32)}`], ["AccountSid", `AC${"5".repeat(32)}`], ["From", "+12125550123"], ["ApiVersion", "2010-04-01"]];
const WHATSAPP = [
  ["From", "whatsapp:+12125550123"], ["To", "whatsapp:+12125550100"], ["Body", "hi"], ["ProfileName", "Zoë +1"], ["MessageType", "text"],
  ["ChannelMetadata", '{"type":"whatsapp","data":{"context":{"ProfileName":"Zoë"}}}'], ["WaId", "12125550123"], ["Forwarded", "true"]];
const ONE = [["A", "1"]];
const FORMS = [
  ["plain sms", BASE, SMS], ["status with our query", `${BASE}?a=abc-def_123`, [
    ["MessageSid", "SM1"], ["MessageStatus", "delivered"], ["To", "+1"], ["From", "+2"]]],
  ["untrimmed", BASE, [["Body", "  two spaces before and after  \n"], ["From", "+1"], ["MessageSid", "SM1"], ["To", "+2"]]],
  ["empty values count", BASE, [["A", ""], ["B", "x"], ["C", ""]]],
  ["upper before lower", BASE, [["a", "1"], ["B", "2"], ["_", "3"], ["AB", "4"], ["aB", "5"]]],
  ["names beyond ascii", BASE, [["ключ", "значение"], ["a", "é"]]], ["crlf", BASE, [["Body", "line\r\nline"], ["From", "+1"]]],
  ["duplicate names", BASE, [["MediaUrl", "https://b"], ["MediaUrl", "https://a"], ["MediaUrl", "https://b"], ["X", "1"]]],
  ["duplicate equal", BASE, [["K", "v"], ["K", "v"], ["X", "1"]]], ["whatsapp", BASE, WHATSAPP],
  ["port 443", "https://gateway.example.org:443/webhooks/x", ONE], ["port 8443", "https://gateway.example.org:8443/webhooks/x?a=1", ONE],
  ["http port 80", "http://gateway.example.org/webhooks/x", ONE],
  ["user and password", "https://user:pass@gateway.example.org/webhooks/x", ONE],
  ["query order as sent", `${BASE}?b=2&a=1&c=%2B`, ONE], ["plus in query", `${BASE}?c=+`, ONE], ["no fields", BASE, []],
  ["ipv6", "https://[2001:db8::1]/webhooks/x", ONE]];
const DOCUMENTS = ['{"CallSid":"CA1","Body":"ü 🍕"}', "{}", "[]", ' {"a": 1}\n', ""];

// As a form's parser gives them: a name that is there twice has a list.
function parameters(pairs) {
  const found = {};
  for (const [name, value] of pairs) found[name] = name in found ? [].concat(found[name], value) : value;
  return found;
}

function encode(pairs) {
  return new URLSearchParams(pairs).toString();
}

// The authority of a URL with this port, or without any.
function withPort(url, port) {
  const [, scheme, authority, rest] = /^(\w+):\/\/([^/]*)(.*)$/.exec(url);
  return `${scheme}://${authority.replace(/(?<!:[^\]]*):\d+$|(?<=\]):\d+$/, "")}${port ? `:${port}` : ""}${rest}`;
}

function twilioVectors() {
  const { getExpectedTwilioSignature: sign, getExpectedBodyHash: hash, validateRequest, validateRequestWithBody } =
    require("twilio/lib/webhooks/webhooks");
  const vectors = [];

  function form(name, url, pairs, signature) {
    vectors.push({ name, url, content_type: FORM, body: encode(pairs), signature, valid: validateRequest(TOKEN, signature, url, parameters(pairs)) });
  }
  function json(name, url, body, signature) {
    vectors.push({ name, url, content_type: "application/json", body, signature, valid: validateRequestWithBody(TOKEN, signature, url, body) });
  }
  for (const [name, url, pairs] of FORMS) {
    const values = parameters(pairs), usual = url.startsWith("https") ? 443 : 80;
    form(`${name}, signed as configured`, url, pairs, sign(TOKEN, url, values));
    form(`${name}, signed without port`, url, pairs, sign(TOKEN, withPort(url), values));
    form(`${name}, signed with port`, url, pairs, sign(TOKEN, /:\d+\//.test(url) ? url : withPort(url, usual), values));
    form(`${name}, other token`, url, pairs, sign(OTHER_TOKEN, url, values));
    form(`${name}, other host`, url, pairs, sign(TOKEN, url.replace(/(gateway\.example\.org|\[2001:db8::1\])/, "evil.example.org"), values));
    form(`${name}, other path`, url, pairs, sign(TOKEN, url.replace("/webhooks/", "/webhook/"), values));
    form(`${name}, one field more`, url, [...pairs, ["Extra", "x"]], sign(TOKEN, url, values));
  }
  const quoted = `${BASE}?a='x'`, legacy = `${BASE}?a=x%20y&b=%28z%29`, upper = "https://Gateway.Example.org/webhooks/x";
  const other = "https://gateway.example.org:8443/webhooks/x";
  form("apostrophe, signed escaped", quoted, ONE, sign(TOKEN, quoted.replace(/'/g, "%27"), parameters(ONE)));
  form("legacy query string, signed rewritten", legacy, ONE, sign(TOKEN, `${BASE}?a=x%20y&b=(z)`, parameters(ONE)));
  form("upper-case host, signed lower", upper, ONE, sign(TOKEN, upper.toLowerCase(), parameters(ONE)));
  form("other port than configured", other, ONE, sign(TOKEN, withPort(other, 9443), parameters(ONE)));
  form("http for https", BASE, ONE, sign(TOKEN, BASE.replace("https", "http"), parameters(ONE)));
  form("value trimmed", BASE, [["A", " 1 "]], sign(TOKEN, BASE, { A: "1" }));
  form("case of a name", BASE, [["a", "1"]], sign(TOKEN, BASE, { A: "1" }));
  for (const body of DOCUMENTS) {
    const url = `${BASE}?bodySHA256=${hash(body)}`, name = `json ${JSON.stringify(body)}`, shouted = `${BASE}?bodySHA256=${hash(body).toUpperCase()}`;
    json(name, url, body, sign(TOKEN, url, {}));
    json(`${name}, with port`, url, body, sign(TOKEN, withPort(url, 443), {}));
    json(`${name}, other body`, url, `${body} `, sign(TOKEN, url, {}));
    json(`${name}, upper-case hash`, shouted, body, sign(TOKEN, shouted, {}));
    json(`${name}, other token`, url, body, sign(OTHER_TOKEN, url, {}));
  }
  const own = '{"a":1}', behind = `${BASE}?a=token&bodySHA256=${hash(own)}`;
  json("json, behind our own query", behind, own, sign(TOKEN, behind, {}));
  return { source: `npm twilio ${versions.twilio}, lib/webhooks/webhooks.js`, token: TOKEN, vectors };
}

// --- Telnyx: Ed25519 over time, "|" and the raw body
const NOW = 1789845239;
const EVENTS = [
  ["sms", '{"data":{"event_type":"message.received","id":"1","payload":{"text":"hello"}}}'],
  ["beyond ascii", '{"data":{"payload":{"text":"Zoë: “1+1=2” & 100% 🍕"}}}'], ["escaped", '{"data":{"payload":{"text":"Zo\\u00eb \\ud83c\\udf55"}}}'],
  ["whatsapp", '{"data":{"event_type":"whatsapp.messages","payload":{"messages":[{"type":"text","text":{"body":"Hola"}}]}}}'],
  ["spaces", ' {"data" : { } }\r\n'], ["empty object", "{}"], ["with a bar", '{"a":"1|2"}'], ["large", `{"a":"${"x".repeat(500)}"}`]];

function telnyxKey() {
  const { publicKey, privateKey } = crypto.generateKeyPairSync("ed25519");
  return { publicKey: publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64"),
           sign: (text) => crypto.sign(null, Buffer.from(text), privateKey) };
}

async function telnyxVerdict(vector) {
  const { Telnyx } = require("telnyx");
  const clock = Date.now;
  Date.now = () => vector.now * 1000; // the SDK asks for the time
  try {
    await new Telnyx({ apiKey: "KEY" }).webhooks.unwrap(vector.body, { headers: vector.headers, key: vector.key });
    return true;
  } catch (error) {
    if (error.constructor.name !== "TelnyxWebhookVerificationError") throw error;
    return false;
  } finally {
    Date.now = clock;
  }
}

function telnyxCases() {
  const key = telnyxKey(), other = telnyxKey(), cases = [];

  function add(name, body, stamp, signature) {
    const headers = {};
    if (stamp !== null) headers["telnyx-timestamp"] = String(stamp);
    if (signature !== null) headers["telnyx-signature-ed25519"] = Buffer.isBuffer(signature) ? signature.toString("base64") : signature;
    cases.push({ name, key: key.publicKey, now: NOW, headers, body });
  }
  for (const [name, body] of EVENTS) {
    const good = key.sign(`${NOW}|${body}`), text = good.toString("base64");
    const flipped = Buffer.from(good);
    flipped[17] ^= 1;
    for (const age of [0, -300, 300, -299, 60]) add(`${name}, at ${age} s`, body, NOW + age, key.sign(`${NOW + age}|${body}`));
    for (const age of [-301, 301, -86400]) add(`${name}, at ${age} s, too far`, body, NOW + age, key.sign(`${NOW + age}|${body}`));
    add(`${name}, of another key`, body, NOW, other.sign(`${NOW}|${body}`));
    add(`${name}, one bit flipped`, body, NOW, flipped);
    add(`${name}, one space more`, `${body} `, NOW, good);
    add(`${name}, at another time`, body, NOW + 1, good);
    add(`${name}, written anew`, JSON.stringify({ again: JSON.parse(body) }), NOW, good);
    add(`${name}, the body alone`, body, NOW, key.sign(body));
    add(`${name}, joined by a dot`, body, NOW, key.sign(`${NOW}.${body}`));
    add(`${name}, the time alone`, body, NOW, key.sign(`${NOW}|`));
    add(`${name}, truncated`, body, NOW, good.subarray(0, 63));
    add(`${name}, half of it`, body, NOW, good.subarray(0, 32));
    add(`${name}, too long`, body, NOW, Buffer.concat([good, Buffer.from([0])]));
    add(`${name}, twice`, body, NOW, `${text},${text}`);
    add(`${name}, in hex`, body, NOW, good.toString("hex"));
    add(`${name}, without padding`, body, NOW, text.replace(/=+$/, ""));
    add(`${name}, empty`, body, NOW, "");
    add(`${name}, zeros`, body, NOW, Buffer.alloc(64));
    add(`${name}, without a signature`, body, NOW, null);
    add(`${name}, without a time`, body, null, good);
    for (const stamp of ["", `-${NOW}`, `${NOW}.0`, `${NOW}s`, "0x6aae", "yesterday"])
      add(`${name}, time ${JSON.stringify(stamp)}`, body, stamp, key.sign(`${stamp}|${body}`));
    add(`${name}, in milliseconds`, body, NOW * 1000, key.sign(`${NOW * 1000}|${body}`));
  }
  return cases;
}

async function telnyxVectors() {
  const vectors = telnyxCases();
  for (const vector of vectors) vector.valid = await telnyxVerdict(vector);
  return { source: `npm telnyx ${versions.telnyx}, webhooks.unwrap`, vectors };
}

async function verdicts() {
  const { vectors } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const said = [];
  for (const vector of vectors) said.push(await telnyxVerdict(vector));
  return said;
}

const makers = { twilio: async () => twilioVectors(), telnyx: telnyxVectors, "telnyx-verdicts": verdicts };
makers[process.argv[2]]().then((made) => process.stdout.write(`${JSON.stringify(made, null, 1)}\n`));
