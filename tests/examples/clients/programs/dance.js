// One dance by a library from npm: node dance.js LIBRARY PROVIDER KEY SECRET CALLBACK
//
// Prints the temporary token as JSON, reads the verifier from standard input, and prints what the protected resources
// answered.
"use strict";

const crypto = require("node:crypto");
const readline = require("node:readline");

const [library, provider, key, secret, callback] = process.argv.slice(2);
const PHOTO = `${provider}/photos?file=vacation.jpg&size=original`;
const FORM = { a: "1", b: "x y+z", c: "ä&=", d: "!*'()" };

// The package "oauth", known as node-oauth. Its README gives "1.0A" for the version; this is its other form, "1.0".
function nodeOAuth(version) {
  const { OAuth } = require("oauth");
  const client = new OAuth(`${provider}/initiate`, `${provider}/token`, key, secret, version, callback, "HMAC-SHA1");
  const call = (name, ...values) =>
    new Promise((resolve, reject) =>
      client[name](...values, (error, ...results) => (error ? reject(new Error(JSON.stringify(error))) : resolve(results))),
    );
  return {
    initiate: () => call("getOAuthRequestToken"),
    exchange: (token, verifier) => call("getOAuthAccessToken", ...token, verifier),
    photo: async (token) => (await call("get", PHOTO, ...token))[0],
    echo: async (token) => (await call("post", `${provider}/echo/a%2Fb`, ...token, FORM))[0],
  };
}

// The package "oauth-1.0a" only signs; `fetch` sends.
function oauth10a(method) {
  const OAuth = require("oauth-1.0a");
  const digest = method === "HMAC-SHA256" ? "sha256" : "sha1";
  const client = new OAuth({
    consumer: { key, secret },
    signature_method: method,
    hash_function: (text, signingKey) => crypto.createHmac(digest, signingKey).update(text).digest("base64"),
  });
  const send = async (verb, url, token, data = {}, form = null) => {
    const signed = client.authorize({ method: verb, url, data: { ...data, ...form } }, token);
    const answer = await fetch(url, {
      method: verb,
      headers: client.toHeader(signed),
      body: form && new URLSearchParams(form),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${text}`);
    return text;
  };
  const credentials = (text) => {
    const fields = new URLSearchParams(text);
    return [fields.get("oauth_token"), fields.get("oauth_token_secret")];
  };
  const pair = ([token, tokenSecret]) => ({ key: token, secret: tokenSecret });
  return {
    initiate: async () => credentials(await send("POST", `${provider}/initiate`, undefined, { oauth_callback: callback })),
    exchange: async (token, verifier) =>
      credentials(await send("POST", `${provider}/token`, pair(token), { oauth_verifier: verifier })),
    photo: (token) => send("GET", PHOTO, pair(token)),
    echo: (token) => send("POST", `${provider}/echo/a%2Fb`, pair(token), {}, FORM),
  };
}

const LIBRARIES = {
  oauth: () => nodeOAuth("1.0"),
  "oauth 1.0A": () => nodeOAuth("1.0A"),
  "oauth-1.0a": () => oauth10a("HMAC-SHA1"),
  "oauth-1.0a HMAC-SHA256": () => oauth10a("HMAC-SHA256"),
};

async function main() {
  const client = LIBRARIES[library]();
  const temporary = (await client.initiate()).slice(0, 2);
  console.log(JSON.stringify({ oauth_token: temporary[0] }));
  const [verifier] = await new Promise((resolve) => {
    readline.createInterface({ input: process.stdin }).once("line", (line) => resolve([line]));
  });
  const token = (await client.exchange(temporary, verifier)).slice(0, 2);
  console.log(JSON.stringify({ photo: JSON.parse(await client.photo(token)), echo: JSON.parse(await client.echo(token)) }));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
