// The Authorization header of Mastercard's signer: node mastercard.js METHOD URL PAYLOAD KEY FILE.pem
"use strict";

const fs = require("node:fs");
const OAuth = require("mastercard-oauth1-signer");

const [method, url, payload, key, file] = process.argv.slice(2);
console.log(OAuth.getAuthorizationHeader(url, method, payload, key, fs.readFileSync(file, "utf8")));
